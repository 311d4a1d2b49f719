package metrics

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// The states of a SessionAccess.
const (
	stateGranted   = "granted"   // the access is in place
	stateScheduled = "scheduled" // its time has not come
	stateExpired   = "expired"   // its time has passed
	stateObserved  = "observed"  // it would be granted, but for mode Observe
	statePending   = "pending"   // the operator works on it
	stateRevoking  = "revoking"  // the operator revokes the access
	stateStalled   = "stalled"   // a user has to act
)

var states = []string{stateGranted, stateScheduled, stateExpired, stateObserved, statePending, stateRevoking, stateStalled}

// stateOf is the state of a SessionAccess; the first that holds counts.
func stateOf(access *v1alpha1.SessionAccess) string {
	conditions := access.Status.Conditions
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	active := meta.FindStatusCondition(conditions, v1alpha1.ConditionActive)
	switch {
	case ready != nil && ready.Reason == v1alpha1.ReasonObserved && access.DeletionTimestamp.IsZero():
		return stateObserved // A trial is no alarm.
	case meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionStalled):
		return stateStalled
	case !access.DeletionTimestamp.IsZero():
		return stateRevoking
	case ready == nil:
		return statePending
	case ready.Reason == v1alpha1.ReasonRevoking, ready.Reason == v1alpha1.ReasonEndingSessions:
		return stateRevoking
	case ready.Reason == v1alpha1.ReasonPrincipalNotFound:
		return stateStalled // It recovers by itself once a user has created the principal.
	case ready.Status != metav1.ConditionTrue:
		return statePending
	case active != nil && active.Reason == v1alpha1.ReasonNotYetValid:
		return stateScheduled
	case active != nil && active.Reason == v1alpha1.ReasonExpired:
		return stateExpired
	default:
		return stateGranted
	}
}
