package sessiondocument

import (
	"context"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// workers bound how many SessionDocuments of an account are worked on at once. Most
// of the time they wait for AWS.
var workers = queue.Limits{Account: 5, Tenant: 4}

// SetupWithManager registers the controller. wake is how accounts enqueue objects.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *queue.Trigger[ctrl.Request]) error {
	frame := reconcile.NewFrame(r.Options, r)
	items := queue.ForObjects(mgr.GetClient(), func() *v1alpha1.SessionDocument { return &v1alpha1.SessionDocument{} }, workers)
	return ctrl.NewControllerManagedBy(mgr).
		Named("sessiondocument").
		WithOptions(items.Options()).
		Watches(&v1alpha1.SessionDocument{}, r.ownEvents()).
		Watches(&v1alpha1.SessionDocument{}, frame.Removals()).
		Watches(&v1alpha1.AWSAccount{}, handler.EnqueueRequestsFromMapFunc(queue.NamingAccount(r.Client, &v1alpha1.SessionDocumentList{})), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(queue.InNamespace(r.Client, &v1alpha1.SessionDocumentList{})), builder.WithPredicates(predicate.LabelChangedPredicate{})).
		WatchesRawSource(wake).
		Complete(items.Serving(frame))
}

// ownEvents enqueues an object for what people change in it, deletions first. It also
// enqueues the other objects of the same document when an object is deleted or gives up
// the document. The operator's own status writes trigger nothing; a status from a backup
// does.
func (r *Reconciler) ownEvents() handler.EventHandler {
	type adder = workqueue.TypedRateLimitingInterface[ctrl.Request]
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q adder) {
			queue.Enqueue(q, priority(e.Object, e.IsInInitialList), requestFor(e.Object))
			if !e.IsInInitialList {
				queue.Enqueue(q, queue.PriorityGrant, r.sharers(ctx, e.Object)...)
			}
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q adder) {
			if claimChanged(e) {
				queue.Enqueue(q, queue.PriorityGrant, r.sharers(ctx, e.ObjectNew)...)
			}
			if e.ObjectOld.GetGeneration() == e.ObjectNew.GetGeneration() &&
				e.ObjectOld.GetDeletionTimestamp().Equal(e.ObjectNew.GetDeletionTimestamp()) &&
				maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) &&
				!v1alpha1.IsStatusRestored(e.ObjectOld, e.ObjectNew) {
				return
			}
			queue.Enqueue(q, priority(e.ObjectNew, false), requestFor(e.ObjectNew))
			queue.Enqueue(q, queue.PriorityGrant, r.sharers(ctx, e.ObjectNew)...)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q adder) {
			r.Memory.drop(e.Object.GetUID()) // One that was never recorded goes without a reconcile.
			queue.Enqueue(q, queue.PriorityGrant, r.sharers(ctx, e.Object)...)
		},
	}
}

// claimChanged reports whether an object begins or ceases to be refused: that changes
// whether others are allowed to have its document.
func claimChanged(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1alpha1.SessionDocument)
	after, known := e.ObjectNew.(*v1alpha1.SessionDocument)
	return ok && known && refused(before) != refused(after)
}

func priority(obj client.Object, initial bool) int {
	switch {
	case !obj.GetDeletionTimestamp().IsZero():
		return queue.PriorityRevocation
	case initial:
		return queue.PriorityResync
	default:
		return queue.PriorityGrant
	}
}

func requestFor(obj client.Object) ctrl.Request {
	return ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj)}
}

// sharers are the other objects that declare the same document.
func (r *Reconciler) sharers(ctx context.Context, obj client.Object) []ctrl.Request {
	doc, ok := obj.(*v1alpha1.SessionDocument)
	if !ok {
		return nil
	}
	others, err := r.claimants(ctx, doc)
	if err != nil {
		// A list from the cache fails only while the manager stops.
		ctrl.LoggerFrom(ctx).Error(err, "Listing the SessionDocuments of the same document")
		return nil
	}
	return requestsFor(others)
}

func requestsFor(docs []v1alpha1.SessionDocument) []ctrl.Request {
	requests := make([]ctrl.Request, len(docs))
	for i := range docs {
		requests[i] = requestFor(&docs[i])
	}
	return requests
}
