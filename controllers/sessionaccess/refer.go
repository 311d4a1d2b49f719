package sessionaccess

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
)

// referenceEvents enqueues the objects that name an object of a kind whenever
// something happens to it. One that goes takes what was granted on it along.
func (r *Reconciler) referenceEvents(kind string) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	enqueue := func(ctx context.Context, obj client.Object, priority int, q queue) {
		if !obj.GetDeletionTimestamp().IsZero() {
			priority = lifecycle.PriorityRevocation
		}
		lifecycle.Enqueue(q, priority, list(ctx, r.Client, index.OfReference(kind, obj)...)...)
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			enqueue(ctx, e.Object, lifecycle.PriorityGrant, q)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			enqueue(ctx, e.ObjectNew, lifecycle.PriorityGrant, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			enqueue(ctx, e.Object, lifecycle.PriorityRevocation, q)
		},
	}
}
