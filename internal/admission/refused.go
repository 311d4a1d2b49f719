package admission

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// refusals are the reasons of Ready of an object that the platform does not allow what it
// declares.
var refusals = []string{
	v1alpha1.ReasonNamespaceNotAllowed, v1alpha1.ReasonRegionNotAllowed, v1alpha1.ReasonGuardrailViolated,
}

// IsRefused reports whether condition Ready says that the platform does not allow an object
// what it declares, or has one of some other reasons.
func IsRefused(conditions []metav1.Condition, others ...string) bool {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return ready != nil && (slices.Contains(refusals, ready.Reason) || slices.Contains(others, ready.Reason))
}
