package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A grant whose policies IAM does not hold lets no session continue.
func TestAGrantThatDoesNotFitSparesNoSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.Emulator.Account(accountID).IAM.SetQuota("AttachedPoliciesPerUserQuota", 2)
	w.tagNode(pc01, map[string]string{"Env": "stg"})
	small, large := access("small", "user01"), access("large", "user01", pc01)
	small.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	large.Spec.Targets[0].InstanceIDs = append(manyIDs(299), pc01)
	w.create(account(), small)
	w.accessIs(small, v1alpha1.ReasonGranted)
	w.create(large)
	w.accessIs(large, v1alpha1.ReasonQuotaExceeded)
	session := w.open(user("user01"), pc01)
	w.must(w.Client.Delete(t.Context(), small))
	w.accessIs(small, v1alpha1.ReasonEndingSessions)
	w.grid(false, false, false, false)
	w.advance(testWindow, small)
	w.must(testenv.WaitGone(t.Context(), w.Client, small))
	if w.isOpen(session) {
		t.Error("the session goes on, and nothing allows it")
	}
}
