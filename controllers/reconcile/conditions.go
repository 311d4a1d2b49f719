package reconcile

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// setPhase sets Ready, and Reconciling and Stalled only while they are True, as kstatus
// reads them. It reports whether Ready changed its status or reason.
func (r Result) setPhase(conditions *[]metav1.Condition, generation int64) (transition bool) {
	before := meta.FindStatusCondition(*conditions, v1alpha1.ConditionReady)
	ready := metav1.ConditionFalse
	if r.Phase == Ready {
		ready = metav1.ConditionTrue
	}
	transition = before == nil || before.Status != ready || before.Reason != r.Reason
	SetCondition(conditions, generation, v1alpha1.ConditionReady, ready, r.Reason, r.Message)
	r.setWhile(Reconciling, conditions, generation, v1alpha1.ConditionReconciling)
	r.setWhile(Stalled, conditions, generation, v1alpha1.ConditionStalled)
	return transition
}

func (r Result) setWhile(phase Phase, conditions *[]metav1.Condition, generation int64, kind string) {
	if r.Phase == phase {
		SetCondition(conditions, generation, kind, metav1.ConditionTrue, r.Reason, r.Message)
		return
	}
	meta.RemoveStatusCondition(conditions, kind)
}

// SetCondition sets one condition; its transition time moves only with its status.
func SetCondition(conditions *[]metav1.Condition, generation int64, kind string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(conditions, metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: generation,
	})
}

// SetConditionWhile sets a condition to True while there is a message for it, and removes
// it otherwise. It reports whether the condition is new.
func SetConditionWhile(conditions *[]metav1.Condition, generation int64, kind, reason, message string) (appeared bool) {
	if message == "" {
		meta.RemoveStatusCondition(conditions, kind)
		return false
	}
	appeared = !meta.IsStatusConditionTrue(*conditions, kind)
	SetCondition(conditions, generation, kind, metav1.ConditionTrue, reason, message)
	return appeared
}
