package sessionaccess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Cleanup lets the object go once every principal of its record is
// proven to hold nothing of it, and the open sessions that it covered have
// ended. The principals take the deletion from the object itself: nothing needs
// to be recorded first.
func (r *Reconciler) Cleanup(ctx context.Context, s *frameScope) (reconcile.Result, error) {
	access := s.Object
	r.Superseded.forget(access.UID)
	r.rejected.forget(access.UID)
	if _, err := r.judgeUngranted(ctx, access, nil); err != nil {
		return reconcile.Result{}, err
	}
	rev := grants.RevocationOf(access)
	if len(rev.Lost) == 0 {
		return released(ctx), nil
	}
	r.Metrics.RevocationSeen(access.UID, r.Clock.Now())
	p, err := r.advance(ctx, &rev, unread{})
	if err != nil {
		return reconcile.Result{}, err
	}
	access.Status.Revocation = rev.Status
	if p.done {
		// In this order no event is recorded twice, however this process ends.
		result := released(ctx)
		result.AfterPatch = r.afterRevocation(s, rev.Lost[0].AccountID)
		return result, nil
	}
	if access.IsForceDeletionRequested() {
		d, err := r.forceDelete(ctx, access, &rev)
		if err != nil {
			return reconcile.Result{}, err
		}
		if d == nil {
			return released(ctx), nil
		}
		p.result.Message += " " + d.message
		p.requeueAfter = soonest(p.requeueAfter, d.after)
	}
	result := p.result
	result.RequeueAfter = p.requeueAfter
	result.Unstored = func(ctx context.Context) time.Duration { return endUnrecorded(ctx, p.unrecorded, p.requeueAfter) }
	return result, nil
}

func released(ctx context.Context) reconcile.Result {
	log.FromContext(ctx).Info("Letting the object go: nothing of it is left in AWS, or its account has it as a pending revocation")
	return reconcile.Released()
}

// afterRevocation records that a revocation is complete.
func (r *Reconciler) afterRevocation(s *frameScope, accountID string) func() {
	return func() {
		r.announceRevoked(s.Object)
		r.Metrics.RevocationDone(s.Object.UID, accountID, r.Clock.Now())
	}
}

// advance takes a revocation a step further: first the permission of every
// principal, then the open sessions.
func (r *Reconciler) advance(ctx context.Context, rev *grants.Revocation, unread unread) (progress, error) {
	v := revocation{Reconciler: r, Revocation: rev, unread: unread}
	var left []grants.PrincipalKey
	for i := range rev.Lost {
		left = append(left, grants.GrantKeys(&rev.Lost[i])...)
	}
	left = slices.DeleteFunc(left, func(key grants.PrincipalKey) bool { return ended(rev, key, r.Outcomes.Get) })
	if len(left) == 0 {
		r.Metrics.PermissionGone(rev.UID, rev.Lost[0].AccountID, r.Clock.Now())
		return v.step(ctx)
	}
	result, stuck := r.blocker(rev, left)
	if rev.CanBeTakenOver && !stuck {
		var err error
		if stuck, err = r.takenOver(ctx, left); err != nil {
			return progress{}, err
		}
	}
	if gone := without(rev.Lost, left); stuck && len(gone) > 0 {
		after, unrecorded := v.endEarly(ctx, gone)
		return progress{requeueAfter: after, result: result, unrecorded: unrecorded}, nil
	}
	return progress{result: result}, nil
}

// without leaves principals out of grants, and grants that have none left.
func without(lost []v1alpha1.ResolvedGrant, left []grants.PrincipalKey) []v1alpha1.ResolvedGrant {
	var out []v1alpha1.ResolvedGrant
	for i := range lost {
		g := lost[i].DeepCopy()
		g.Principals = slices.DeleteFunc(g.Principals, func(p v1alpha1.Principal) bool {
			return slices.Contains(left, grants.PrincipalKeyOf(g.AccountID, p))
		})
		if len(g.Principals) > 0 {
			out = append(out, *g)
		}
	}
	return out
}

// blocker reports what blocks the loss of a permission: the first principal with a problem,
// or else the revocation that is in progress. stuck is true for a problem.
func (r *Reconciler) blocker(rev *grants.Revocation, left []grants.PrincipalKey) (result reconcile.Result, stuck bool) {
	for _, key := range left {
		if _, ok := r.Accounts.Get(key.AccountID); !ok {
			return reconcile.Reconcilingf(v1alpha1.ReasonAccountNotReady,
				"Access cannot be revoked: account %s cannot be worked on now. Correct the AWSAccount that declares it, or create it again.", key.AccountID), true
		}
		o, _ := r.Outcomes.Get(key)
		observed, ok := o.Observed[rev.UID]
		// What is included is narrowed, where the outcome is of the present record.
		if ok && observed.Reason != "" && (!observed.Included || !observed.Deleting && !rev.Deleting && observed.Serial == rev.Serial) {
			return reconcile.Result{
				Phase: progressOf(observed.State), Reason: observed.Reason,
				Message: fmt.Sprintf("The access of %s cannot be revoked. %s", key, observed.Message),
			}, true
		}
	}
	return revoking(rev.Keys()), false
}

