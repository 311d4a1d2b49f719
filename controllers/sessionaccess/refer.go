package sessionaccess

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// referenceEvents enqueues the objects that name an object of a kind whenever that object
// changes. Its deletion revokes what was granted on it.
func (r *Reconciler) referenceEvents(kind string) handler.EventHandler {
	type workQueue = workqueue.TypedRateLimitingInterface[ctrl.Request]
	enqueue := func(ctx context.Context, obj client.Object, priority int, q workQueue) {
		if !obj.GetDeletionTimestamp().IsZero() {
			priority = reconcile.PriorityRevocation
		}
		reconcile.Enqueue(q, priority, list(ctx, r.Client, queue.OfReference(kind, obj)...)...)
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workQueue) {
			enqueue(ctx, e.Object, reconcile.PriorityGrant, q)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workQueue) {
			enqueue(ctx, e.ObjectNew, reconcile.PriorityGrant, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workQueue) {
			enqueue(ctx, e.Object, reconcile.PriorityRevocation, q)
		},
	}
}
