package reconcile

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// patcher patches an object, or its status.
type patcher[O any] interface {
	Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...O) error
}

// patchObject sends a patch that names the version of the object that it is for, so that
// only the new version in the answer is not known yet. It requests the metadata only: to
// read every object back took more than to write it.
func patchObject[O any](ctx context.Context, c client.Client, to patcher[O], obj client.Object, patch client.Patch) error {
	gvk, err := apiutil.GVKForObject(obj, c.Scheme())
	if err != nil {
		return fmt.Errorf("find the kind of %T: %w", obj, err)
	}
	answer := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: obj.GetNamespace(), Name: obj.GetName()}}
	answer.SetGroupVersionKind(gvk)
	if err := to.Patch(ctx, answer, patch); err != nil {
		return err //nolint:wrapcheck // The caller says what was attempted.
	}
	obj.SetResourceVersion(answer.ResourceVersion)
	return nil
}
