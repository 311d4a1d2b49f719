package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Decided reports whether the operator decided on a generation of an object: the
// conditions are about that generation, and the object waits for nothing.
func Decided(conditions []metav1.Condition, generation int64) bool {
	ready := meta.FindStatusCondition(conditions, ConditionReady)
	return ready != nil && ready.ObservedGeneration == generation &&
		!meta.IsStatusConditionTrue(conditions, ConditionReconciling)
}

// IsOwnRecord reports whether a record, or a status, was written for this object. uid is
// the UID in the record: that of another object where a backup was restored, and "" in
// what earlier versions wrote, which counts as the object's own.
func IsOwnRecord(uid string, obj metav1.Object) bool {
	return uid == "" || uid == string(obj.GetUID())
}

// IsStatusRestored reports whether the status of an object was replaced by that of a
// backup, which names another object.
func IsStatusRestored(before, after metav1.Object) bool {
	uid := recordedUID(after)
	return uid != recordedUID(before) && !IsOwnRecord(uid, after)
}

// recordedUID is the UID in the record or the status of an object.
func recordedUID(obj metav1.Object) string {
	switch o := obj.(type) {
	case *SessionAccess:
		if o.Status.Applied != nil {
			return o.Status.Applied.UID
		}
	case *SessionDocument:
		return o.Status.UID
	case *HybridActivation:
		return o.Status.UID
	}
	return ""
}
