package testenv

import (
	"context"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// WaitReady watches an object until Ready says so.
func WaitReady[T client.Object](ctx context.Context, c client.WithWatch, obj T) (T, error) {
	return WaitFor(ctx, c, obj, func(seen T) bool { return Ready(c.Scheme(), seen) })
}

// Ready reports whether the condition Ready was set for the object's current
// generation, and kstatus, with which Flux and others wait, calls the object
// current. kstatus alone takes an object without the condition for current.
func Ready(scheme *runtime.Scheme, obj client.Object) bool {
	u := &unstructured.Unstructured{}
	if err := scheme.Convert(obj, u, nil); err != nil || !judged(u) {
		return false
	}
	result, err := status.Compute(u)
	return err == nil && result.Status == status.CurrentStatus
}

// judged reports whether Ready belongs to the present generation.
func judged(u *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions") // Malformed is not judged.
	for _, c := range conditions {
		condition, ok := c.(map[string]any)
		if ok && condition["type"] == v1alpha1.ConditionReady {
			return condition["observedGeneration"] == u.GetGeneration()
		}
	}
	return false
}
