package awsaccount_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestPlainAccessBesideApprovalPoliciesIsReported(t *testing.T) {
	w := scenario.New(t, testenv.ManagerOptions{})
	account, grant := scenario.Account(), scenario.Access("grant", "user01", scenario.PC01)
	w.Create(account)
	w.AwaitAccount(account, v1alpha1.ReasonVerified)
	w.Must(w.SSM().LoadDocument(fixtures.Document{Name: "approve-prod", Type: "ManualApprovalPolicy", Content: []byte(`{"schemaVersion":"1.0"}`)}))
	shown := func(wanted bool) {
		t.Helper()
		got, err := testenv.WaitFor(t.Context(), w.Client, account, func(a *v1alpha1.AWSAccount) bool {
			return (scenario.Condition(a.Status.Conditions, v1alpha1.ConditionApprovalBypassed).Type != "") == wanted
		})
		w.Must(err)
		if wanted {
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionApprovalBypassed).Message, scenario.Region)
		}
	}
	resync := func() {
		t.Helper()
		before := w.LastCall() // The read may begin at once.
		w.Advance(time.Hour+scenario.ResyncAfter, account)
		w.AwaitCall(before, "GetAccountAuthorizationDetails")
	}
	resync()
	shown(false) // Nothing is granted yet.
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	resync()
	shown(true)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	resync()
	shown(false)
}
