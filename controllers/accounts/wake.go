package accounts

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// Wake is a Listener that wakes the objects of a kind that name the account:
// at once when it was verified or lost, and after everything else at a resync.
// list is an empty list of the kind.
func Wake(t *queue.Trigger[ctrl.Request], c client.Reader, list client.ObjectList) Listener {
	return func(ctx context.Context, _, name string, resync bool) {
		found := list.DeepCopyObject().(client.ObjectList)
		if err := c.List(ctx, found, queue.OfAccountName(name), client.UnsafeDisableDeepCopy); err != nil {
			// A list from the cache fails only while the manager stops.
			log.FromContext(ctx).Error(err, "Listing the objects of an account")
			return
		}
		var requests []ctrl.Request
		// The function never fails, so neither does this.
		_ = meta.EachListItem(found, func(obj runtime.Object) error {
			requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(obj.(client.Object))})
			return nil
		})
		priority := queue.PriorityGrant
		if resync {
			priority = queue.PriorityResync
		}
		t.Add(priority, requests...)
	}
}
