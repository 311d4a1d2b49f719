package reconcile

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// Departed holds the objects of a kind that were removed with the operator's finalizer on
// them. The API server checks for finalizers before it deletes, and not in the same step:
// an object that is deleted in the moment in which it gets its first one is gone at once.
// The operator cleans up in AWS all the same, by the object's last state. A restart loses
// that state.
type Departed[T client.Object] struct {
	mu      sync.Mutex
	objects map[client.ObjectKey]T
}

// departedRetry is how soon a waiting clean-up is tried again: the object is gone, so no
// event triggers it.
const departedRetry = time.Minute

// Events records objects that were removed this way, and enqueues them.
func (d *Departed[T]) Events() handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		// An object with a deletion timestamp was released by the operator.
		if !e.Object.GetDeletionTimestamp().IsZero() || !controllerutil.ContainsFinalizer(e.Object, v1alpha1.Finalizer) {
			return
		}
		object := e.Object.DeepCopyObject().(T)
		object.SetDeletionTimestamp(&metav1.Time{Time: time.Now()})
		d.put(object)
		queue.Enqueue(q, queue.PriorityRevocation, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	}}
}

func (d *Departed[T]) put(object T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.objects == nil {
		d.objects = map[client.ObjectKey]T{}
	}
	d.objects[client.ObjectKeyFromObject(object)] = object
}

func (d *Departed[T]) get(key client.ObjectKey) (object T, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	object, ok = d.objects[key]
	return object, ok
}

func (d *Departed[T]) forget(object T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	if known, ok := d.objects[key]; ok && known.GetUID() == object.GetUID() {
		delete(d.objects, key)
	}
}

// CleanUp cleans up after an object that was removed under this key, if one was, with the
// reconcile of a deletion. done reports whether nothing is left to do, so that another
// object of the name may be reconciled. CleanUp writes nothing to the object itself.
func (d *Departed[T]) CleanUp(ctx context.Context, key client.ObjectKey, deletion func(context.Context, T) (ctrl.Result, error)) (done bool, result ctrl.Result, err error) {
	object, ok := d.get(key)
	if !ok {
		return true, ctrl.Result{}, nil
	}
	log.FromContext(ctx).Info("Cleaning up after an object that the API server let go before it was cleaned up")
	released := false
	ctx = context.WithValue(ctx, departedKey{}, func() { released = true })
	result, err = deletion(ctx, object.DeepCopyObject().(T))
	if released {
		d.forget(object)
		return true, ctrl.Result{}, nil
	}
	if err == nil && result.RequeueAfter == 0 {
		result.RequeueAfter = departedRetry
	}
	return false, result, err
}

type departedKey struct{}

// departed returns the function to call when the reconciler releases an object that is
// gone already; nil while the object exists.
func departed(ctx context.Context) (release func()) {
	release, _ = ctx.Value(departedKey{}).(func())
	return release
}
