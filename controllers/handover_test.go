package controllers_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
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
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("both", "user01", pc01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	w.create(account(mayAbandon), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	h := handedOver{world: w, first: w.open(user("user01"), pc01), second: w.open(user("user02"), pc01)}
	restore := w.lose()
	w.abandon(grant)
	w.Emulator.Advance(outage)
	w.annotate(grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	h.again = access("again", "user01", pc01)
	h.again.Spec.Documents = []v1alpha1.DocumentReference{{Name: v1alpha1.DefaultDocument}, {Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	w.create(h.again, sessionDocument())
	w.accessIs(h.again, v1alpha1.ReasonReferenceNotResolved)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Hold, Action: "ssm:*Document*"})
	w.must(err)
	h.resolve = func() { w.Emulator.RemoveFault(id) }
	restore()
	w.accountIs(account(), v1alpha1.ReasonVerified)
	return h
}

func TestAPendingRevocationWaitsForWhoTakesOver(t *testing.T) {
	w := handOver(t)
	w.until(func() bool { return !w.may("user02", pc01) })
	w.untilEnded(w.second) // No other SessionAccess names this user.
	w.bulkReads(2)
	w.grid(true, false, false, false)
	w.openStill(w.first)
	w.resolve()
	w.accessIs(w.again, v1alpha1.ReasonGranted)
	w.until(func() bool { return w.mayWith("user01", pc01, logged) })
	w.advance(testWindow)
	w.owes(0)
	w.grid(true, false, false, false)
	w.openStill(w.first)
}

func TestAPendingRevocationDoesNotWaitForEver(t *testing.T) {
	w := handOver(t)
	w.Emulator.Advance(5*time.Minute + time.Second)
	w.untilEnded(w.first)
	w.grid(false, false, false, false)
}
