package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationAbandon, with the value "true", requests to delete a SessionAccess while
// AWS is unreachable. It takes effect on a SessionAccess that is being deleted, when
// its AWSAccount has allowAbandon: true and has been unreachable for 10 minutes. The
// AWSAccount then records the access that is still in AWS as a pending revocation.
const AnnotationAbandon = "ssm-access.dev/abandon"

// OwedAccess is a pending revocation: the access that an abandoned SessionAccess
// left in AWS. The operator revokes it when AWS is reachable again.
type OwedAccess struct {
	// uid of the abandoned SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// namespace of the abandoned SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`

	// name of the abandoned SessionAccess.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// serial of the record in its status when it was abandoned.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Serial int64 `json:"serial,omitempty"`

	// abandonedAt is when the SessionAccess was abandoned.
	// +required
	AbandonedAt metav1.Time `json:"abandonedAt,omitzero"`

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
