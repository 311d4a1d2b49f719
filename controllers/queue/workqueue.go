package queue

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
)

// The rest of workqueue.TypedRateLimitingInterface.

// Add implements workqueue.TypedInterface.
func (q *Queue[T]) Add(item T) { q.AddWithOpts(priorityqueue.AddOpts{}, item) }

// AddAfter implements workqueue.TypedDelayingInterface.
func (q *Queue[T]) AddAfter(item T, after time.Duration) {
	q.AddWithOpts(priorityqueue.AddOpts{After: after}, item)
}

// AddRateLimited implements workqueue.TypedRateLimitingInterface.
func (q *Queue[T]) AddRateLimited(item T) {
	q.AddWithOpts(priorityqueue.AddOpts{RateLimited: true}, item)
}

// Get implements workqueue.TypedInterface.
func (q *Queue[T]) Get() (item T, shutdown bool) {
	item, _, shutdown = q.GetWithPriority()
	return item, shutdown
}

// Forget implements workqueue.TypedRateLimitingInterface.
func (q *Queue[T]) Forget(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.backoff != nil {
		q.backoff.Forget(item)
	}
}

// NumRequeues implements workqueue.TypedRateLimitingInterface.
func (q *Queue[T]) NumRequeues(item T) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.backoff == nil {
		return 0
	}
	return q.backoff.NumRequeues(item)
}

// Len is how many items are ready and no worker has.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready.Len()
}

// ShuttingDown implements workqueue.TypedInterface.
func (q *Queue[T]) ShuttingDown() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// ShutDownWithDrain implements workqueue.TypedInterface. It does not drain:
// controller-runtime waits for its workers itself.
func (q *Queue[T]) ShutDownWithDrain() { q.ShutDown() }
