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
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// SetupWithManager registers the controller, which serves a queue.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, items Queue) error {
	return builder.TypedControllerManagedBy[grants.PrincipalKey](mgr).
		Named("principal").
		WithOptions(items.Options()).
		Watches(&v1alpha1.SessionAccess{}, r.noting(events(items))).
		Watches(&v1alpha1.AWSAccount{}, pendingChanged()).
		Complete(items.Serving(serving{r, items}))
}

// revocationsOf picks the principals that may lose something by a change of an object.
// before is nil for a new object, after for one that is gone.
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
				queue.Enqueue(q, queue.PriorityRevocation, append(before, after...)...)
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

// events adds the principals that a change of an object concerns, for its namespace: those
// that lose something ahead of revocations that were tried before. The queue that
// controller-runtime hands to a handler is wrapped and knows no tenants, so items is used.
func events(items Queue) handler.TypedEventHandler[client.Object, grants.PrincipalKey] {
	type wrapped = workqueue.TypedRateLimitingInterface[grants.PrincipalKey]
	add := func(before, after *v1alpha1.SessionAccess) {
		items.add(after.Namespace, queue.PriorityRevocation, revocationsOf(before, after)...)
		items.add(after.Namespace, queue.PriorityGrant, grantsOf(before, after)...)
	}
	return handler.TypedFuncs[client.Object, grants.PrincipalKey]{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ wrapped) {
			access := e.Object.(*v1alpha1.SessionAccess)
			if e.IsInInitialList { // WakeAccount adds it again once the account is verified.
				items.add(access.Namespace, queue.PriorityResync, grants.PrincipalKeysOf(access.Status.Applied)...)
				return
			}
			add(nil, access)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ wrapped) {
			add(e.ObjectOld.(*v1alpha1.SessionAccess), e.ObjectNew.(*v1alpha1.SessionAccess))
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ wrapped) {
			access := e.Object.(*v1alpha1.SessionAccess)
			items.add(access.Namespace, queue.PriorityResync, grantsOf(access, nil)...)
		},
	}
}

// Queue holds the principals that wait for a reconcile. The author of an access is its
// tenant.
type Queue struct {
	*queue.Queue[grants.PrincipalKey]
}

// workers bound how many principals of an account are worked on at once. The
// limiter of the account bounds the calls; more workers would only queue there.
var workers = queue.Limits{Account: 5, Tenant: 3}

// NewQueue returns an empty queue, to which principals can be added before a controller
// serves it.
func NewQueue() Queue {
	return Queue{queue.New(queue.Options[grants.PrincipalKey]{Limits: workers, Account: func(key grants.PrincipalKey) string { return key.AccountID }})}
}

// add adds principals for a tenant, or for those for which they are worked on.
func (q Queue) add(tenant string, priority int, keys ...grants.PrincipalKey) {
	q.AddFor(tenant, priorityqueue.AddOpts{Priority: &priority}, keys...)
}

// WakeAccount adds every principal of an account: when it was verified, and at
// every resync, for what the IAM cache found. It is an accounts.Listener.
func (q Queue) WakeAccount(c client.Reader) func(ctx context.Context, accountID, name string, resync bool) {
	return func(ctx context.Context, accountID, _ string, resync bool) {
		var accesses v1alpha1.SessionAccessList
		if err := c.List(ctx, &accesses, queue.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
			// A list from the cache fails only while the manager stops.
			log.FromContext(ctx).Error(err, "Listing the SessionAccesses of an account")
			q.Expect(accountID)
			return
		}
		pending, err := grants.PendingInAccount(ctx, c, accountID)
		if err != nil {
			log.FromContext(ctx).Error(err, "Listing the pending revocations of an account")
		}
		q.addAll(accountID, append(pending, grants.RecordsOf(accesses.Items)...), resync)
	}
}

// addAll adds the principals of records, revocations first. The grants wait until each
// revocation was tried, unless this is but a resync. The namespaces take turns, and so does
// the account with its pending revocations.
func (q Queue) addAll(accountID string, records []grants.Record, resync bool) {
	ends, gives := queue.PriorityRevocation, queue.PriorityGrant
	if resync {
		ends, gives = queue.PriorityRetriedRevocation, queue.PriorityResync
	} else {
		q.Expect(accountID, revoking(records)...) // This process has tried none.
	}
	for i := range records {
		priority := gives
		switch {
		case records[i].Released: // Its policies are only checked.
			priority = queue.PriorityResync
		case records[i].IsRevoking():
			priority = ends
		}
		q.add(records[i].Object.GetNamespace(), priority, records[i].Keys()...)
	}
}

// revoking are the principals that lose something.
func revoking(records []grants.Record) []grants.PrincipalKey {
	var keys []grants.PrincipalKey
	for i := range records {
		if records[i].IsRevoking() {
			keys = append(keys, records[i].Keys()...)
		}
	}
	return keys
}
