package sessionaccess

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
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
		Watches(&v1alpha1.SessionAccess{}, queue.OwnEvents()).
		Watches(&v1alpha1.AWSAccount{}, handler.EnqueueRequestsFromMapFunc(queue.NamingAccount(r.Client, &v1alpha1.SessionAccessList{})), builder.WithPredicates(queue.AccountNews())).
		Watches(&v1alpha1.SessionDocument{}, r.referenceEvents(queue.KindSessionDocument)).
		Watches(&v1alpha1.HybridActivation{}, r.referenceEvents(queue.KindHybridActivation)).
		Watches(&v1alpha1.AccountTier{}, handler.EnqueueRequestsFromMapFunc(r.accessesOfTier)).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(queue.InNamespace(r.Client, &v1alpha1.SessionAccessList{}))).
		WatchesRawSource(&wake.Trigger).
		Complete(items.Serving(reconcile.NewFrame(r.Options, r)))
}

// accessesOfTier lists the objects for which the tier of an account matters.
func (r *Reconciler) accessesOfTier(ctx context.Context, tier client.Object) []ctrl.Request {
	return listOf(ctx, r.Client, targetsHybridNodes, queue.OfAccountName(tier.(*v1alpha1.AccountTier).AccountName()))
}

// list lists SessionAccesses for an event that concerns them.
func list(ctx context.Context, c client.Reader, opts ...client.ListOption) []ctrl.Request {
	return listOf(ctx, c, nil, opts...)
}

// listOf lists those of the objects that pick picks.
func listOf(ctx context.Context, c client.Reader, pick func(*v1alpha1.SessionAccess) bool, opts ...client.ListOption) []ctrl.Request {
	return queue.Requests(ctx, c, &v1alpha1.SessionAccessList{}, pick, opts...)
}

// Trigger wakes the controller from outside.
type Trigger struct {
	queue.Trigger[ctrl.Request]
	// pending wakes AWSAccounts for their pending revocations.
	pending queue.Trigger[ctrl.Request]
	// revoking reports whether an object waits for the end of an access.
	revoking func(types.NamespacedName) bool
}

// WakeHolders wakes the objects with records that an outcome changes something for.
func (t *Trigger) WakeHolders(holders ...grants.Holder) {
	var accesses []types.NamespacedName
	var accounts []ctrl.Request
	for _, holder := range holders {
		if holder.Kind == grants.KindAWSAccount {
			accounts = append(accounts, ctrl.Request{NamespacedName: holder.NamespacedName})
			continue
		}
		accesses = append(accesses, holder.NamespacedName)
	}
	t.WakeAccesses(accesses...)
	t.pending.Add(queue.PriorityRevocation, accounts...)
}

// WakeAccesses wakes SessionAccesses, those first that end access.
func (t *Trigger) WakeAccesses(accesses ...types.NamespacedName) {
	var requests, ends []ctrl.Request
	for _, name := range accesses {
		request := ctrl.Request{NamespacedName: name}
		if t.revoking != nil && t.revoking(name) { // Its sessions end next.
			ends = append(ends, request)
			continue
		}
		requests = append(requests, request)
	}
	t.Add(queue.PriorityRevocation, ends...)
	t.Add(queue.PriorityGrant, requests...)
}

// WakeAccount wakes the objects of an account that was verified, lost or declared again:
// those with access in it, and those that name it and wait for it. The findings of a mere
// resync arrive through the principals, except those on documents and hybrid nodes.
func (t *Trigger) WakeAccount(c client.Reader) func(ctx context.Context, accountID, name string, resync bool) {
	return func(ctx context.Context, accountID, name string, resync bool) {
		t.pending.Add(queue.PriorityRevocation, ctrl.Request{NamespacedName: types.NamespacedName{Name: name}})
		if resync {
			t.Add(queue.PriorityResync, listOf(ctx, c, findable, queue.OfAccountID(accountID))...)
			return
		}
		t.Add(queue.PriorityGrant, list(ctx, c, queue.OfAccountID(accountID))...)
		t.Add(queue.PriorityGrant, list(ctx, c, queue.OfAccountName(name))...)
	}
}

// revoking reports whether an object waits for the end of an access.
func (r *Reconciler) revoking(name types.NamespacedName) bool {
	// The cache answers at once.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	access := &v1alpha1.SessionAccess{}
	if err := r.Client.Get(ctx, name, access, client.UnsafeDisableDeepCopy); err != nil {
		return false // It is gone.
	}
	return ending(access)
}

// ending reports whether an object has access that is to end.
func ending(access *v1alpha1.SessionAccess) bool {
	return !access.DeletionTimestamp.IsZero() || (access.Status.Applied != nil && len(access.Status.Applied.Revoking) > 0)
}

// referenceEvents enqueues the objects that name an object of a kind whenever that object
// changes. Its deletion revokes what was granted on it.
func (r *Reconciler) referenceEvents(kind string) handler.EventHandler {
	type workQueue = workqueue.TypedRateLimitingInterface[ctrl.Request]
	enqueue := func(ctx context.Context, obj client.Object, priority int, q workQueue) {
		if !obj.GetDeletionTimestamp().IsZero() {
			priority = queue.PriorityRevocation
		}
		queue.Enqueue(q, priority, list(ctx, r.Client, queue.OfReference(kind, obj)...)...)
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workQueue) {
			enqueue(ctx, e.Object, queue.PriorityGrant, q)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workQueue) {
			enqueue(ctx, e.ObjectNew, queue.PriorityGrant, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workQueue) {
			enqueue(ctx, e.Object, queue.PriorityRevocation, q)
		},
	}
}
