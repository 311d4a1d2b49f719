package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// EnsureFinalizer puts the operator's finalizer on the object before anything is written
// to AWS for it. The object is updated in place. An object that is gone, although the
// cache still shows it, is an error: its AWS resources would never be cleaned up.
func EnsureFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	_, err := patchFinalizer(ctx, c, obj, "put the finalizer on", controllerutil.AddFinalizer)
	return err
}

// RemoveFinalizer lets the object go. Nothing of it may be left in AWS.
func RemoveFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	_, err := Release(ctx, c, obj)
	return err
}

// Release lets the object go as RemoveFinalizer does. released reports whether this call
// did it: it is false for an object that is gone already, although the cache shows it.
func Release(ctx context.Context, c client.Client, obj client.Object) (released bool, err error) {
	released, err = patchFinalizer(ctx, c, obj, "take the finalizer from", controllerutil.RemoveFinalizer)
	return released, client.IgnoreNotFound(err)
}

func patchFinalizer(ctx context.Context, c client.Client, obj client.Object, attempt string, change func(client.Object, string) bool) (changed bool, err error) {
	after := obj.DeepCopyObject().(client.Object)
	if !change(after, v1alpha1.Finalizer) {
		return false, nil
	}
	patch, err := finalizersPatch(after)
	if err == nil {
		err = patchObject(ctx, c, c, obj, patch)
	}
	if err != nil {
		return false, fmt.Errorf("%s %s: %w", attempt, client.ObjectKeyFromObject(obj), err)
	}
	obj.SetFinalizers(after.GetFinalizers())
	return true, nil
}

// finalizersPatch replaces the finalizers, and nothing else, so that the rest of the
// object need not be compared. The lock keeps a finalizer that another client added in
// between: the list is replaced as a whole.
func finalizersPatch(obj client.Object) (client.Patch, error) {
	data, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"finalizers": obj.GetFinalizers(), "resourceVersion": obj.GetResourceVersion(),
	}})
	return client.RawPatch(types.MergePatchType, data), err
}
