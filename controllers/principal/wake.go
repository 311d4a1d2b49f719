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
		pending, err := grants.PendingInAccount(ctx, c, accountID)
		if err != nil {
			log.FromContext(ctx).Error(err, "Listing the pending revocations of an account")
		}
		priority := reconcile.PriorityGrant
		if resync {
			priority = reconcile.PriorityResync
		}
		t.wake(accountID, priority, append(pending, grants.RecordsOf(accesses.Items)...))
	}
}

// wake enqueues all revocations before the first grant, which waits until each
// was tried unless this is but a resync. The namespaces take turns, and so does the
// account with its pending revocations.
func (t *Triggers) wake(accountID string, priority int, records []grants.Record) {
	var revoking []grants.PrincipalKey
	var ends, granting []*grants.Record
	for i := range records {
		record := &records[i]
		if record.IsRevoking() {
			revoking, ends = append(revoking, record.Keys()...), append(ends, record)
			continue
		}
		granting = append(granting, record)
	}
	again := reconcile.PriorityRetriedRevocation
	if priority != reconcile.PriorityResync {
		again = reconcile.PriorityRevocation // This process has tried none.
		t.Grants.Add(priority, t.first.expect(accountID, revoking)...)
	}
	for _, record := range ends {
		t.Revocations.AddFor(record.Object.GetNamespace(), again, record.Keys()...)
	}
	for _, record := range granting {
		t.Grants.AddFor(record.Object.GetNamespace(), priority, record.Keys()...)
	}
}
