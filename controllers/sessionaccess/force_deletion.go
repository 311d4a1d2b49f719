package sessionaccess

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

const (
	// forceAfter is how long AWS must have been unreachable before an object is released
	// without it: the operator waits for an outage that ends by itself.
	forceAfter = 10 * time.Minute
	// maxPending bounds the pending revocations of one account, as the API does.
	maxPending = 500
)

// isForced reports whether a user requests that the object is released without AWS.
func isForced(access *v1alpha1.SessionAccess) bool {
	return access.Annotations[v1alpha1.AnnotationAbandon] == "true"
}

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
			return &delay{message: fmt.Sprintf("It cannot be abandoned either: no AWSAccount declares account %s, which would have to remember it. Create one with spec.allowAbandon: true.", id)}, nil
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
	case !account.Spec.AllowAbandon:
		return &delay{message: fmt.Sprintf("It cannot be abandoned: AWSAccount %q does not allow it; set spec.allowAbandon: true there.", account.Name)}
	case since == nil:
		return &delay{message: fmt.Sprintf("It is not abandoned: account %s is in reach, and only what AWS cannot be told is abandoned. Mend what this condition names.", account.Spec.AccountID)}
	case now.Before(since.Add(forceAfter)):
		return &delay{
			message: fmt.Sprintf("It is abandoned at %s, unless account %s is in reach again by then.", since.Add(forceAfter).UTC().Format(time.RFC3339), account.Spec.AccountID),
			after:   since.Add(forceAfter).Sub(now),
		}
	case overfull(account, rev):
		return &delay{message: fmt.Sprintf("It cannot be abandoned: AWSAccount %q owes as much as its status can hold. Bring account %s into reach again.", account.Name, account.Spec.AccountID)}
	}
	return nil
}

// overfull reports whether the status of an account has no room for a pending revocation.
func overfull(account *v1alpha1.AWSAccount, rev grants.Revocation) bool {
	item := rev.Pending(metav1.Time{})
	return len(account.Status.Owed) >= maxPending || objectcache.Dropped(account)+reconcile.Size(account)+reconcile.Size(item) > reconcile.MaxObject
}

// addPending adds what an object leaves to the pending revocations of an account. A status
// that was written meanwhile is a conflict, so no pending revocation is ever overwritten.
func (r *Reconciler) addPending(ctx context.Context, account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess, rev grants.Revocation, now time.Time) error {
	if grants.IsPending(account, rev.UID) {
		return nil
	}
	after := account.DeepCopy()
	after.Status.Owed = append(after.Status.Owed, rev.Pending(metav1.NewTime(now).Rfc3339Copy()))
	log.FromContext(ctx).Info("Recording what is owed by an account that is out of reach", "account", account.Name)
	if _, err := reconcile.WriteStatus(ctx, r.Client, account, after); err != nil {
		return err
	}
	v := reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonAbandoned,
		Message: fmt.Sprintf("SessionAccess %s was let go while account %s is out of reach. Its access is still in AWS; it is taken away when the account is back.", client.ObjectKeyFromObject(access), account.Spec.AccountID),
	}
	reconcile.Announce(r.Recorder, after, v)
	reconcile.Announce(r.Recorder, access, v)
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
