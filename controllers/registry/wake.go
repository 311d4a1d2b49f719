package registry

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
)

// Wake is a Listener that wakes the objects of a kind that name the account:
// at once when it was verified or lost, and after everything else at a resync.
// list is an empty list of the kind.
func Wake(t *lifecycle.Trigger[reconcile.Request], c client.Reader, list client.ObjectList) Listener {
	return func(ctx context.Context, _, name string, resync bool) {
		found := list.DeepCopyObject().(client.ObjectList)
		if err := c.List(ctx, found, index.OfAccountName(name), client.UnsafeDisableDeepCopy); err != nil {
			// A list from the cache fails only while the manager stops.
			log.FromContext(ctx).Error(err, "Listing the objects of an account")
			return
		}
		var requests []reconcile.Request
		// The function never fails, so neither does this.
		_ = meta.EachListItem(found, func(obj runtime.Object) error {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj.(client.Object))})
			return nil
		})
		priority := lifecycle.PriorityGrant
		if resync {
			priority = lifecycle.PriorityResync
		}
		t.Add(priority, requests...)
	}
}
