package principal

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// workers bound how many principals of an account are worked on at once. The
// limiter of the account bounds the calls; more workers would only queue there.
var workers = queue.Limits{Account: 5, Tenant: 3}

// SetupWithManager registers the two controllers, which share this Reconciler:
// one for deletions and narrowings, and one for everything else.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Triggers) error {
	grants := lane{Reconciler: r, wake: wake, items: principals()}
	if err := r.register(mgr, "principal", grants, r.noting(events(grantsOf, reconcile.PriorityGrant, grants.items)), &wake.Grants); err != nil {
		return err
	}
	revocations := lane{Reconciler: r, wake: wake, items: principals(), revokes: true}
	return r.register(mgr, "principal-revocation", revocations, events(revocationsOf, reconcile.PriorityRevocation, revocations.items), &wake.Revocations)
}

// principals is the queue of a lane. The author of an access is its tenant.
func principals() *queue.Queue[grants.PrincipalKey] {
	return queue.New(queue.Options[grants.PrincipalKey]{Limits: workers, Account: func(key grants.PrincipalKey) string { return key.AccountID }})
}

func (r *Reconciler) register(mgr ctrl.Manager, name string, l lane, on handler.TypedEventHandler[client.Object, grants.PrincipalKey], wake *reconcile.Trigger[grants.PrincipalKey]) error {
	b := builder.TypedControllerManagedBy[grants.PrincipalKey](mgr).
		Named(name).
		WithOptions(l.items.Options()).
		Watches(&v1alpha1.SessionAccess{}, on).
		WatchesRawSource(wake)
	if l.revokes {
		b = b.Watches(&v1alpha1.AWSAccount{}, pendingChanged())
	}
	return b.Complete(l.items.Serving(l))
}

// selector picks the principals that a change of an object concerns in a lane.
// before is nil for a new object, after for one that is gone.
type selector func(before, after *v1alpha1.SessionAccess) []grants.PrincipalKey

// revocationsOf picks the principals that may lose something.
func revocationsOf(before, after *v1alpha1.SessionAccess) []grants.PrincipalKey {
	switch {
	case after == nil:
		return nil
	case !after.DeletionTimestamp.IsZero():
		if before != nil && !before.DeletionTimestamp.IsZero() && sameRecord(before, after) {
			return nil
		}
		return grants.PrincipalKeysOf(after.Status.Applied)
	case after.Status.Applied == nil || len(after.Status.Applied.Revoking) == 0:
		return nil
	case before != nil && sameRecord(before, after):
		return nil
	default:
		return grants.PrincipalKeysOf(after.Status.Applied)
	}
}

// grantsOf picks the principals of every other change of a record, and of an
// object that is gone, whose outcome can be forgotten.
func grantsOf(before, after *v1alpha1.SessionAccess) []grants.PrincipalKey {
	switch {
	case after == nil:
		return grants.PrincipalKeysOf(before.Status.Applied)
	case before == nil:
		return grants.PrincipalKeysOf(after.Status.Applied)
	case sameRecord(before, after) || len(revocationsOf(before, after)) > 0:
		return nil
	default:
		return append(grants.PrincipalKeysOf(before.Status.Applied), grants.PrincipalKeysOf(after.Status.Applied)...)
	}
}

// pendingChanged enqueues the principals of pending revocations that an account gets or
// completes.
func pendingChanged() handler.TypedEventHandler[client.Object, grants.PrincipalKey] {
	return handler.TypedFuncs[client.Object, grants.PrincipalKey]{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[grants.PrincipalKey]) {
			before, after := grants.PendingPrincipals(e.ObjectOld.(*v1alpha1.AWSAccount)), grants.PendingPrincipals(e.ObjectNew.(*v1alpha1.AWSAccount))
			if !slices.Equal(before, after) {
				reconcile.Enqueue(q, reconcile.PriorityRevocation, append(before, after...)...)
			}
		},
	}
}

// noting remembers when each record was seen, before its principals are enqueued.
func (r *Reconciler) noting(next handler.TypedEventHandler[client.Object, grants.PrincipalKey]) handler.TypedEventHandler[client.Object, grants.PrincipalKey] {
	type items = workqueue.TypedRateLimitingInterface[grants.PrincipalKey]
	return handler.TypedFuncs[client.Object, grants.PrincipalKey]{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q items) {
			now := r.Clock.Now()
			if e.IsInInitialList {
				now = time.Time{} // Before this process, and so before all that it reads.
			}
			r.declared.note(e.Object.(*v1alpha1.SessionAccess), now)
			next.Create(ctx, e, q)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q items) {
			r.declared.note(e.ObjectNew.(*v1alpha1.SessionAccess), r.Clock.Now())
			next.Update(ctx, e, q)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q items) {
			r.declared.forget(e.Object.GetUID())
			next.Delete(ctx, e, q)
		},
	}
}

func sameRecord(before, after *v1alpha1.SessionAccess) bool {
	return equality.Semantic.DeepEqual(before.Status.Applied, after.Status.Applied)
}

// events enqueues what a selector picks, for the namespace of the object. What is
// news comes at the priority of the lane: a revocation ahead of those that were
// tried before. The queue that controller-runtime hands to a handler is wrapped and
// knows no tenants, so that of the lane is used.
func events(pick selector, news int, items *queue.Queue[grants.PrincipalKey]) handler.TypedEventHandler[client.Object, grants.PrincipalKey] {
	type wrapped = workqueue.TypedRateLimitingInterface[grants.PrincipalKey]
	access := func(obj client.Object) *v1alpha1.SessionAccess { return obj.(*v1alpha1.SessionAccess) }
	add := func(obj client.Object, priority int, keys []grants.PrincipalKey) {
		items.AddFor(obj.GetNamespace(), priorityqueue.AddOpts{Priority: &priority}, keys...)
	}
	return handler.TypedFuncs[client.Object, grants.PrincipalKey]{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ wrapped) {
			priority := news
			if e.IsInInitialList {
				priority = reconcile.PriorityResync
			}
			add(e.Object, priority, pick(nil, access(e.Object)))
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ wrapped) {
			add(e.ObjectNew, news, pick(access(e.ObjectOld), access(e.ObjectNew)))
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ wrapped) {
			add(e.Object, reconcile.PriorityResync, pick(access(e.Object), nil))
		},
	}
}
