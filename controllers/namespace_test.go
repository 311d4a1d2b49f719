package controllers_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestADeletedNamespaceLeavesNothingBehind(t *testing.T) {
	const leaving, users, perUser = "team-leaving", 20, 10
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.Namespace(t.Context(), leaving, map[string]string{"team": "a"}))
	w.create(account())
	var all []*v1alpha1.SessionAccess
	for u := range users {
		name := fmt.Sprintf("leaving%02d", u)
		w.must(w.Emulator.Account(accountID).IAM.AddUser(fixtures.User{Name: name}))
		for i := range perUser {
			grant := access(fmt.Sprint(name, "-", i), name, pc01, fmt.Sprintf("i-%017x", u*perUser+i+1))
			grant.Namespace = leaving
			w.create(grant)
			all = append(all, grant)
		}
	}
	w.counted(leaving, len(all), v1alpha1.ReasonGranted)
	sessions := []string{w.open(user("leaving00"), pc01), w.open(user("leaving19"), pc01)}

	w.must(w.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
	w.counted(leaving, len(all), v1alpha1.ReasonEndingSessions)
	if left := w.ourPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
	w.advance(testWindow)
	for _, grant := range all {
		// Some have gone by then.
		if w.Client.Get(t.Context(), keyOf(grant), grant) == nil {
			w.touch(grant)
		}
	}
	for _, id := range sessions {
		w.untilEnded(id)
	}
	w.must(testenv.WaitGone(t.Context(), w.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
}

// counted waits until a number of SessionAccesses of a namespace have a reason.
func (w world) counted(namespace string, n int, reason string) {
	w.t.Helper()
	w.must(testenv.WaitCount(w.t.Context(), w.Client, &v1alpha1.SessionAccess{}, n, func(a *v1alpha1.SessionAccess) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == reason
	}, client.InNamespace(namespace)))
}
