package sessionaccess

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Trigger wakes the controller from outside.
type Trigger struct {
	reconcile.Trigger[ctrl.Request]
	// pending wakes AWSAccounts for their pending revocations.
	pending reconcile.Trigger[ctrl.Request]
	// revoking reports whether an object waits for the end of an access.
	revoking func(types.NamespacedName) bool
}

// WakeHolders wakes the objects with records that an outcome changes something for.
func (t *Trigger) WakeHolders(holders ...grants.Holder) {
	var accesses []types.NamespacedName
	var accounts []ctrl.Request
	for _, holder := range holders {
		if holder.Kind == grants.KindAWSAccount {
			accounts = append(accounts, ctrl.Request{NamespacedName: holder.NamespacedName})
			continue
		}
		accesses = append(accesses, holder.NamespacedName)
	}
	t.WakeAccesses(accesses...)
	t.pending.Add(reconcile.PriorityRevocation, accounts...)
}

// WakeAccesses wakes SessionAccesses, those first that end access.
func (t *Trigger) WakeAccesses(accesses ...types.NamespacedName) {
	var requests, ends []ctrl.Request
	for _, name := range accesses {
		request := ctrl.Request{NamespacedName: name}
		if t.revoking != nil && t.revoking(name) { // Its sessions end next.
			ends = append(ends, request)
			continue
		}
		requests = append(requests, request)
	}
	t.Add(reconcile.PriorityRevocation, ends...)
	t.Add(reconcile.PriorityGrant, requests...)
}

// WakeAccount wakes the objects of an account that was verified, lost or declared again:
// those with access in it, and those that name it and wait for it. The findings of a mere
// resync arrive through the principals, except those on documents and hybrid nodes.
func (t *Trigger) WakeAccount(c client.Reader) func(ctx context.Context, accountID, name string, resync bool) {
	return func(ctx context.Context, accountID, name string, resync bool) {
		t.pending.Add(reconcile.PriorityRevocation, ctrl.Request{NamespacedName: types.NamespacedName{Name: name}})
		if resync {
			t.Add(reconcile.PriorityResync, listOf(ctx, c, findable, queue.OfAccountID(accountID))...)
			return
		}
		t.Add(reconcile.PriorityGrant, list(ctx, c, queue.OfAccountID(accountID))...)
		t.Add(reconcile.PriorityGrant, list(ctx, c, queue.OfAccountName(name))...)
	}
}

// revoking reports whether an object waits for the end of an access.
func (r *Reconciler) revoking(name types.NamespacedName) bool {
	// The cache answers at once.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	access := &v1alpha1.SessionAccess{}
	if err := r.Client.Get(ctx, name, access, client.UnsafeDisableDeepCopy); err != nil {
		return false // It is gone.
	}
	return ending(access)
}

// ending reports whether an object has access that is to end.
func ending(access *v1alpha1.SessionAccess) bool {
	return !access.DeletionTimestamp.IsZero() || (access.Status.Applied != nil && len(access.Status.Applied.Revoking) > 0)
}
