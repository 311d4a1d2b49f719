package principal

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Triggers wake the two lanes.
type Triggers struct {
	Grants, Revocations reconcile.Trigger[grants.PrincipalKey]

	first precedence
}

// WakeAccount wakes every principal of an account: when it was verified, and at
// every resync, for what the mirror found. It is a registry.Listener.
func (t *Triggers) WakeAccount(c client.Reader) func(ctx context.Context, accountID, name string, resync bool) {
	return func(ctx context.Context, accountID, _ string, resync bool) {
		var accesses v1alpha1.SessionAccessList
		if err := c.List(ctx, &accesses, queue.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
			// A list from the cache fails only while the manager stops.
			log.FromContext(ctx).Error(err, "Listing the SessionAccesses of an account")
			return
		}
		abandoned, err := grants.PendingRevocationsOfAccount(ctx, c, accountID)
		if err != nil {
			log.FromContext(ctx).Error(err, "Listing what an account owes")
		}
		priority := reconcile.PriorityGrant
		if resync {
			priority = reconcile.PriorityResync
		}
		t.wake(accountID, priority, append(abandoned, accesses.Items...))
	}
}

// wake enqueues all revocations before the first grant, which waits until each
// was tried unless this is but a resync. The namespaces take turns.
func (t *Triggers) wake(accountID string, priority int, accesses []v1alpha1.SessionAccess) {
	var revoking []grants.PrincipalKey
	var ends, granting []*v1alpha1.SessionAccess
	for i := range accesses {
		access := &accesses[i]
		if keys := revocationsOf(nil, access); len(keys) > 0 {
			revoking, ends = append(revoking, keys...), append(ends, access)
			continue
		}
		granting = append(granting, access)
	}
	again := reconcile.PriorityRetriedRevocation
	if priority != reconcile.PriorityResync {
		again = reconcile.PriorityRevocation // This process has tried none.
		t.Grants.Add(priority, t.first.expect(accountID, revoking)...)
	}
	for _, access := range ends {
		t.Revocations.AddFor(access.Namespace, again, revocationsOf(nil, access)...)
	}
	for _, access := range granting {
		t.Grants.AddFor(access.Namespace, priority, grants.PrincipalKeysOf(access.Status.Applied)...)
	}
}
