package v1alpha1

import (
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationForceDelete, with the value "true", requests to delete a SessionAccess while
// AWS is unreachable. It takes effect on a SessionAccess that is being deleted, when its
// AWSAccount has forceDeletion: Allowed and has been unreachable for 10 minutes. The
// AWSAccount then records the access that is still in AWS as a pending revocation.
const AnnotationForceDelete = "ssm-access.dev/force-delete"

// AnnotationAbandon is the former name of AnnotationForceDelete, which still works.
const AnnotationAbandon = "ssm-access.dev/abandon"

// IsForceDeletionRequested reports whether an annotation requests to delete the object
// while AWS is unreachable.
func (a *SessionAccess) IsForceDeletionRequested() bool {
	return a.Annotations[AnnotationForceDelete] == "true" || a.Annotations[AnnotationAbandon] == "true"
}

// PendingRevocation is the access that a SessionAccess left in AWS when its deletion was
// forced. The operator revokes it when AWS is reachable again.
type PendingRevocation struct {
	// uid of the SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// namespace of the SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// name of the SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// serial of the record in its status when its deletion was forced.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Serial int64 `json:"serial,omitempty"`

	// forcedAt is when the deletion of the SessionAccess was forced.
	// +required
	ForcedAt metav1.Time `json:"forcedAt,omitzero"`

	// grants whose policies the operator still has to remove, and whose open sessions
	// it still has to end.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=65
	Grants []ResolvedGrant `json:"grants,omitempty"`

	// revocation reports the progress of the pending revocation.
	// +optional
	Revocation *RevocationStatus `json:"revocation,omitempty"`
}

// OwedAccess is a pending revocation as earlier versions stored it.
type OwedAccess struct {
	// uid of the SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// namespace of the SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// name of the SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// serial of the record in its status when its deletion was forced.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Serial int64 `json:"serial,omitempty"`

	// abandonedAt is the former name of forcedAt.
	// +required
	ForcedAt metav1.Time `json:"abandonedAt,omitzero"`

	// grants that the operator still has to revoke.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=65
	Grants []ResolvedGrant `json:"grants,omitempty"`

	// revocation reports the progress of the pending revocation.
	// +optional
	Revocation *RevocationStatus `json:"revocation,omitempty"`
}

// UnmarshalJSON decodes the status of an AWSAccount, and moves what earlier versions
// stored in owed to pendingRevocations. So every reader sees it there. Every write of
// the status replaces it as a whole, and thereby stores it there.
func (s *AWSAccountStatus) UnmarshalJSON(data []byte) error {
	type plain AWSAccountStatus
	if err := json.Unmarshal(data, (*plain)(s)); err != nil {
		return fmt.Errorf("decode the status of an AWSAccount: %w", err)
	}
	for _, o := range s.Owed {
		if !slices.ContainsFunc(s.PendingRevocations, func(p PendingRevocation) bool { return p.UID == o.UID }) {
			s.PendingRevocations = append(s.PendingRevocations, PendingRevocation(o))
		}
	}
	s.Owed = nil
	return nil
}
