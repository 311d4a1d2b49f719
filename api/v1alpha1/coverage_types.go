package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CoverageStart is the time at which parts were added to an existing grant. A grant
// covers an owner, a node and a region from the latest of their three start times.
type CoverageStart struct {
	// since is when the operator recorded the parts, before it asked AWS to allow
	// them.
	// +required
	Since metav1.Time `json:"since,omitzero"`

	// parts that were added: principals such as "User/user01", node ids, hashes of
	// tags, and regions.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6200
	// +kubebuilder:validation:items:MaxLength=192
	Parts []string `json:"parts,omitempty"`
}

// InheritedStart is a start time that this grant took over from another one. The
// other grant covered a session and then ended; this grant allows the session too,
// so the session stays open.
type InheritedStart struct {
	// owner of the session, such as "User/user01", in lower case.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=192
	Owner string `json:"owner,omitempty"`

	// node on which the session is open.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Node string `json:"node,omitempty"`

	// since is when the earliest of the former grants began to cover the owner on the
	// node. Absent when the operator does not know it.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
}

// IncompleteRegion is a region in which a revocation is not complete.
type IncompleteRegion struct {
	// accountID is the 12-digit id of the AWS account.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	AccountID string `json:"accountID,omitempty"`

	// region in which the operator could not list, judge or end open sessions.
	// +required
	Region Region `json:"region,omitempty"`

	// message describes the cause and what to do.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// RegionListing reports whether the operator can list the open sessions of a region.
type RegionListing struct {
	// region of the account.
	// +required
	Region Region `json:"region,omitempty"`

	// everListed reports whether the operator could ever list the sessions of the
	// region. Once it is true, revocations wait whenever the operator cannot list
	// them.
	// +required
	EverListed *bool `json:"everListed,omitempty"`

	// message describes why the operator cannot list the sessions now. Absent when it
	// can.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}
