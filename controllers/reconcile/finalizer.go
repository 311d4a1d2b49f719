package reconcile

import (
	"context"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
)

// ensureFinalizer puts the operator's finalizer on the object, which is updated in place.
func ensureFinalizer(ctx context.Context, c client.Client, obj client.Object) error {
	_, err := patchFinalizer(ctx, c, obj, "put the finalizer on", controllerutil.AddFinalizer)
	return err
}

// releaseObject removes the operator's finalizer. released reports whether this call did
// it: it is false for an object that is gone already. Of a stub the cache has no other
// finalizers, so live is asked for them.
func releaseObject(ctx context.Context, c client.Client, live client.Reader, obj client.Object) (released bool, err error) {
	if objectcache.Is(obj) {
		found, err := objectcache.Read(ctx, live, client.ObjectKeyFromObject(obj), obj)
		if err != nil || found.GetUID() != obj.GetUID() {
			return false, client.IgnoreNotFound(err)
		}
		obj = found
	}
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
