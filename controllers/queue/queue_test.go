package queue

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/util/workqueue"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// items of the tests are named account/name.
func testQueue(limits Limits) *Queue[string] {
	q := New(Options[string]{Limits: limits, Account: func(item string) string {
		account, _, _ := strings.Cut(item, "/")
		return account
	}})
	q.Start("test", workqueue.NewTypedItemExponentialFailureRateLimiter[string](time.Second, time.Minute))
	return q
}

var wide = Limits{Account: 100, Tenant: 100}

func at(priority int) priorityqueue.AddOpts { return priorityqueue.AddOpts{Priority: &priority} }

// next takes an item that is ready.
func next(t *testing.T, q *Queue[string]) (item string, priority int) {
	t.Helper()
	q.mu.Lock()
	ready := q.ready.Len()
	q.mu.Unlock()
	if ready == 0 {
		t.Fatal("nothing is ready")
	}
	item, priority, _ = q.GetWithPriority()
	return item, priority
}

func TestANewRevocationIsNeverOvertakenByARetriedOne(t *testing.T) {
	t.Parallel()
	q := testQueue(wide)
	for i := range 5 {
		q.AddFor("x", at(PriorityRetriedRevocation), fmt.Sprintf("a/again%d", i))
	}
	q.AddFor("x", at(PriorityRevocation), "a/new")
	if item, priority := next(t, q); item != "a/new" || priority != PriorityRevocation {
		t.Errorf("%s came first, at %d", item, priority)
	}
}

func TestAnAccountKeepsNoMoreWorkersThanItsLimit(t *testing.T) {
	t.Parallel()
	q := testQueue(Limits{Account: 2, Tenant: 2})
	for i := range 10 {
		q.AddFor("x", at(PriorityRevocation), fmt.Sprintf("hangs/%d", i))
	}
	q.AddFor("x", at(PriorityResync), "works/0")
	var served []string
	for range 3 {
		item, _ := next(t, q)
		served = append(served, item)
	}
	if want := []string{"hangs/0", "hangs/1", "works/0"}; !slices.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
	q.Done("hangs/0")
	if item, _ := next(t, q); item != "hangs/2" {
		t.Errorf("then %s", item)
	}
}

func TestATenantLeavesAWorkerToOthersAndGrantsLeaveSomeToRevocations(t *testing.T) {
	t.Parallel()
	q := testQueue(Limits{Account: 3, Tenant: 2})
	for i := range 10 {
		q.AddFor("crowd", at(PriorityGrant), fmt.Sprintf("a/grant%d", i))
		q.AddFor("crowd", at(PriorityRevocation), fmt.Sprintf("a/end%d", i))
	}
	q.AddFor("mine", at(PriorityRevocation), "a/mine")
	var served []string
	for range 5 {
		item, _ := next(t, q)
		served = append(served, item)
	}
	if want := []string{"a/end0", "a/mine", "a/end1", "a/grant0", "a/grant1"}; !slices.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
}

func TestAnItemThatIsWorkedOnIsServedOnceMoreAndToOneWorkerOnly(t *testing.T) {
	t.Parallel()
	q := testQueue(wide)
	q.AddFor("x", at(PriorityGrant), "a/1")
	next(t, q)
	q.AddFor("y", at(PriorityGrant), "a/1")
	q.AddFor("y", at(PriorityRevocation), "a/1")
	if q.Len() != 0 {
		t.Error("a second worker gets it")
	}
	q.Done("a/1")
	if _, priority := next(t, q); priority != PriorityRevocation {
		t.Errorf("it came at %d", priority)
	}
	if tenant, _ := q.TurnOf("a/1"); tenant != "y" {
		t.Errorf("it is worked on for %q", tenant)
	}
	q.Done("a/1")
	if q.Len() != 0 {
		t.Error("it comes a third time")
	}
}

