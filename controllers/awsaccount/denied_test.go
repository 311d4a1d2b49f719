package awsaccount_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A read that AWS refuses keeps no access: what was read before is enough to revoke it.
func TestAccessIsRevokedAlthoughIAMMayNotBeRead(t *testing.T) {
	for _, c := range []struct {
		action   string
		restarts bool
	}{{"iam:GetAccountAuthorizationDetails", false}, {"iam:GetAccountSummary", false}, {"iam:GetAccountSummary", true}} {
		name := c.action
		if c.restarts {
			name += " after a restart"
		}
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
			w.Create(main, grant)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: c.action})
			w.Must(err)
			if c.restarts {
				w.Must(m.Stop())
				w.Manager(t, testenv.ManagerOptions{})
			}
			got := w.AwaitAccount(main, v1alpha1.ReasonAccessDenied)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, c.action)
			w.Must(w.Client.Delete(t.Context(), grant))
			w.AwaitSessionEnd(session)
			w.ExpectAccess(false, false, false, false)
		})
	}
}
