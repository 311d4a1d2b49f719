package testenv_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func keyOf(obj client.Object) client.ObjectKey { return client.ObjectKeyFromObject(obj) }

func emptyFixture() *fixtures.Fixture { return &fixtures.Fixture{} }

func configMap(name, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, Data: map[string]string{"key": value}}
}

func TestWaitForSeesAnObjectThatComesLater(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	object := configMap("later", "wanted")
	defer env.Client.Delete(context.Background(), object) //nolint:errcheck // It is of no interest afterwards.
	got := make(chan error)
	go func() {
		seen, err := testenv.WaitFor(t.Context(), env.Client, configMap("later", ""), func(c *corev1.ConfigMap) bool { return c.Data["key"] == "wanted" })
		if err == nil && seen.UID == "" {
			err = errors.New("the object was not returned")
		}
		got <- err
	}()
	if err := env.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

func TestWaitForShowsWhatItLastSaw(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	object := configMap("other", "another")
	if err := env.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	defer env.Client.Delete(context.Background(), object) //nolint:errcheck // It is of no interest afterwards.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := testenv.WaitFor(ctx, env.Client, object, func(*corev1.ConfigMap) bool {
		cancel()
		return false
	})
	if err == nil || !strings.Contains(err.Error(), "key: another") {
		t.Errorf("got %v, want an error with the object's data", err)
	}
}

func TestWaitGoneReturnsAtOnceAndLater(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	if err := testenv.WaitGone(t.Context(), env.Client, configMap("never", "")); err != nil {
		t.Error(err)
	}
	object := configMap("going", "")
	if err := env.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error)
	go func() { gone <- testenv.WaitGone(t.Context(), env.Client, object) }()
	if err := env.Client.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := <-gone; err != nil {
		t.Error(err)
	}
}

func TestWaitCountCountsThoseThatAreDone(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	labels := client.MatchingLabels{"counted": "yes"}
	done := func(c *corev1.ConfigMap) bool { return c.Data["key"] == "done" }
	objects := []*corev1.ConfigMap{configMap("a", "done"), configMap("b", ""), configMap("c", "")}
	for _, object := range objects {
		object.Labels = labels
		if err := env.Client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = env.Client.Delete(context.Background(), object) }) // It is of no interest afterwards.
	}
	counted := make(chan error)
	go func() { counted <- testenv.WaitCount(t.Context(), env.Client, &corev1.ConfigMap{}, 2, done, labels) }()
	objects[2].Data["key"] = "done"
	if err := env.Client.Update(t.Context(), objects[2]); err != nil {
		t.Fatal(err)
	}
	if err := <-counted; err != nil {
		t.Error(err)
	}
}

func TestWaitCallSeesPastAndFutureCalls(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	config := env.AWSConfig(env.Credentials("admin"))
	called := make(chan error)
	go func() {
		_, err := env.WaitCall(t.Context(), 0, func(c calls.Call) bool { return c.Action() == "iam:GetUser" && c.Parameters["UserName"] == "user02" })
		called <- err
	}()
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	past, err := env.WaitCall(t.Context(), 0, func(calls.Call) bool { return true })
	if err != nil || past.N != env.LastCall() {
		t.Errorf("got %v, %v, want the last call, number %d", past, err, env.LastCall())
	}
	user := "user02"
	if _, err := iam.NewFromConfig(config).GetUser(t.Context(), &iam.GetUserInput{UserName: &user}); err != nil {
		t.Fatal(err)
	}
	if err := <-called; err != nil {
		t.Error(err)
	}
}
