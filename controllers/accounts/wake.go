package accounts

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// Wake is a Listener that wakes the objects of a kind that name the account:
// at once when it was verified or lost, and after everything else at a resync.
// list is an empty list of the kind.
func Wake(t *queue.Trigger[ctrl.Request], c client.Reader, list client.ObjectList) Listener {
	return func(ctx context.Context, _, name string, resync bool) {
		priority := queue.PriorityGrant
		if resync {
			priority = queue.PriorityResync
		}
		t.Add(priority, queue.Requests[client.Object](ctx, c, list, nil, queue.OfAccountName(name))...)
	}
}
