package reconcile

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Notice sets a condition that is present only while there is something to
// say, and removes it otherwise. It says whether the condition is new.
func Notice(conditions *[]metav1.Condition, generation int64, kind, reason, message string) (appeared bool) {
	if message == "" {
		meta.RemoveStatusCondition(conditions, kind)
		return false
	}
	appeared = !meta.IsStatusConditionTrue(*conditions, kind)
	SetCondition(conditions, generation, kind, metav1.ConditionTrue, reason, message)
	return appeared
}
