package sessionaccess_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// handedOver is a cluster in which the access of two users is pending revocation, and
// another SessionAccess, which waits for its document, names the first of them.
type handedOver struct {
	world
	again         *v1alpha1.SessionAccess
	first, second string
	// resolve has the document put in place.
	resolve func()
}

func handOver(t *testing.T) handedOver {
	t.Helper()
	w := worldOfDocuments(t)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("both", "user01", scenario.PC01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.Create(scenario.Account(scenario.AllowForceDeletion), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	h := handedOver{world: w, first: w.OpenSession(scenario.UserARN("user01"), scenario.PC01), second: w.OpenSession(scenario.UserARN("user02"), scenario.PC01)}
	restore := w.lose()
	w.forceDelete(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	h.again = scenario.Access("again", "user01", scenario.PC01)
	h.again.Spec.Documents = []v1alpha1.DocumentReference{{Name: v1alpha1.DefaultDocument}, {Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	w.Create(h.again, scenario.SessionDocument())
	w.AwaitAccess(h.again, v1alpha1.ReasonReferenceNotResolved)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Hold, Action: "ssm:*Document*"})
	w.Must(err)
	h.resolve = func() { w.Emulator.RemoveFault(id) }
	restore()
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	return h
}

func TestAPendingRevocationWaitsForWhoTakesOver(t *testing.T) {
	w := handOver(t)
	w.Eventually(func() bool { return !w.MayOpen("user02", scenario.PC01) })
	w.AwaitSessionEnd(w.second) // No other SessionAccess names this user.
	w.AwaitBulkReads(2)
	w.ExpectAccess(true, false, false, false)
	w.ExpectSessionsOpen(w.first)
	w.resolve()
	w.AwaitAccess(w.again, v1alpha1.ReasonGranted)
	w.Eventually(func() bool { return w.MayOpenWith("user01", scenario.PC01, scenario.LoggedDocument) })
	w.Advance(scenario.Window)
	w.AwaitPendingRevocations(0)
	w.ExpectAccess(true, false, false, false)
	w.ExpectSessionsOpen(w.first)
}

func TestAPendingRevocationDoesNotWaitForEver(t *testing.T) {
	w := handOver(t)
	w.Emulator.Advance(5*time.Minute + time.Second)
	w.AwaitSessionEnd(w.first)
	w.ExpectAccess(false, false, false, false)
}
