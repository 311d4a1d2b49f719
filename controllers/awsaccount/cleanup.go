package awsaccount

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// maxNamed bounds the dependents that a message names.
const maxNamed = 5

// Cleanup releases an account once no other object needs it. Until then the account keeps
// working.
func (r *Reconciler) Cleanup(ctx context.Context, s *scope) (reconcile.Result, error) {
	s.Priority = queue.PriorityGrant // What the account's deletion waits for is revoked by others.
	dependents, err := r.dependents(ctx, s.Object)
	if err != nil {
		return reconcile.Result{}, err
	}
	if len(dependents) == 0 && len(s.Object.Status.PendingRevocations) == 0 {
		r.Accounts.Remove(ctx, s.Object.Name)
		return reconcile.Released(), nil
	}
	return r.reconcile(ctx, s.Object, dependents)
}

// dependents lists, in a stable order, the objects that need an account: to work, or
// to have what they created in AWS deleted.
func (r *Reconciler) dependents(ctx context.Context, account *v1alpha1.AWSAccount) ([]string, error) {
	names, err := queue.UsersOf(ctx, r.Client, account.Name)
	if err != nil {
		return nil, err
	}
	if entry, ok := r.Accounts.Get(account.Spec.AccountID); ok && entry.Name != account.Name {
		return names, nil
	}
	// No other AWSAccount is there to revoke their access.
	var all v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &all, queue.OfAccountID(account.Spec.AccountID), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the SessionAccesses in account %s: %w", account.Spec.AccountID, err)
	}
	for i := range all.Items {
		if queue.NeedsAccount(&all.Items[i]) {
			names = append(names, queue.Named("SessionAccess", &all.Items[i]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// staying reports what blocks the deletion of an account and, where the account
// cannot be reconciled, why the deletion does not complete.
func staying(account *v1alpha1.AWSAccount, result reconcile.Result, dependents []string) reconcile.Result {
	kept := inUse(dependents)
	if len(dependents) == 0 {
		kept = pending(account)
	}
	if result.Phase == reconcile.Ready {
		return kept
	}
	result.Message += " " + kept.Message
	return result
}

// pending reports that pending revocations block the deletion of an account.
func pending(account *v1alpha1.AWSAccount) reconcile.Result {
	item := account.Status.PendingRevocations[0]
	return reconcile.Stalledf(v1alpha1.ReasonInUse,
		"This AWSAccount is being deleted and stays until its pending revocations are complete, such as that of SessionAccess %s/%s; status.pendingRevocations lists them.", item.Namespace, item.Name)
}

// inUse reports which objects block the deletion of an account.
func inUse(dependents []string) reconcile.Result {
	named := strings.Join(dependents[:min(len(dependents), maxNamed)], ", ")
	if more := len(dependents) - maxNamed; more > 0 {
		named = fmt.Sprintf("%s and %d more", named, more)
	}
	return reconcile.Stalledf(v1alpha1.ReasonInUse,
		"This AWSAccount is being deleted and stays while other objects use it, so that what they made in AWS can be removed; delete them: %s.", named)
}
