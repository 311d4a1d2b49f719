package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A grant whose policies IAM does not hold lets no session continue.
func TestAGrantThatDoesNotFitSparesNoSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Emulator.Account(scenario.AccountID).IAM.SetQuota("AttachedPoliciesPerUserQuota", 2)
	w.SetNodeTags(scenario.PC01, map[string]string{"Env": "stg"})
	small, large := scenario.Access("small", "user01"), scenario.Access("large", "user01", scenario.PC01)
	small.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	large.Spec.Targets[0].InstanceIDs = append(scenario.ManyIDs(299), scenario.PC01)
	w.Create(scenario.Account(), small)
	w.AwaitAccess(small, v1alpha1.ReasonGranted)
	w.Create(large)
	w.AwaitAccess(large, v1alpha1.ReasonQuotaExceeded)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(w.Client.Delete(t.Context(), small))
	w.AwaitAccess(small, v1alpha1.ReasonEndingSessions)
	w.ExpectAccess(false, false, false, false)
	w.Advance(scenario.Window, small)
	w.Must(testenv.WaitGone(t.Context(), w.Client, small))
	if w.IsSessionOpen(session) {
		t.Error("the session goes on, and nothing allows it")
	}
}
