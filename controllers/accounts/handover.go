package accounts

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// handoverWindow is how long after its account was verified a pending revocation
// waits for SessionAccesses that may grant the same: as long as a policy is kept that
// only objects without a record ask for.
const handoverWindow = 5 * time.Minute

// TakesOver reports whether the pending revocations of a principal wait: a
// SessionAccess names the principal and was not decided on yet. What it grants may
// spare policies and open sessions.
func TakesOver(ctx context.Context, c client.Reader, entry Entry, key grants.PrincipalKey, now time.Time) (bool, error) {
	if !now.Before(entry.Since.Add(handoverWindow)) {
		return false, nil
	}
	var all v1alpha1.SessionAccessList
	if err := c.List(ctx, &all, queue.OfAccountName(entry.Name), client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list the SessionAccesses of AWSAccount %q: %w", entry.Name, err)
	}
	return slices.ContainsFunc(all.Items, func(a v1alpha1.SessionAccess) bool {
		return a.DeletionTimestamp.IsZero() && !decided(&a) && slices.ContainsFunc(a.Spec.Principals, func(p v1alpha1.Principal) bool {
			return grants.PrincipalKeyOf(entry.AccountID, p) == key
		})
	}), nil
}

// decided reports whether the present spec of an object is on record, or refused.
func decided(access *v1alpha1.SessionAccess) bool {
	record := access.Status.Applied
	return v1alpha1.Decided(access.Status.Conditions, access.Generation) ||
		record != nil && record.Generation == access.Generation && v1alpha1.IsOwnRecord(record.UID, access)
}
