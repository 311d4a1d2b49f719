package awsaccount

import (
	"context"

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

// requests is the queue of the controller.
type requests = workqueue.TypedRateLimitingInterface[ctrl.Request]

// SetupWithManager registers the controller, which wake wakes from outside.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Trigger) error {
	spec := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}, predicate.LabelChangedPredicate{}, revoked()))
	// Each account has a worker, so that none waits for one that does not answer. The
	// memory of the bulk reads is bounded where they are decoded.
	items := queue.ForAccounts()
	b := ctrl.NewControllerManagedBy(mgr).
		Named("awsaccount").
		WithOptions(items.Options()).
		For(&v1alpha1.AWSAccount{}, spec).
		// An AWSAccount that is deleted may have kept another from being used.
		Watches(&v1alpha1.AWSAccount{}, handler.EnqueueRequestsFromMapFunc(r.rivals), spec).
		Watches(&v1alpha1.AWSAccount{}, r.declarations()).
		WatchesRawSource(&wake.Trigger)
	for _, user := range v1alpha1.AccountUsers() {
		b = b.Watches(user, handler.Funcs{
			DeleteFunc: func(ctx context.Context, _ event.DeleteEvent, q requests) { r.released(ctx, q) },
			UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q requests) {
				if queue.NeedsAccount(e.ObjectOld.(v1alpha1.AccountUser)) && !queue.NeedsAccount(e.ObjectNew.(v1alpha1.AccountUser)) {
					r.released(ctx, q)
				}
			},
		})
	}
	return b.Complete(items.Serving(reconcile.NewFrame(r.Options, r)))
}

// declarations passes what AWSAccounts declare to the registry, ahead of the queue.
func (r *Reconciler) declarations() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ requests) {
			r.Accounts.Declare(e.Object.(*v1alpha1.AWSAccount))
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ requests) {
			r.Accounts.Declare(e.ObjectNew.(*v1alpha1.AWSAccount))
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ requests) { r.Accounts.Undeclare(e.Object.GetName()) },
	}
}

// revoked selects the updates that complete the last pending revocation of an AWSAccount.
func revoked() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return false },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return len(e.ObjectOld.(*v1alpha1.AWSAccount).Status.PendingRevocations) > 0 && len(e.ObjectNew.(*v1alpha1.AWSAccount).Status.PendingRevocations) == 0
		},
	}
}

// released wakes the accounts that are being deleted when an object needs no account any
// more that may have blocked them.
func (r *Reconciler) released(ctx context.Context, q requests) {
	var all v1alpha1.AWSAccountList
	if err := r.Client.List(ctx, &all); err != nil {
		// A list from the cache fails only while the manager stops.
		ctrl.LoggerFrom(ctx).Error(err, "Listing the AWSAccounts")
		return
	}
	for i := range all.Items {
		if !all.Items[i].DeletionTimestamp.IsZero() {
			queue.Enqueue(q, queue.PriorityGrant, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
}

// rivals lists the other AWSAccounts of the same account id.
func (r *Reconciler) rivals(ctx context.Context, obj client.Object) []ctrl.Request {
	return queue.Requests(ctx, r.Client, &v1alpha1.AWSAccountList{}, func(other *v1alpha1.AWSAccount) bool {
		return other.Name != obj.GetName() && other.Spec.AccountID == obj.(*v1alpha1.AWSAccount).Spec.AccountID
	})
}