// announceRevoked records the result of a revocation as an event.
func (r *Reconciler) announceRevoked(access *v1alpha1.SessionAccess) {
	if record := access.Status.Revocation; record != nil {
		reconcile.RecordEvent(r.Recorder, access, revoked(record))
	}
}

// revoked reports the result of a revocation.
func revoked(record *v1alpha1.RevocationStatus) reconcile.Result {
	v := reconcile.Readyf(v1alpha1.ReasonSessionsEnded, "Access was revoked; %s ended.", verb(int(*record.SessionsEnded)))
	switch record.Sessions {
	case v1alpha1.SessionsEnding, v1alpha1.SessionsEnded:
	case v1alpha1.SessionsLeft:
		v.Message = "Access was revoked; open sessions were left, as onRevoke or mode Observe says."
	case v1alpha1.SessionsNotChecked:
		v.Reason = v1alpha1.ReasonSessionsNotChecked
		v.Message = "Access was revoked; open sessions could not be listed, which AWSAccount.spec.sessionTermination: BestEffort allows."
	}
	return v
}

func verb(sessions int) string {
	switch sessions {
	case 0:
		return "no open session was"
	case 1:
		return "1 open session was"
	default:
		return fmt.Sprintf("%d open sessions were", sessions)
	}
}

const (
	// forceAfter is how long AWS must have been unreachable before an object is released
	// without it: the operator waits for an outage that ends by itself.
	forceAfter = 10 * time.Minute
	// maxPending bounds the pending revocations of one account, as the API does.
	maxPending = 500
)

// delay is why an object is not released without AWS yet.
type delay struct {
	message string
	// after is when that may have changed by the time alone; zero for never.
	after time.Duration
}

// forceDelete records in the accounts, as pending revocations, what an object that is being
// deleted leaves in AWS. Without a delay, the object may then be released. Nothing is
// recorded unless every account allows it.
func (r *Reconciler) forceDelete(ctx context.Context, access *v1alpha1.SessionAccess, rev *grants.Revocation) (*delay, error) {
	now := r.Clock.Now()
	byID := map[string]*v1alpha1.AWSAccount{}
	ids := accountsOf(rev.Lost)
	for _, id := range ids {
		account, err := accounts.Declaring(ctx, r.Client, id)
		if err != nil {
			return nil, err
		}
		if account == nil {
			return &delay{message: fmt.Sprintf("Its deletion cannot be forced either: no AWSAccount declares account %s, which would have to record the pending revocation. Create one with spec.forceDeletion: Allowed.", id)}, nil
		}
		if d := forceDelay(account, rev.InAccount(id), now); d != nil {
			return d, nil
		}
		byID[id] = account
	}
	for _, id := range ids {
		if err := r.addPending(ctx, byID[id], access, rev.InAccount(id), now); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// forceDelay returns why an account does not allow a forced deletion now; nil where it
// does. The wait counts from a time in the status, so a restart does not start it again.
func forceDelay(account *v1alpha1.AWSAccount, rev grants.Revocation, now time.Time) *delay {
	since := account.Status.UnreachableSince
	switch {
	case grants.IsPending(account, rev.UID):
		return nil
	case account.ForceDeletion() != v1alpha1.ForceDeletionAllowed:
		return &delay{message: fmt.Sprintf("Its deletion cannot be forced: AWSAccount %q does not allow it; set spec.forceDeletion: Allowed there.", account.Name)}
	case since == nil:
		return &delay{message: fmt.Sprintf("Its deletion is not forced: account %s is in reach, and its access can be revoked there. Correct what this condition names.", account.Spec.AccountID)}
	case now.Before(since.Add(forceAfter)):
		return &delay{
			message: fmt.Sprintf("Its deletion is forced at %s, unless account %s is in reach again by then.", since.Add(forceAfter).UTC().Format(time.RFC3339), account.Spec.AccountID),
			after:   since.Add(forceAfter).Sub(now),
		}
	case overfull(account, rev):
		return &delay{message: fmt.Sprintf("Its deletion cannot be forced: AWSAccount %q has as many pending revocations as its status can hold. Bring account %s into reach again.", account.Name, account.Spec.AccountID)}
	}
	return nil
}

// overfull reports whether the status of an account has no room for a pending revocation.
func overfull(account *v1alpha1.AWSAccount, rev grants.Revocation) bool {
	item := rev.Pending(metav1.Time{})
	return len(account.Status.PendingRevocations) >= maxPending || objectcache.Dropped(account)+reconcile.Size(account)+reconcile.Size(item) > reconcile.MaxObject
}

// addPending adds what an object leaves to the pending revocations of an account. A status
// that was written meanwhile is a conflict, so no pending revocation is ever overwritten.
func (r *Reconciler) addPending(ctx context.Context, account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess, rev grants.Revocation, now time.Time) error {
	if grants.IsPending(account, rev.UID) {
		return nil
	}
	after := account.DeepCopy()
	after.Status.PendingRevocations = append(after.Status.PendingRevocations, rev.Pending(metav1.NewTime(now).Rfc3339Copy()))
	log.FromContext(ctx).Info("Recording a pending revocation of an account that is out of reach", "account", account.Name)
	if _, err := reconcile.WriteStatus(ctx, r.Client, account, after); err != nil {
		return err
	}
	v := reconcile.Stalledf(v1alpha1.ReasonDeletionForced,
		"The deletion of SessionAccess %s was forced while account %s is out of reach. Its access is still in AWS; it is revoked when the account is back.", client.ObjectKeyFromObject(access), account.Spec.AccountID)
	reconcile.RecordEvent(r.Recorder, after, v)
	reconcile.RecordEvent(r.Recorder, access, v)
	return nil
}

// accountsOf lists the account ids of grants, each once and in a stable order.
func accountsOf(grants []v1alpha1.ResolvedGrant) []string {
	ids := make([]string, len(grants))
	for i := range grants {
		ids[i] = grants[i].AccountID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// pendingReconciler completes the pending revocations of AWSAccounts. Package principal
// revokes the permissions that the status of the account lists, as it does for objects that
// are being deleted.
type pendingReconciler struct{ *Reconciler }

func (r pendingReconciler) setup(mgr ctrl.Manager, wake *Trigger) error {
	items := queue.ForAccounts()
	return ctrl.NewControllerManagedBy(mgr).
		Named("pendingrevocation").
		WithOptions(items.Options()).
		For(&v1alpha1.AWSAccount{}, builder.WithPredicates(pendingChanged())).
		WatchesRawSource(&wake.pending).
		Complete(items.Serving(r))
}

func pendingChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*v1alpha1.AWSAccount), e.ObjectNew.(*v1alpha1.AWSAccount)
		return !equality.Semantic.DeepEqual(before.Status.PendingRevocations, after.Status.PendingRevocations)
	}}
}

