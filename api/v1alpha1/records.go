package v1alpha1

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// formerConditions are condition types that have another name now.
var formerConditions = map[string]string{
	"SessionListing": ConditionSessionsListable,
	"PolicyQuota":    ConditionPolicyQuotaNearlyExhausted,
	"RemovalHeld":    ConditionOrphanCleanupBlocked,
	"Widened":        ConditionEffectiveAccessBroader,
	"PrefixHazard":   ConditionSessionPrefixOverlap,
}

// RenameConditions gives conditions that an earlier version stored their present names.
// Where a condition has both names, the former one is removed.
func RenameConditions(conditions *[]metav1.Condition) {
	former := func(c metav1.Condition) bool { return formerConditions[c.Type] != "" }
	if !slices.ContainsFunc(*conditions, former) {
		return
	}
	var kept []metav1.Condition
	for _, c := range *conditions {
		if name := formerConditions[c.Type]; name != "" {
			if meta.FindStatusCondition(*conditions, name) != nil {
				continue
			}
			c.Type = name
		}
		kept = append(kept, c)
	}
	*conditions = kept
}

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
	if access, ok := obj.(*SessionAccess); ok {
		if access.Status.Applied == nil {
			return ""
		}
		return access.Status.Applied.UID
	}
	own, ok := obj.(Object)
	if !ok {
		return ""
	}
	if _, _, _, uid := own.StatusFields(); uid != nil {
		return *uid
	}
	return ""
}