func TestARetryWaitsAndIsForTheSameTenants(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(wide)
		q.AddFor("x", at(PriorityRevocation), "a/1")
		q.AddFor("y", at(PriorityRevocation), "a/1")
		next(t, q)
		retried := PriorityRetriedRevocation
		for range 2 { // Of two waits the shorter holds.
			q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true, Priority: &retried}, "a/1")
		}
		q.Done("a/1")
		if q.Len() != 0 {
			t.Error("it does not wait")
		}
		began := time.Now()
		_, priority, _ := q.GetWithPriority()
		if waited := time.Since(began); waited != time.Second || priority != retried {
			t.Errorf("it came after %s at %d", waited, priority)
		}
		q.mu.Lock()
		var tenants []string
		for _, turn := range q.busy["a/1"] {
			tenants = append(tenants, turn.Tenant)
		}
		q.mu.Unlock()
		if slices.Sort(tenants); !slices.Equal(tenants, []string{"x", "y"}) {
			t.Errorf("it is for %v", tenants)
		}
		q.ShutDown()
	})
}

func TestWhatIsAddedAtOnceDoesNotWaitForItsRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(wide)
		q.AddAfter("a/1", time.Hour)
		q.AddFor("x", at(PriorityRevocation), "a/1")
		if _, priority := next(t, q); priority != PriorityRevocation {
			t.Errorf("it came at %d", priority)
		}
		q.Done("a/1")
		time.Sleep(2 * time.Hour) //nolint:forbidigo // the bubble's time is not real
		synctest.Wait()
		if q.Len() != 0 {
			t.Error("its retry came too")
		}
		q.ShutDown()
	})
}

func TestShutDownReleasesEveryWorkerAndTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := testQueue(wide)
		var workers sync.WaitGroup
		for range 20 {
			workers.Go(func() {
				if _, shutdown := q.Get(); !shutdown {
					t.Error("a worker got an item of nothing")
				}
			})
		}
		q.AddAfter("a/1", time.Hour)
		synctest.Wait()
		q.ShutDown()
		workers.Wait()
		q.Add("a/2")
		if q.Len() != 0 || !q.ShuttingDown() {
			t.Error("it takes items after it was shut down")
		}
	})
}

// Whatever is added, done and retried in whatever order: no item is lost, none has
// two workers, and no account or tenant has more than its limit.
func TestTheQueueLosesNothingAndKeepsItsLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Account: rapid.IntRange(1, 4).Draw(t, "account"), Tenant: rapid.IntRange(1, 3).Draw(t, "tenant")}
		q := testQueue(limits)
		wanted, working := map[string]bool{}, map[string]bool{}
		priorities := []int{PriorityRevocation, PriorityRetriedRevocation, PriorityGrant, PriorityLookup}
		serve := func(t *rapid.T) {
			q.mu.Lock()
			key, turns, ok := q.ready.Next(q.mayServe)
			if ok {
				q.busy[key] = turns
				q.usage.take(turns[0])
			}
			q.mu.Unlock()
			if !ok {
				return
			}
			if working[key] || !wanted[key] {
				t.Fatalf("%s is served, worked on %v, wanted %v", key, working[key], wanted[key])
			}
			working[key], wanted[key] = true, false
			for s, n := range q.usage {
				if s == ordinary {
					continue
				}
				if (s.all && n > limits.Account) || (!s.all && n > limits.Tenant) {
					t.Fatalf("%+v has %d workers", s, n)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				item := rapid.StringMatching(`[abc]/[0-5]`).Draw(t, "item")
				q.AddFor(rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "tenant"), at(rapid.SampledFrom(priorities).Draw(t, "priority")), item)
				wanted[item] = true
			},
			"serve": serve,
			"done": func(t *rapid.T) {
				if len(working) == 0 {
					t.Skip("no item is worked on")
				}
				item := rapid.SampledFrom(slices.Sorted(maps.Keys(working))).Draw(t, "item")
				q.Done(item)
				delete(working, item)
			},
		})
		for range 1000 {
			for item := range working {
				q.Done(item)
				delete(working, item)
			}
			serve(t)
		}
		for item, waits := range wanted {
			if waits {
				t.Fatalf("%s was lost", item)
			}
		}
	})
}
