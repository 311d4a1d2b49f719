package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// An approval of just-in-time node access is not the operator's to take back.
func TestASessionThatWasApprovedJustInTimeStaysOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("grant", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	plain := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	const approved = "user01-0a1b2c3d4e5f60718293a4b5c6"
	w.SSM().PutSession(&ssm.Session{
		ID: approved, Owner: scenario.UserARN("user01"), Target: scenario.PC01, DocumentName: v1alpha1.DefaultDocument,
		Started: w.Clock.Now(), JustInTime: true,
	})
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(plain)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectSessionsOpen(approved)
}
