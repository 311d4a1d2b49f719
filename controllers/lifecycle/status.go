package lifecycle

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WriteStatus writes the status of after where it differs from before, and
// nothing otherwise. A status written meanwhile by somebody else is a conflict,
// which the caller returns: the next reconcile starts from the newer object. An
// object that is gone has no status to write.
func WriteStatus(ctx context.Context, c client.Client, before, after client.Object) (written bool, err error) {
	if departed(ctx) != nil || equality.Semantic.DeepEqual(before, after) {
		return false, nil
	}
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.Status().Patch(ctx, after, patch); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return false, nil
		}
		return false, fmt.Errorf("write the status of %s: %w", client.ObjectKeyFromObject(after), err)
	}
	return true, nil
}