// Reconcile takes every pending revocation of one AWSAccount a step further, and removes
// the completed ones from its status.
func (r pendingReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	account := &v1alpha1.AWSAccount{}
	if err := r.Client.Get(ctx, req.NamespacedName, account); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if _, ok := r.Accounts.Get(account.Spec.AccountID); !ok || len(account.Status.PendingRevocations) == 0 {
		return ctrl.Result{}, nil
	}
	before := account.DeepCopy()
	after, settled, unrecorded, err := r.advance(ctx, account)
	if _, failure := reconcile.WriteStatus(ctx, r.Client, before, account); failure != nil {
		if reconcile.Rejected(failure) {
			after = endUnrecorded(ctx, unrecorded, after)
		}
		return reconcile.Finish(ctx, r.Client, r.Recorder, account, queue.PriorityRevocation, after, failure)
	}
	for _, v := range settled {
		reconcile.RecordEvent(r.Recorder, account, v)
	}
	return reconcile.Requeue(queue.PriorityRevocation, after, err)
}

// advance keeps the pending revocations in the account. It returns a result for each that
// is complete, and the sessions that end once the account is stored.
func (r pendingReconciler) advance(ctx context.Context, account *v1alpha1.AWSAccount) (after time.Duration, settled []reconcile.Result, unrecorded []openSession, err error) {
	var left []v1alpha1.PendingRevocation
	unread := unread{}
	pending := grants.PendingRevocations(account)
	for i := range pending {
		rev, item := &pending[i], account.Status.PendingRevocations[i]
		p, failure := r.Reconciler.advance(ctx, rev, unread)
		err = errors.Join(err, failure)
		item.Revocation = rev.Status
		unrecorded = append(unrecorded, p.unrecorded...)
		if failure == nil && p.done {
			r.Metrics.RevocationDone(rev.UID, item.Grants[0].AccountID, r.Clock.Now())
			v := revoked(item.Revocation)
			v.Message = fmt.Sprintf("What SessionAccess %s had left: %s", rev.Origin, v.Message)
			v.Reason = v1alpha1.ReasonPendingRevocationCompleted
			settled = append(settled, v)
			continue
		}
		after = soonest(after, p.requeueAfter)
		left = append(left, item)
	}
	account.Status.PendingRevocations = left
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
