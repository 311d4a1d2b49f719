package principal

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
)

// Triggers wake the two lanes.
type Triggers struct {
	Grants, Revocations lifecycle.Trigger[outcome.Key]
}

// WakeAccount wakes every principal of an account: when it was verified, and at
// every resync, for what the mirror found. It is a registry.Listener.
func (t *Triggers) WakeAccount(c client.Reader) func(ctx context.Context, accountID string, resync bool) {
	return func(ctx context.Context, accountID string, resync bool) {
		var accesses v1alpha1.SessionAccessList
		if err := c.List(ctx, &accesses, index.OfAccountID(accountID), client.UnsafeDisableDeepCopy); err != nil {
			// A list from the cache fails only while the manager stops.
			log.FromContext(ctx).Error(err, "Listing the SessionAccesses of an account")
			return
		}
		priority := lifecycle.PriorityGrant
		if resync {
			priority = lifecycle.PriorityResync
		}
		for i := range accesses.Items {
			access := &accesses.Items[i]
			if keys := revocationsOf(nil, access); len(keys) > 0 {
				t.Revocations.Add(lifecycle.PriorityRevocation, keys...)
				continue
			}
			t.Grants.Add(priority, outcome.KeysOf(access.Status.Applied)...)
		}
	}
}
