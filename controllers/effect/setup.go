package effect

import (
	"context"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// Trigger wakes the controller from outside.
type Trigger struct {
	queue.Trigger[grants.PrincipalKey]
}

// WakeAccount wakes the principals of an account that was read again: some are due. It is
// an accounts.Listener.
func (t *Trigger) WakeAccount(c client.Reader) func(ctx context.Context, accountID, name string, resync bool) {
	return func(ctx context.Context, accountID, _ string, _ bool) {
		var accesses v1alpha1.SessionAccessList
		if err := c.List(ctx, &accesses, queue.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
			// A list from the cache fails only while the manager stops.
			log.FromContext(ctx).Error(err, "Listing the SessionAccesses of an account")
			return
		}
		for i := range accesses.Items {
			t.Add(queue.PriorityResync, keysOf(&accesses.Items[i])...)
		}
	}
}

// SetupWithManager registers the controller. Each account has one worker: simulations are
// to use what the account has to spare.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Trigger) error {
	r.schedule = newSchedule()
	items := queue.New(queue.Options[grants.PrincipalKey]{
		Limits:  queue.Limits{Account: 1, Tenant: 1},
		Account: func(key grants.PrincipalKey) string { return key.AccountID },
	})
	return builder.TypedControllerManagedBy[grants.PrincipalKey](mgr).
		Named("effect").
		WithOptions(items.Options()).
		Watches(&v1alpha1.SessionAccess{}, r.changes(wake)).
		WatchesRawSource(&wake.Trigger).
		Complete(items.Serving(r))
}

// changes wakes the principals whose grants change, or come into place.
func (r *Reconciler) changes(wake *Trigger) handler.TypedEventHandler[client.Object, grants.PrincipalKey] {
	type items = workqueue.TypedRateLimitingInterface[grants.PrincipalKey]
	return handler.TypedFuncs[client.Object, grants.PrincipalKey]{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ items) {
			if e.IsInInitialList {
				r.schedule.found(keysOf(e.Object.(*v1alpha1.SessionAccess))...)
			}
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ items) {
			before, after := e.ObjectOld.(*v1alpha1.SessionAccess), e.ObjectNew.(*v1alpha1.SessionAccess)
			if !equality.Semantic.DeepEqual(before.Status.Principals, after.Status.Principals) || serialOf(before) != serialOf(after) {
				wake.Add(queue.PriorityResync, append(keysOf(before), keysOf(after)...)...)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ items) {
			wake.Add(queue.PriorityResync, keysOf(e.Object.(*v1alpha1.SessionAccess))...)
		},
	}
}

func keysOf(access *v1alpha1.SessionAccess) []grants.PrincipalKey {
	return grants.PrincipalKeysOf(access.Status.Applied)
}

func serialOf(access *v1alpha1.SessionAccess) int64 {
	if access.Status.Applied == nil {
		return 0
	}
	return access.Status.Applied.Serial
}
