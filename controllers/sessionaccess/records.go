package sessionaccess

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// recordsOfPrincipal lists the records that name a principal: those of SessionAccesses, and
// then those of pending revocations. A SessionAccess that is being released may be in both.
func (r *Reconciler) recordsOfPrincipal(ctx context.Context, key grants.PrincipalKey) ([]grants.Record, error) {
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses of %s: %w", key, err)
	}
	pending, err := grants.PendingOfPrincipal(ctx, r.Client, key)
	return append(grants.RecordsOf(accesses.Items), pending...), err
}

// recordsInAccount lists the records that name an account id, as recordsOfPrincipal does for
// a principal.
func (r *Reconciler) recordsInAccount(ctx context.Context, accountID string) ([]grants.Record, error) {
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses of account %s: %w", accountID, err)
	}
	pending, err := grants.PendingInAccount(ctx, r.Client, accountID)
	return append(grants.RecordsOf(accesses.Items), pending...), err
}
