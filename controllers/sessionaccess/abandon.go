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
	// abandonAfter is how long AWS must have been out of reach before an object is
	// let go without it: an outage that ends by itself is waited for.
	abandonAfter = 10 * time.Minute
	// maxOwed bounds what one account may owe, as the API does.
	maxOwed = 500
)

// toAbandon says whether somebody asked to let the object go without AWS.
func toAbandon(access *v1alpha1.SessionAccess) bool {
	return access.Annotations[v1alpha1.AnnotationAbandon] == "true"
}

// delay tells why an object is not let go without AWS yet.
type delay struct {
	message string
	// after is when that may have changed by the time alone; zero for never.
	after time.Duration
}

// abandon makes the accounts owe what an object that is being deleted leaves in
// AWS, after which it may go: then there is no delay. Nothing is recorded unless
// every account allows it.
func (r *Reconciler) abandon(ctx context.Context, access *v1alpha1.SessionAccess, lost []v1alpha1.ResolvedGrant) (*delay, error) {
	now := r.Clock.Now()
	byID := map[string]*v1alpha1.AWSAccount{}
	ids := accountsOf(lost)
	for _, id := range ids {
		account, err := accounts.Declaring(ctx, r.Client, id)
		if err != nil {
			return nil, err
		}
		if account == nil {
			return &delay{message: fmt.Sprintf("It cannot be abandoned either: no AWSAccount declares account %s, which would have to remember it. Create one with spec.allowAbandon: true.", id)}, nil
		}
		if d := mayAbandon(account, access, inAccount(lost, id), now); d != nil {
			return d, nil
		}
		byID[id] = account
	}
	for _, id := range ids {
		if err := r.owe(ctx, byID[id], access, inAccount(lost, id), now); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// mayAbandon decides whether an account allows it, now. It goes by the time that
// the status remembers, so a restart does not begin the wait anew.
func mayAbandon(account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess, lost []v1alpha1.ResolvedGrant, now time.Time) *delay {
	since := account.Status.UnreachableSince
	switch {
	case grants.IsPending(account, access):
		return nil
	case !account.Spec.AllowAbandon:
		return &delay{message: fmt.Sprintf("It cannot be abandoned: AWSAccount %q does not allow it; set spec.allowAbandon: true there.", account.Name)}
	case since == nil:
		return &delay{message: fmt.Sprintf("It is not abandoned: account %s is in reach, and only what AWS cannot be told is abandoned. Mend what this condition names.", account.Spec.AccountID)}
	case now.Before(since.Add(abandonAfter)):
		return &delay{
			message: fmt.Sprintf("It is abandoned at %s, unless account %s is in reach again by then.", since.Add(abandonAfter).UTC().Format(time.RFC3339), account.Spec.AccountID),
			after:   since.Add(abandonAfter).Sub(now),
		}
	case overfull(account, access, lost):
		return &delay{message: fmt.Sprintf("It cannot be abandoned: AWSAccount %q owes as much as its status can hold. Bring account %s into reach again.", account.Name, account.Spec.AccountID)}
	}
	return nil
}

// overfull says that an account cannot take on what an object leaves.
func overfull(account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess, lost []v1alpha1.ResolvedGrant) bool {
	item := grants.PendingRevocationOf(access, lost, metav1.Time{})
	return len(account.Status.Owed) >= maxOwed || objectcache.Dropped(account)+reconcile.Size(account)+reconcile.Size(item) > reconcile.MaxObject
}

// owe writes into an account's status what an object leaves. A status that was
// written meanwhile is a conflict, so nothing that is owed is ever overwritten.
func (r *Reconciler) owe(ctx context.Context, account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess, lost []v1alpha1.ResolvedGrant, now time.Time) error {
	if grants.IsPending(account, access) {
		return nil
	}
	after := account.DeepCopy()
	after.Status.Owed = append(after.Status.Owed, grants.PendingRevocationOf(access, lost, metav1.NewTime(now).Rfc3339Copy()))
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

// inAccount picks the grants of one account id.
func inAccount(grants []v1alpha1.ResolvedGrant, id string) []v1alpha1.ResolvedGrant {
	return slices.DeleteFunc(slices.Clone(grants), func(g v1alpha1.ResolvedGrant) bool { return g.AccountID != id })
}
