package sessionaccess

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// reconcileDeletion lets the object go once every principal of its record is
// proven to hold nothing of it, and the open sessions that it covered have
// ended. The principals take the deletion from the object itself: nothing needs
// to be recorded first.
func (r *Reconciler) reconcileDeletion(ctx context.Context, access *v1alpha1.SessionAccess) (time.Duration, error) {
	if !controllerutil.ContainsFinalizer(access, v1alpha1.Finalizer) {
		return 0, nil
	}
	rev := grants.RevocationOf(access)
	if len(rev.Lost) == 0 {
		_, err := r.release(ctx, access)
		return 0, err
	}
	r.Metrics.RevocationSeen(access.UID, r.Clock.Now())
	before := access.DeepCopy()
	p, err := r.advance(ctx, &rev, unread{})
	if err != nil {
		return 0, err
	}
	access.Status.Revocation = rev.Status
	if p.done {
		// In this order no event is recorded twice, however this process ends. The part
		// of the status that was not stored is lost with the answer.
		told := access.DeepCopy()
		released, err := r.release(ctx, access)
		if released {
			r.Metrics.RevocationDone(access.UID, rev.Lost[0].AccountID, r.Clock.Now())
			r.announceRevoked(told)
		}
		return 0, err
	}
	if isForced(access) {
		d, err := r.forceDelete(ctx, access, &rev)
		if err != nil {
			return 0, err
		}
		if d == nil {
			_, err := r.release(ctx, access)
			return 0, err
		}
		p.verdict.Message += " " + d.message
		p.after = soonest(p.after, d.after)
	}
	err = r.write(ctx, before, access, p.verdict)
	if reconcile.Rejected(err) {
		p.after = endUnrecorded(ctx, p.unrecorded, p.after)
	}
	return p.after, err
}

func (r *Reconciler) release(ctx context.Context, access *v1alpha1.SessionAccess) (released bool, err error) {
	log.FromContext(ctx).Info("Letting the object go: nothing of it is left in AWS, or its account owes it")
	return reconcile.Release(ctx, r.Client, access)
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
	verdict, stuck := r.held(rev, left)
	if rev.CanBeTakenOver && !stuck {
		var err error
		if stuck, err = r.takenOver(ctx, left); err != nil {
			return progress{}, err
		}
	}
	if gone := without(rev.Lost, left); stuck && len(gone) > 0 {
		after, unrecorded := v.endEarly(ctx, gone)
		return progress{after: after, verdict: verdict, unrecorded: unrecorded}, nil
	}
	return progress{verdict: verdict}, nil
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

// held reports what blocks the loss of a permission: the first principal with a problem,
// or else the revocation that is in progress. stuck is true for a problem.
func (r *Reconciler) held(rev *grants.Revocation, left []grants.PrincipalKey) (v reconcile.Verdict, stuck bool) {
	for _, key := range left {
		if _, ok := r.Accounts.Get(key.AccountID); !ok {
			return reconcile.Verdict{
				Progress: reconcile.Working, Reason: v1alpha1.ReasonAccountNotReady,
				Message: fmt.Sprintf("Access cannot be taken away: account %s cannot be worked on now. Mend the AWSAccount that declares it, or create it again.", key.AccountID),
			}, true
		}
		o, _ := r.Outcomes.Get(key)
		saw, ok := o.Saw[rev.UID]
		// What is included is narrowed, where the outcome is of the present record.
		if ok && saw.Reason != "" && (!saw.Included || !saw.Deleting && !rev.Deleting && saw.Serial == rev.Serial) {
			return reconcile.Verdict{
				Progress: progressOf(saw.State), Reason: saw.Reason,
				Message: fmt.Sprintf("The access of %s cannot be taken away. %s", key, saw.Message),
			}, true
		}
	}
	return revoking(rev.Keys()), false
}

// announceRevoked records the result of a revocation as an event.
func (r *Reconciler) announceRevoked(access *v1alpha1.SessionAccess) {
	if record := access.Status.Revocation; record != nil {
		reconcile.Announce(r.Recorder, access, revoked(record))
	}
}

// revoked reports the result of a revocation.
func revoked(record *v1alpha1.RevocationStatus) reconcile.Verdict {
	v := reconcile.Verdict{
		Progress: reconcile.Settled, Reason: v1alpha1.ReasonSessionsEnded,
		Message: fmt.Sprintf("Access was taken away; %s ended.", verb(int(*record.SessionsEnded))),
	}
	switch record.Sessions {
	case v1alpha1.SessionsEnding, v1alpha1.SessionsEnded:
	case v1alpha1.SessionsLeft:
		v.Message = "Access was taken away; open sessions were left, as onRevoke or mode Observe says."
	case v1alpha1.SessionsNotChecked:
		v.Reason = v1alpha1.ReasonSessionsNotChecked
		v.Message = "Access was taken away; nobody could look for open sessions, which AWSAccount.spec.sessionTermination: BestEffort allows."
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
