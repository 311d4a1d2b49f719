package queue

import (
	"testing"
	"testing/synctest"

	"github.com/ssm-access-operator/ssm-access-operator/internal/fair"
)

// waits reports whether no grant is served to a worker that asks for an item.
func waits(q *Queue[string]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, _, ok := q.ready.Next(func(turn fair.Turn) bool { return !isRevocation(turn) && q.mayServe(turn) })
	return !ok
}

func TestGrantsWaitUntilEveryRevocationOfTheirAccountWasTried(t *testing.T) {
	t.Parallel()
	q := testQueue(wide)
	q.Hold("a")
	q.AddFor("x", at(PriorityGrant), "a/grant")
	q.AddFor("x", at(PriorityLookup), "a/lookup")
	if !waits(q) {
		t.Error("a grant does not wait until it is known what is to be revoked")
	}
	q.AddFor("x", at(PriorityGrant), "b/grant")
	if item, _ := next(t, q); item != "b/grant" {
		t.Errorf("%s is served: it waits for the revocations of another account", item)
	}
	q.Expect("a", "a/one", "a/two")
	q.AddFor("x", at(PriorityRevocation), "a/one", "a/two")
	for _, want := range []string{"a/one", "a/two"} {
		if !q.Holds("a") {
			t.Errorf("a grant does not wait for %s", want)
		}
		if item, _ := next(t, q); item != want {
			t.Errorf("%s is served, want %s", item, want)
		}
		if !waits(q) {
			t.Error("a grant is served while a revocation is tried")
		}
		q.Done(want)
	}
	for _, want := range []string{"a/grant", "a/lookup"} {
		if item, _ := next(t, q); item != want {
			t.Errorf("%s is served, want %s", item, want)
		}
	}
}

func TestTheLastRevocationThatWasTriedWakesTheWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(wide)
		defer q.ShutDown()
		q.Expect("a", "a/end")
		q.AddFor("x", at(PriorityRevocation), "a/end")
		q.AddFor("x", at(PriorityGrant), "a/one", "a/two")
		if item, _ := next(t, q); item != "a/end" {
			t.Fatalf("%s is served", item)
		}
		served := make(chan string, 2)
		for range 2 {
			go func() {
				item, _, _ := q.GetWithPriority()
				served <- item
			}()
		}
		synctest.Wait()
		if len(served) != 0 {
			t.Error("a grant is served before the revocation was tried")
		}
		q.Done("a/end")
		synctest.Wait()
		if len(served) != 2 {
			t.Errorf("%d grants are served after it", len(served))
		}
	})
}

func TestARevocationThatIsGoneHoldsNoGrant(t *testing.T) {
	t.Parallel()
	q := testQueue(wide)
	q.Expect("a", "a/gone", "b/of another account")
	if !q.Holds("a") || q.Holds("b") {
		t.Error("only the grants of the account wait")
	}
	// The account was lost before it was tried, and is verified again.
	if q.Expect("a"); q.Holds("a") {
		t.Error("a grant waits for a revocation that is gone")
	}
}
