package sessionaccess

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// pendingReconciler completes the pending revocations of AWSAccounts. Package principal
// revokes the permissions that the status of the account lists, as it does for objects that
// are being deleted.
type pendingReconciler struct{ *Reconciler }

func (r pendingReconciler) setup(mgr ctrl.Manager, wake *Trigger) error {
	items := queue.ForAccounts()
	return ctrl.NewControllerManagedBy(mgr).
		Named("owed").
		WithOptions(items.Options()).
		For(&v1alpha1.AWSAccount{}, builder.WithPredicates(pendingChanged())).
		WatchesRawSource(&wake.pending).
		Complete(items.Serving(r))
}

func pendingChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.AWSAccount), e.ObjectNew.(*v1alpha1.AWSAccount)
		return !equality.Semantic.DeepEqual(before.Status.Owed, after.Status.Owed)
	}}
}

// Reconcile takes every pending revocation of one AWSAccount a step further, and removes
// the completed ones from its status.
func (r pendingReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	account := &v1alpha1.AWSAccount{}
	if err := r.Client.Get(ctx, req.NamespacedName, account); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if _, ok := r.Accounts.Get(account.Spec.AccountID); !ok || len(account.Status.Owed) == 0 {
		return ctrl.Result{}, nil
	}
	before := account.DeepCopy()
	after, settled, unrecorded, err := r.advance(ctx, account)
	if _, failure := reconcile.WriteStatus(ctx, r.Client, before, account); failure != nil {
		if reconcile.Rejected(failure) {
			after = endUnrecorded(ctx, unrecorded, after)
		}
		return reconcile.Finish(ctx, r.Client, r.Recorder, account, reconcile.PriorityRevocation, after, failure)
	}
	for _, v := range settled {
		reconcile.Announce(r.Recorder, account, v)
	}
	return reconcile.Requeue(reconcile.PriorityRevocation, after, err)
}

// advance keeps the pending revocations in the account. It returns a verdict on each that
// is complete, and the sessions that end once the account is stored.
func (r pendingReconciler) advance(ctx context.Context, account *v1alpha1.AWSAccount) (after time.Duration, settled []reconcile.Verdict, unrecorded []openSession, err error) {
	var left []v1alpha1.OwedAccess
	unread := unread{}
	pending := grants.PendingRevocations(account)
	for i := range pending {
		rev, item := &pending[i], account.Status.Owed[i]
		p, failure := r.Reconciler.advance(ctx, rev, unread)
		err = errors.Join(err, failure)
		item.Revocation = rev.Status
		unrecorded = append(unrecorded, p.unrecorded...)
		if failure == nil && p.done {
			r.Metrics.RevocationDone(rev.UID, item.Grants[0].AccountID, r.Clock.Now())
			v := revoked(item.Revocation)
			v.Message = fmt.Sprintf("What SessionAccess %s had left: %s", rev.Origin, v.Message)
			v.Reason = v1alpha1.ReasonOwedSettled
			settled = append(settled, v)
			continue
		}
		after = soonest(after, p.after)
		left = append(left, item)
	}
	account.Status.Owed = left
	return after, settled, unrecorded, err
}

// takenOver reports whether a principal of a pending revocation keeps its permission
// for now because another SessionAccess may grant it. The sessions of the others do
// not wait for that.
func (r *Reconciler) takenOver(ctx context.Context, left []grants.PrincipalKey) (bool, error) {
	for _, key := range left {
		account, ok := r.Accounts.Get(key.AccountID)
		if !ok {
			continue
		}
		if waits, err := accounts.TakesOver(ctx, r.Client, account, key, r.Clock.Now()); waits || err != nil {
			return waits, err
		}
	}
	return false, nil
}
