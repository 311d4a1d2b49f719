package reconcile

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// removed holds the objects of a kind that are gone although the operator did not release
// them. The frame cleans up in AWS all the same, by the object's last state. A restart loses
// that state. The zero value is empty.
//
// Some had the operator's finalizer: the finalizer race. The API server checks for finalizers
// before it deletes, and not in the same step, so an object that is deleted in the moment in
// which it gets its first finalizer is gone at once. Others lost the finalizer by another
// client's hand, and left something behind.
type removed[T Object] struct {
	mu      sync.Mutex
	objects map[client.ObjectKey]T
	// released are the objects that the operator released and that are not gone yet.
	released map[types.UID]bool
}

// removedRetry is how soon the cleanup of an object that is gone is tried again: no event
// triggers it.
const removedRetry = time.Minute

// Removals keeps the objects that are gone although the operator did not release them, and
// enqueues them. The controller of every kind that has something to clean up watches its kind
// with it.
func (f *Frame[T]) Removals() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[ctrl.Request]) {
		object := copyOf(e.Object.(T))
		isRaced := object.GetDeletionTimestamp().IsZero() && controllerutil.ContainsFinalizer(object, v1alpha1.Finalizer)
		if f.removed.wasReleased(object.GetUID()) || !isRaced && !queue.IsLeftBehind(object) {
			return
		}
		object.SetDeletionTimestamp(&metav1.Time{Time: time.Now()})
		f.removed.put(object)
		queue.Enqueue(q, queue.PriorityRevocation, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	}}
}

func (r *removed[T]) put(object T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.objects == nil {
		r.objects = map[client.ObjectKey]T{}
	}
	r.objects[client.ObjectKeyFromObject(object)] = object
}

// release notes that the operator releases an object, or that it could not.
func (r *removed[T]) release(uid types.UID, is bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.released == nil {
		r.released = map[types.UID]bool{}
	}
	if is {
		r.released[uid] = true
	} else {
		delete(r.released, uid)
	}
}

// wasReleased reports whether the operator released an object that is gone now, and forgets
// that.
func (r *removed[T]) wasReleased(uid types.UID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.released[uid]
	delete(r.released, uid)
	return was
}

// get returns a copy.
func (r *removed[T]) get(key client.ObjectKey) (object T, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if object, ok = r.objects[key]; ok {
		object = copyOf(object)
	}
	return object, ok
}

func (r *removed[T]) forget(object T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	if known, ok := r.objects[key]; ok && known.GetUID() == object.GetUID() {
		delete(r.objects, key)
	}
}
