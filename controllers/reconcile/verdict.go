package reconcile

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Progress says who has to act before an object is Ready.
type Progress int

const (
	// Settled: no action is needed; the object is Ready.
	Settled Progress = iota
	// Working: the operator; the object is Reconciling.
	Working
	// Stuck: a user; the object is Stalled, and is reconciled again at resync.
	Stuck
	// Retrying: it is not known who; AWS failed and the operator retries. Neither
	// Reconciling nor Stalled would be true.
	Retrying
)

// Verdict is what Ready, Reconciling and Stalled say together.
type Verdict struct {
	Progress Progress
	Reason   string
	// Message is a stable sentence: no request ids, no timestamps, no map order.
	Message string
}

// Apply sets Ready, and Reconciling and Stalled only while true, as kstatus
// reads them. It says whether Ready changed its status or reason.
func (v Verdict) Apply(conditions *[]metav1.Condition, generation int64) (transition bool) {
	before := meta.FindStatusCondition(*conditions, v1alpha1.ConditionReady)
	ready := metav1.ConditionFalse
	if v.Progress == Settled {
		ready = metav1.ConditionTrue
	}
	transition = before == nil || before.Status != ready || before.Reason != v.Reason
	SetCondition(conditions, generation, v1alpha1.ConditionReady, ready, v.Reason, v.Message)
	setWhile(conditions, generation, v1alpha1.ConditionReconciling, v.Progress == Working, v)
	setWhile(conditions, generation, v1alpha1.ConditionStalled, v.Progress == Stuck, v)
	return transition
}

func setWhile(conditions *[]metav1.Condition, generation int64, kind string, holds bool, v Verdict) {
	if holds {
		SetCondition(conditions, generation, kind, metav1.ConditionTrue, v.Reason, v.Message)
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
