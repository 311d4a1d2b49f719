package lifecycle

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// EnsureFinalizer puts our finalizer on the object before anything is written
// to AWS for it. The object is updated in place.
func EnsureFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	return patchFinalizer(ctx, c, obj, "put the finalizer on", controllerutil.AddFinalizer)
}

// RemoveFinalizer lets the object go. Nothing of it may be left in AWS.
func RemoveFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	return patchFinalizer(ctx, c, obj, "take the finalizer from", controllerutil.RemoveFinalizer)
}

func patchFinalizer(ctx context.Context, c client.Client, obj client.Object, attempt string, change func(client.Object, string) bool) error {
	before := obj.DeepCopyObject().(client.Object)
	if !change(obj, v1alpha1.Finalizer) {
		return nil
	}
	// The lock keeps a finalizer that somebody else added in between: the list is
	// replaced as a whole.
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := client.IgnoreNotFound(c.Patch(ctx, obj, patch)); err != nil {
		return fmt.Errorf("%s %s: %w", attempt, client.ObjectKeyFromObject(obj), err)
	}
	return nil
}
