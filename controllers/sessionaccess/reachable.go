package sessionaccess

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// setReachable shows what was found on the nodes of an access, as long as it has a
// current grant. While this process has no finding, the status stays as it is. It returns
// the condition where that has changed.
func (r *Reconciler) setReachable(access *v1alpha1.SessionAccess) (news *metav1.Condition) {
	status := &access.Status
	if grantedNowIn(access) == nil {
		status.Targets = nil
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionTargetsReachable)
		return nil
	}
	report, ok := r.Targets.Get(access.UID)
	if !ok {
		return nil
	}
	before := metav1.Condition{}
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionTargetsReachable); c != nil {
		before = *c
	}
	status.Targets = report.Targets.DeepCopy()
	reconcile.SetCondition(&status.Conditions, access.Generation, v1alpha1.ConditionTargetsReachable, report.Status, report.Reason, report.Message)
	switch {
	case before.Status == report.Status && before.Reason == report.Reason:
		return nil
	case before.Status == "" && report.Status == metav1.ConditionTrue:
		return nil // As it should be, from the first look on.
	}
	return meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionTargetsReachable)
}

// announceReachable records an event: the nodes of an access became reachable or
// unreachable.
func (r *Reconciler) announceReachable(access *v1alpha1.SessionAccess, news *metav1.Condition) {
	kind := corev1.EventTypeNormal
	if news.Status == metav1.ConditionFalse {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(access, nil, kind, news.Reason, "Look", "%s", news.Message)
}

// summarizeReachable is "11/12".
func summarizeReachable(t *v1alpha1.TargetsStatus) string {
	if t == nil {
		return ""
	}
	text := fmt.Sprintf("%d/%d", *t.Connected, *t.Total)
	if t.Incomplete {
		text += "+"
	}
	if t.Unknown > 0 || t.Unjudged > 0 {
		text += "?"
	}
	return text
}
