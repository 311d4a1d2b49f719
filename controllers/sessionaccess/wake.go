package sessionaccess

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Trigger wakes the controller from outside.
type Trigger struct {
	reconcile.Trigger[ctrl.Request]
	// Wakes AWSAccounts for their pending revocations.
	owed reconcile.Trigger[ctrl.Request]
	// revoking reports whether an object waits for the end of an access.
	revoking func(types.NamespacedName) bool
}

// WakeObjects wakes the objects that an outcome changes something for. A name without
// a namespace is that of an AWSAccount with a pending revocation.
func (t *Trigger) WakeObjects(objects ...types.NamespacedName) {
	var requests, ends, debtors []ctrl.Request
	for _, object := range objects {
		switch request := (ctrl.Request{NamespacedName: object}); {
		case object.Namespace == "":
			debtors = append(debtors, request)
		case t.revoking != nil && t.revoking(object): // Its sessions end next.
			ends = append(ends, request)
		default:
			requests = append(requests, request)
		}
	}
	t.Add(reconcile.PriorityRevocation, ends...)
	t.Add(reconcile.PriorityGrant, requests...)
	t.owed.Add(reconcile.PriorityRevocation, debtors...)
}

// WakeAccount wakes the objects of an account that was verified, lost or declared again:
// those with access in it, and those that name it and wait for it. The findings of a mere
// resync arrive through the principals, except those on documents and hybrid nodes.
func (t *Trigger) WakeAccount(c client.Reader) func(ctx context.Context, accountID, name string, resync bool) {
	return func(ctx context.Context, accountID, name string, resync bool) {
		t.owed.Add(reconcile.PriorityRevocation, ctrl.Request{NamespacedName: types.NamespacedName{Name: name}})
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
