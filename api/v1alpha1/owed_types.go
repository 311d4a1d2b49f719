package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AnnotationAbandon on a SessionAccess that is being deleted, with the value
// "true", lets it go without AWS where its AWSAccount allows that and AWS has
// been out of reach for long enough. The account then owes what is left.
const AnnotationAbandon = "ssm-access.dev/abandon"

// OwedAccess is what a SessionAccess left in AWS when it was let go while AWS
// was out of reach. It is taken away as soon as AWS is back.
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

	// serial of its record when it was let go.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Serial int64 `json:"serial,omitempty"`

	// abandonedAt is when it was let go.
	// +required
	AbandonedAt metav1.Time `json:"abandonedAt,omitzero"`

	// grants whose policies and open sessions are to be taken away.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=65
	Grants []ResolvedGrant `json:"grants,omitempty"`

	// revocation tells how far that is.
	// +optional
	Revocation *RevocationStatus `json:"revocation,omitempty"`
}
