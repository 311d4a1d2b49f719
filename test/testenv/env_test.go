package testenv_test

import (
	"context"
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// account declares the fixture's account, for every namespace.
func account() *v1alpha1.AWSAccount {
	return &v1alpha1.AWSAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec: v1alpha1.AWSAccountSpec{
			AccountID: "488821267897", Regions: []v1alpha1.Region{"ap-northeast-1"},
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
		},
	}
}

// access grants a user a node, in namespace team-a.
func access(name, user string) *v1alpha1.SessionAccess {
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "team-a"},
		Spec: v1alpha1.SessionAccessSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"},
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: user}},
			Targets:    []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{"i-051cac51072605f39"}}},
		},
	}
}

func TestNextTestFindsTheClusterEmpty(t *testing.T) {
	first, err := testenv.Start(t.Context(), testenv.Options{Cluster: cluster})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() //nolint:errcheck // It is checked below.
	held := access("held", "user01")
	held.Finalizers = []string{v1alpha1.Finalizer}
	if err := errors.Join(
		first.Namespace(t.Context(), "team-a", nil),
		first.Client.Create(t.Context(), account()),
		first.Client.Create(t.Context(), held),
		first.Client.Create(t.Context(), access("free", "user02")),
	); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := testenv.New(t, testenv.Options{Cluster: cluster})
	var accounts v1alpha1.AWSAccountList
	var accesses v1alpha1.SessionAccessList
	if err := errors.Join(second.Client.List(t.Context(), &accounts), second.Client.List(t.Context(), &accesses)); err != nil {
		t.Fatal(err)
	}
	if len(accounts.Items)+len(accesses.Items) > 0 {
		t.Errorf("%d AWSAccounts and %d SessionAccesses are left", len(accounts.Items), len(accesses.Items))
	}
}

func TestSecondEnvOnAClusterWaitsForTheFirst(t *testing.T) {
	first := testenv.New(t, testenv.Options{Cluster: cluster})
	refused, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := testenv.Start(refused, testenv.Options{Cluster: cluster}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v while the cluster is taken, want context.Canceled", err)
	}
	started := make(chan error)
	go func() {
		second, err := testenv.Start(t.Context(), testenv.Options{Cluster: cluster})
		if err == nil {
			err = second.Close()
		}
		started <- err
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
}

func TestNamespaceHasTheLabelsOfItsLatestUser(t *testing.T) {
	env := testenv.New(t, testenv.Options{Cluster: cluster})
	for _, labels := range []map[string]string{{"team": "a", "tier": "1"}, {"team": "b"}} {
		if err := env.Namespace(t.Context(), "labelled", labels); err != nil {
			t.Fatal(err)
		}
	}
	if err := env.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "labelled"}}); err != nil {
		t.Fatal(err)
	}
	// It is Terminating now.
	if err := env.Namespace(t.Context(), "labelled", map[string]string{"team": "c"}); err != nil {
		t.Fatal(err)
	}
	got := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "labelled"}}
	if err := env.Client.Get(t.Context(), keyOf(got), got); err != nil {
		t.Fatal(err)
	}
	delete(got.Labels, corev1.LabelMetadataName)
	if len(got.Labels) != 1 || got.Labels["team"] != "c" {
		t.Errorf("got the labels %v, want team=c alone", got.Labels)
	}
}

func TestFixtureWithoutAccountIsRefused(t *testing.T) {
	_, err := testenv.Start(t.Context(), testenv.Options{Cluster: cluster, Fixture: emptyFixture()})
	if err == nil {
		t.Error("a fixture without an account was accepted")
	}
	testenv.New(t, testenv.Options{Cluster: cluster}) // The cluster must be free again.
}
