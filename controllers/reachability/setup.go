package reachability

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

const (
	// settle is how long the operator waits to check the nodes of a changed access:
	// many changes arrive together.
	settle = 5 * time.Second
	// settleInCrowd is the same while so many arrive that a check had more than crowd of
	// them. Each check costs a page for 50 nodes.
	settleInCrowd = 30 * time.Second
	crowd         = 100
)

// Trigger wakes the controller from outside.
type Trigger struct{ queue.Trigger[Round] }

// WakeAccount triggers a check of an account that was verified, lost or read again.
func (t *Trigger) WakeAccount(_ context.Context, accountID, _ string, _ bool) {
	t.Add(queue.PriorityResync, Round{AccountID: accountID})
}

// SetupWithManager registers the controller. Each account has one worker, so that
// none waits for one that does not answer.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager, wake *Trigger) error {
	items := queue.New(queue.Options[Round]{
		Limits:  queue.Limits{Account: 1, Tenant: 1},
		Account: func(round Round) string { return round.AccountID },
	})
	return builder.TypedControllerManagedBy[Round](mgr).
		Named("reachability").
		WithOptions(items.Options()).
		Watches(&v1alpha1.SessionAccess{}, r.changes(wake)).
		WatchesRawSource(&wake.Trigger).
		Complete(items.Serving(r))
}

func (r *Reconciler) settle() time.Duration {
	if r.crowded.Load() {
		return settleInCrowd
	}
	return settle
}

// changes triggers a check of the nodes of a new grant, and forgets the reports on
// objects that are gone.
func (r *Reconciler) changes(wake *Trigger) handler.TypedEventHandler[client.Object, Round] {
	type items = workqueue.TypedRateLimitingInterface[Round]
	serial := func(access *v1alpha1.SessionAccess) int64 {
		if grantOf(access) == nil {
			return 0
		}
		return access.Status.Applied.Serial
	}
	look := func(access *v1alpha1.SessionAccess) {
		wake.AddAfter(queue.PriorityResync, r.settle(), Round{AccountID: grantOf(access).AccountID, New: true})
	}
	return handler.TypedFuncs[client.Object, Round]{
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ items) {
			before, after := e.ObjectOld.(*v1alpha1.SessionAccess), e.ObjectNew.(*v1alpha1.SessionAccess)
			if s := serial(after); s != 0 && s != serial(before) {
				look(after)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ items) { r.forget(e.Object.GetUID()) },
	}
}
