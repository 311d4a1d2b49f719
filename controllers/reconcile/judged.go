package reconcile

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Judged reports whether a generation of an object was decided on: its
// conditions are about it, and it waits for nothing.
func Judged(conditions []metav1.Condition, generation int64) bool {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == generation &&
		!meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReconciling)
}

// Own reports whether an object wrote a record, or a status, itself. uid is what
// is recorded: that of another object where a backup was restored, and "" in what
// earlier versions wrote, which counts as the object's own.
func Own(uid string, obj client.Object) bool {
	return uid == "" || uid == string(obj.GetUID())
}

// StatusRestored reports whether the status of an object was replaced by that of a
// backup, which names another object.
func StatusRestored(before, after client.Object) bool {
	uid := writtenFor(after)
	return uid != writtenFor(before) && !Own(uid, after)
}

// writtenFor is the UID in the record or the status of an object.
func writtenFor(obj client.Object) string {
	switch o := obj.(type) {
	case *v1alpha1.SessionAccess:
		if o.Status.Applied != nil {
			return o.Status.Applied.UID
		}
	case *v1alpha1.SessionDocument:
		return o.Status.UID
	case *v1alpha1.HybridActivation:
		return o.Status.UID
	}
	return ""
}
