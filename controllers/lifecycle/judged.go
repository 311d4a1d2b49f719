package lifecycle

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Judged reports whether a generation of an object was decided on: its
// conditions are about it, and it waits for nothing.
func Judged(conditions []metav1.Condition, generation int64) bool {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == generation &&
		!meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
}
