package queue

import (
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"

	"github.com/ssm-access-operator/ssm-access-operator/internal/fair"
)

// Options describe the items of a queue.
type Options[T comparable] struct {
	// Account is where an item calls AWS; "" for an item of no account. It is called
	// before an item is added and must not block.
	Account func(T) string
	// Tenant is for whom an item is that is added without a tenant: its namespace.
	// Nil: "".
	Tenant func(T) string
	// Limits bound the workers of an account.
	Limits Limits
}

// Queue implements priorityqueue.PriorityQueue. Unlike that of controller-runtime
// it serves accounts and tenants in turn. Create it with New. Its only goroutines
// are those of timers, which end with ShutDown.
type Queue[T comparable] struct {
	options Options[T]

	mu sync.Mutex
	// workers wait here for an item.
	workers *sync.Cond
	backoff workqueue.TypedRateLimiter[T]
	meter   meter
	ready   fair.Rounds[T]
	later   later[T]
	// busy are the items that workers have, and how many of them each account and
	// tenant has.
	busy  map[T][]fair.Turn
	usage usage
	// barrier has grants wait for revocations.
	barrier barrier[T]
	again   map[T]demand // for the busy ones
	alarm   *time.Timer
	closed  bool
}

var _ priorityqueue.PriorityQueue[string] = &Queue[string]{}

// New returns an empty queue. A controller uses it through Start.
func New[T comparable](options Options[T]) *Queue[T] {
	q := &Queue[T]{options: options, busy: map[T][]fair.Turn{}, usage: usage{}, again: map[T]demand{}, meter: noMeter{}}
	q.workers = sync.NewCond(&q.mu)
	return q
}

// Start is the NewQueue of a controller's options.
func (q *Queue[T]) Start(controller string, backoff workqueue.TypedRateLimiter[T]) workqueue.TypedRateLimitingInterface[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.backoff, q.meter = backoff, newMeter(controller)
	return q
}

