package queue

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// What happens to an item for which tenants ask for different things.

func retryAt(priority int) priorityqueue.AddOpts {
	return priorityqueue.AddOpts{RateLimited: true, Priority: &priority}
}

// tenant x has its revocation workers busy; the shared principal is served at y's grant turn
// and requeued as a grant: the revocation demand is gone.
func TestARevocationThatIsServedAtTheTurnOfAGrantStaysARevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(Limits{Account: 5, Tenant: 3})
		defer q.ShutDown()
		q.AddFor("x", at(PriorityRevocation), "a/1", "a/2", "a/3")
		for range 3 {
			next(t, q)
		}
		q.AddFor("x", at(PriorityRevocation), "a/shared")
		q.AddFor("y", at(PriorityGrant), "a/shared")
		item, priority := next(t, q)
		if item != "a/shared" || !IsRevocation(priority) {
			t.Errorf("%s is served at %d", item, priority)
		}
		// The reconciler of principals: turnAt(priority) -> again = PriorityGrant.
		again := PriorityGrant
		if IsRevocation(priority) {
			again = PriorityRetriedRevocation
		}
		q.AddWithOpts(retryAt(again), item)
		q.Done(item)
		q.Done("a/1")
		time.Sleep(time.Minute) //nolint:forbidigo // The time of the bubble passes at once.
		synctest.Wait()
		if item, priority = next(t, q); !IsRevocation(priority) {
			t.Errorf("then %s is retried at %d: the revocation is forgotten", item, priority)
		}
	})
}

// served before the account was verified, done after Expect: counted as tried.
func TestARevocationThatWasServedBeforeItWasDueIsNotTried(t *testing.T) {
	q := testQueue(wide)
	q.AddFor("x", at(PriorityRevocation), "a/end") // an event, while the account is not verified
	next(t, q)                                     // Reconcile sees: not verified, returns
	q.Hold("a")
	q.Expect("a", "a/end")
	q.AddFor("x", at(PriorityRevocation), "a/end")
	q.Done("a/end")
	if !q.Holds("a") {
		t.Error("the barrier is open, and the revocation was not tried")
	}
}

// failures of grants push back the first retry of a new revocation.
func TestFailedGrantsDoNotDelayTheRetryOfANewRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(wide)
		defer q.ShutDown()
		q.AddFor("y", at(PriorityGrant), "a/shared")
		for range 6 {
			time.Sleep(time.Minute) //nolint:forbidigo // The time of the bubble passes at once.
			synctest.Wait()
			item, _ := next(t, q)
			q.AddWithOpts(retryAt(PriorityGrant), item)
			q.Done(item)
		}
		q.AddFor("x", at(PriorityRevocation), "a/shared")
		item, _ := next(t, q)
		q.AddWithOpts(retryAt(PriorityRetriedRevocation), item)
		q.Done(item)
		time.Sleep(2 * time.Second) //nolint:forbidigo // The time of the bubble passes at once.
		synctest.Wait()
		if q.Len() == 0 {
			t.Error("the first retry of a new revocation waits for the backoff of the grants")
		}
	})
}

// a revocation that failed and has asked for a lookup, or gets a grant while it is tried, is
// retried at once, without backoff, and the lookup is lost.
func TestARevocationThatFailedKeepsItsBackoffBesideALookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(wide)
		defer q.ShutDown()
		q.AddFor("x", at(PriorityRevocation), "a/p")
		item, _ := next(t, q)
		for try := range 5 {
			q.AddFor("x", at(PriorityLookup), item) // serving.Reconcile: lookUp
			q.AddWithOpts(retryAt(PriorityRetriedRevocation), item)
			q.Done(item)
			if q.Len() == 0 {
				return
			}
			again, priority := next(t, q)
			if item = again; IsRevocation(priority) {
				t.Errorf("try %d: retried at once at %d", try+2, priority)
			}
		}
	})
}

// Accounts that do not answer keep workers busy with grants, and leave some to revocations.
func TestGrantsOfAllAccountsLeaveWorkersToRevocations(t *testing.T) {
	t.Parallel()
	q := testQueue(Limits{Account: 1, Tenant: 1})
	for i := range Workers {
		q.AddFor("x", at(PriorityGrant), fmt.Sprintf("account%d/grant", i))
	}
	for range ordinaryWorkers {
		next(t, q)
	}
	if !waits(q) {
		t.Error("grants are served by all workers")
	}
	q.AddFor("x", at(PriorityRevocation), "another/end")
	if item, _ := next(t, q); item != "another/end" {
		t.Errorf("%s is served", item)
	}
	q.Done("account0/grant")
	if waits(q) {
		t.Error("a grant waits although a worker is free for it")
	}
}
