package sessionaccess_test

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestADeletedNamespaceLeavesNothingBehind(t *testing.T) {
	const leaving, users, perUser = "team-leaving", 20, 10
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), leaving, map[string]string{"team": "a"}))
	w.Create(scenario.Account())
	var all []*v1alpha1.SessionAccess
	for u := range users {
		name := fmt.Sprintf("leaving%02d", u)
		w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddUser(fixtures.User{Name: name}))
		for i := range perUser {
			grant := scenario.Access(fmt.Sprint(name, "-", i), name, scenario.PC01, fmt.Sprintf("i-%017x", u*perUser+i+1))
			grant.Namespace = leaving
			w.Create(grant)
			all = append(all, grant)
		}
	}
	w.AwaitAccesses(leaving, len(all), v1alpha1.ReasonGranted)
	sessions := []string{w.OpenSession(scenario.UserARN("leaving00"), scenario.PC01), w.OpenSession(scenario.UserARN("leaving19"), scenario.PC01)}

	w.Must(w.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
	w.AwaitAccesses(leaving, len(all), v1alpha1.ReasonEndingSessions)
	if left := w.OwnedPolicies(); len(left) != 0 {
		t.Errorf("%d policies are left", len(left))
	}
	w.Advance(scenario.Window)
	for _, grant := range all {
		// Some have gone by then.
		if w.Client.Get(t.Context(), scenario.KeyOf(grant), grant) == nil {
			w.Touch(grant)
		}
	}
	for _, id := range sessions {
		w.AwaitSessionEnd(id)
	}
	w.Must(testenv.WaitGone(t.Context(), w.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
}
