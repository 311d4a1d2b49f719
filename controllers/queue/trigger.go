package queue

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// Trigger is a source through which one controller wakes another: it adds requests
// directly to the other's queue. Requests that are added before the queue exists wait
// for it.
type Trigger[T comparable] struct {
	mu      sync.Mutex
	queue   workqueue.TypedRateLimitingInterface[T]
	waiting []pending[T]
}

type pending[T comparable] struct {
	priority int
	after    time.Duration
	items    []T
}

// Start takes the queue of the controller that the trigger wakes.
func (t *Trigger[T]) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[T]) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = queue
	for _, p := range t.waiting {
		enqueueAfter(queue, p.priority, p.after, p.items...)
	}
	t.waiting = nil
	return nil
}

// String names the source in logs.
func (t *Trigger[T]) String() string { return "trigger" }

// Add enqueues the items at a priority.
func (t *Trigger[T]) Add(priority int, items ...T) { t.AddAfter(priority, 0, items...) }

// AddAfter enqueues the items at a priority once some time has passed. Of
// several waits for one item the shortest holds.
func (t *Trigger[T]) AddAfter(priority int, after time.Duration, items ...T) {
	if len(items) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue == nil {
		t.waiting = append(t.waiting, pending[T]{priority, after, items})
		return
	}
	enqueueAfter(t.queue, priority, after, items...)
}

// Enqueue adds items to a controller's queue at a priority.
func Enqueue[T comparable](queue workqueue.TypedRateLimitingInterface[T], priority int, items ...T) {
	enqueueAfter(queue, priority, 0, items...)
}

func enqueueAfter[T comparable](queue workqueue.TypedRateLimitingInterface[T], priority int, after time.Duration, items ...T) {
	if len(items) == 0 {
		return
	}
	opts := priorityqueue.AddOpts{Priority: &priority, After: after}
	switch q := queue.(type) {
	case priorityqueue.PriorityQueue[T]:
		q.AddWithOpts(opts, items...)
	default:
		for _, item := range items {
			queue.AddAfter(item, after)
		}
	}
}
