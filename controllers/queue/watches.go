package queue

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// OwnEvents enqueues an object for what people change in it, deletions first. A change
// of any annotation triggers a reconcile. The operator's own status writes trigger none;
// a status from a backup does.
func OwnEvents() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	request := func(obj client.Object) reconcile.Request {
		return reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)}
	}
	priority := func(obj client.Object, initial bool) int {
		switch {
		case !obj.GetDeletionTimestamp().IsZero():
			return PriorityRevocation
		case initial:
			return PriorityResync
		case obj.GetGeneration() > 1:
			// It may be a narrowing; the reconcile is short.
			return PriorityRevocation
		default:
			return PriorityGrant
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
			Enqueue(q, priority(e.Object, e.IsInInitialList), request(e.Object))
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			if e.ObjectOld.GetGeneration() == e.ObjectNew.GetGeneration() &&
				e.ObjectOld.GetDeletionTimestamp().Equal(e.ObjectNew.GetDeletionTimestamp()) &&
				maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) &&
				!v1alpha1.IsStatusRestored(e.ObjectOld, e.ObjectNew) {
				return
			}
			Enqueue(q, priority(e.ObjectNew, false), request(e.ObjectNew))
		},
	}
}

// AccountNews selects the changes of an account that can change a decision: its spec,
// whether it is ready, and since when it is unreachable.
func AccountNews() predicate.Predicate {
	ready := func(obj client.Object) bool {
		return meta.IsStatusConditionTrue(obj.(*v1alpha1.AWSAccount).Status.Conditions, v1alpha1.ConditionReady)
	}
	unreachable := func(obj client.Object) *metav1.Time { return obj.(*v1alpha1.AWSAccount).Status.UnreachableSince }
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || ready(e.ObjectOld) != ready(e.ObjectNew) ||
			!unreachable(e.ObjectOld).Equal(unreachable(e.ObjectNew))
	}}
}
