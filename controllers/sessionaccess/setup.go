package sessionaccess

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// workers bound how many SessionAccesses of an account are worked on at once. Most
// of them talk to the API server only, but sessions are listed and ended here.
var workers = queue.Limits{Account: 6, Tenant: 4}

// SetupWithManager registers the controller. wake is how outcomes and accounts
// enqueue objects.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Trigger) error {
	if err := (pendingReconciler{r}).setup(mgr, wake); err != nil {
		return err
	}
	wake.revoking = r.revoking
	items := queue.ForObjects(mgr.GetClient(), func() *v1alpha1.SessionAccess { return &v1alpha1.SessionAccess{} }, workers)
	return ctrl.NewControllerManagedBy(mgr).
		Named("sessionaccess").
		WithOptions(items.Options()).
		Watches(&v1alpha1.SessionAccess{}, reconcile.OwnEvents()).
		Watches(&v1alpha1.AWSAccount{}, handler.EnqueueRequestsFromMapFunc(r.accessesOfAccount), builder.WithPredicates(reconcile.AccountNews())).
		Watches(&v1alpha1.SessionDocument{}, r.referenceEvents(queue.KindSessionDocument)).
		Watches(&v1alpha1.HybridActivation{}, r.referenceEvents(queue.KindHybridActivation)).
		Watches(&v1alpha1.AccountTier{}, handler.EnqueueRequestsFromMapFunc(r.accessesOfTier)).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(r.accessesInNamespace)).
		WatchesRawSource(&wake.Trigger).
		Complete(items.Serving(r.Scope.Only(r, r.Client, &v1alpha1.SessionAccess{})))
}

// accessesOfAccount lists the objects that name an AWSAccount.
func (r *Reconciler) accessesOfAccount(ctx context.Context, account client.Object) []ctrl.Request {
	return list(ctx, r.Client, queue.OfAccountName(account.GetName()))
}

// accessesOfTier lists the objects for which the tier of an account matters.
func (r *Reconciler) accessesOfTier(ctx context.Context, tier client.Object) []ctrl.Request {
	return listOf(ctx, r.Client, targetsHybridNodes, queue.OfAccountName(tier.(*v1alpha1.AccountTier).AccountName()))
}

// accessesInNamespace lists the objects of a namespace, whose labels decide.
func (r *Reconciler) accessesInNamespace(ctx context.Context, namespace client.Object) []ctrl.Request {
	return list(ctx, r.Client, client.InNamespace(namespace.GetName()))
}

func list(ctx context.Context, c client.Reader, opts ...client.ListOption) []ctrl.Request {
	return listOf(ctx, c, func(*v1alpha1.SessionAccess) bool { return true }, opts...)
}

// listOf lists those of the objects that pick picks.
func listOf(ctx context.Context, c client.Reader, pick func(*v1alpha1.SessionAccess) bool, opts ...client.ListOption) []ctrl.Request {
	var all v1alpha1.SessionAccessList
	if err := c.List(ctx, &all, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		// A list from the cache fails only while the manager stops.
		ctrl.LoggerFrom(ctx).Error(err, "Listing the SessionAccesses that an event concerns")
		return nil
	}
	requests := make([]ctrl.Request, 0, len(all.Items))
	for i := range all.Items {
		if pick(&all.Items[i]) {
			requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}