// AddFor adds items that a tenant asks for. An item that waits is served at the
// first turn of any tenant that asked for it.
func (q *Queue[T]) AddFor(tenant string, o priorityqueue.AddOpts, items ...T) {
	accounts := make([]string, len(items)) // Without the lock: it may read the cache.
	for i, item := range items {
		accounts[i] = q.options.Account(item)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, item := range items {
		if o.Priority != nil && *o.Priority >= PriorityRevocation && q.backoff != nil {
			q.backoff.Forget(item) // What failed before does not delay the first retry of a new revocation.
		}
		after := o.After
		if o.RateLimited && q.backoff != nil {
			if backoff := q.backoff.When(item); after == 0 || backoff < after {
				after = backoff
			}
		}
		d := demand{account: accounts[i], tenants: map[string]int{}}
		for _, name := range q.tenants(tenant, item) {
			d.tenants[name] = 0
			if o.Priority != nil {
				d.tenants[name] = *o.Priority
			}
		}
		q.add(item, d, after)
	}
	q.setAlarm()
}

// AddWithOpts implements priorityqueue.PriorityQueue. An item that a worker has is
// added for the tenants for which it is worked on: a retry loses none.
func (q *Queue[T]) AddWithOpts(o priorityqueue.AddOpts, items ...T) { q.AddFor("", o, items...) }

// tenants are those for which an item is added.
func (q *Queue[T]) tenants(tenant string, item T) []string {
	switch {
	case tenant != "":
		return []string{tenant}
	case q.options.Tenant != nil:
		return []string{q.options.Tenant(item)}
	case len(q.busy[item]) == 0:
		return []string{""}
	}
	names := make([]string, 0, len(q.busy[item]))
	for _, turn := range q.busy[item] {
		names = append(names, turn.Tenant)
	}
	return names
}

// add has an item wait. The caller holds mu.
func (q *Queue[T]) add(item T, d demand, after time.Duration) {
	if q.closed {
		return
	}
	if after > 0 {
		q.meter.retry()
		if !q.ready.Has(item) && q.mayWait(item, d) {
			q.later.add(item, d, time.Now().Add(after))
			return
		}
	}
	if q.later.joins(item, d) {
		waited, _ := q.later.remove(item)
		d = d.with(waited)
	}
	q.makeReady(item, d)
}

// mayWait reports whether what is asked for waits for its time although the item is about
// to be served again: a revocation that failed does, beside a grant.
func (q *Queue[T]) mayWait(item T, d demand) bool {
	again, ok := q.again[item]
	return !ok || d.revokes() && !again.revokes()
}

// makeReady has a worker take an item as soon as it is its turn, and no other
// worker has it. The caller holds mu.
func (q *Queue[T]) makeReady(item T, d demand) {
	if len(q.busy[item]) > 0 {
		if waits, ok := q.again[item]; ok {
			d = d.with(waits)
		}
		q.again[item] = d
		return
	}
	if !q.ready.Has(item) {
		q.meter.added()
	}
	for _, turn := range d.turns() {
		q.ready.Add(item, turn)
	}
	q.meter.depth(q.ready.Len())
	q.workers.Signal()
}

// GetWithPriority implements priorityqueue.PriorityQueue. It blocks until an item
// may be served.
func (q *Queue[T]) GetWithPriority() (item T, priority int, shutdown bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed {
		if key, turns, ok := q.ready.Next(q.mayServe); ok {
			q.busy[key] = turns
			q.usage.take(turns[0])
			q.meter.depth(q.ready.Len())
			priority := mostUrgent(turns)
			if IsRevocation(priority) {
				q.barrier.begin(turns[0].Account, key)
			}
			return key, priority, false
		}
		q.workers.Wait()
	}
	return item, 0, true
}

func (q *Queue[T]) mayServe(turn fair.Turn) bool {
	return q.usage.allows(turn, q.options.Limits) && (isRevocation(turn) || !q.barrier.holds(turn.Account))
}

func isRevocation(turn fair.Turn) bool { return IsRevocation(priorityOf(turn.Class)) }

// Done implements priorityqueue.PriorityQueue.
func (q *Queue[T]) Done(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	turns := q.busy[item]
	if len(turns) == 0 {
		return
	}
	delete(q.busy, item)
	q.usage.release(turns[0])
	if q.barrier.end(turns[0].Account, item) {
		q.workers.Broadcast()
	}
	if d, ok := q.again[item]; ok {
		delete(q.again, item)
		q.makeReady(item, d)
	}
	// The worker that is done takes the next item. Where it does not, another does.
	q.workers.Signal()
}

// TurnOf is whose turn it was when an item was served that a worker has, and the priority
// at which it is worked on.
func (q *Queue[T]) TurnOf(item T) (tenant string, priority int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if turns := q.busy[item]; len(turns) > 0 {
		return turns[0].Tenant, mostUrgent(turns)
	}
	return "", 0
}

// mostUrgent is the priority at which an item is worked on: the highest of all that asked
// for it, even at the turn of another tenant.
func mostUrgent(turns []fair.Turn) int {
	class := turns[0].Class
	for _, turn := range turns {
		class = min(class, turn.Class)
	}
	return priorityOf(class)
}

// setAlarm has the first item that waits for a time become ready then. The caller
// holds mu.
func (q *Queue[T]) setAlarm() {
	at, ok := q.later.first()
	if !ok || q.closed {
		return
	}
	if q.alarm != nil {
		q.alarm.Reset(time.Until(at))
		return
	}
	q.alarm = time.AfterFunc(time.Until(at), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.wake()
		q.setAlarm()
	})
}

// wake makes ready what has waited its time. The caller holds mu.
func (q *Queue[T]) wake() {
	now := time.Now()
	for !q.closed {
		item, d, ok := q.later.due(now)
		if !ok {
			return
		}
		q.makeReady(item, d)
	}
}

// ShutDown implements workqueue.TypedInterface.
func (q *Queue[T]) ShutDown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.alarm != nil {
		q.alarm.Stop()
	}
	q.workers.Broadcast()
}
