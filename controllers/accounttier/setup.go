package accounttier

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// workers bound how many AccountTiers of an account are worked on at once: one
// alone counts.
var workers = queue.Limits{Account: 2, Tenant: 2}

// Trigger wakes the controller from outside.
type Trigger = queue.Trigger[ctrl.Request]

// SetupWithManager registers the controller. wake is how accounts enqueue
// objects.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Trigger) error {
	// A change of any annotation triggers a reconcile.
	news := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	frame := reconcile.NewFrame(r.Options, r)
	items := queue.ForObjects(mgr.GetClient(), func() *v1alpha1.AccountTier { return &v1alpha1.AccountTier{} }, workers)
	return ctrl.NewControllerManagedBy(mgr).
		Named("accounttier").
		WithOptions(items.Options()).
		For(&v1alpha1.AccountTier{}, news).
		Watches(&v1alpha1.AccountTier{}, frame.Removals()).
		Watches(&v1alpha1.AccountTier{}, handler.EnqueueRequestsFromMapFunc(r.rivals)).
		Watches(&v1alpha1.AWSAccount{}, handler.EnqueueRequestsFromMapFunc(queue.NamingAccount(r.Client, &v1alpha1.AccountTierList{})), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&v1alpha1.SessionAccess{}, handler.EnqueueRequestsFromMapFunc(r.waiting), builder.WithPredicates(onHybridNodes())).
		WatchesRawSource(wake).
		Complete(items.Serving(frame))
}

// rivals lists the other AccountTiers of the same account.
func (r *Reconciler) rivals(ctx context.Context, obj client.Object) []ctrl.Request {
	return r.list(ctx, obj.(*v1alpha1.AccountTier).AccountName(), func(tier *v1alpha1.AccountTier) bool { return tier.Name != obj.GetName() })
}

// waiting lists the AccountTiers that wait for SessionAccesses to go.
func (r *Reconciler) waiting(ctx context.Context, access client.Object) []ctrl.Request {
	return r.list(ctx, access.(*v1alpha1.SessionAccess).AccountName(), func(tier *v1alpha1.AccountTier) bool {
		ready := meta.FindStatusCondition(tier.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == v1alpha1.ReasonTierNeeded
	})
}

func (r *Reconciler) list(ctx context.Context, account string, pick func(*v1alpha1.AccountTier) bool) []ctrl.Request {
	return queue.Requests(ctx, r.Client, &v1alpha1.AccountTierList{}, pick, queue.OfAccountName(account))
}
