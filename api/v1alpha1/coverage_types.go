package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CoverageStart is when parts of a grant were added that it did not have from the
// beginning. A grant covers an owner on a node in a region since the latest of the
// starts of the three.
type CoverageStart struct {
	// since is when the parts were recorded, which is before AWS was asked to allow
	// them.
	// +required
	Since metav1.Time `json:"since,omitzero"`

	// parts that were added: principals such as "User/user01", node ids, tags by
	// their hash, regions.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6200
	// +kubebuilder:validation:items:MaxLength=192
	Parts []string `json:"parts,omitempty"`
}

// InheritedStart is since when another grant had covered an owner on a node when it
// ended and left a session to this one, which allows it, too.
type InheritedStart struct {
	// owner of the session, such as "User/user01", in lower case.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=192
	Owner string `json:"owner,omitempty"`

	// node of the session.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Node string `json:"node,omitempty"`

	// since is when the earliest of those grants began to cover the two. Absent
	// where that is not known.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
}

// IncompleteRegion is a region in which a revocation is not complete.
type IncompleteRegion struct {
	// accountID of the account.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	AccountID string `json:"accountID,omitempty"`

	// region in which open sessions could not be listed, judged or ended.
	// +required
	Region Region `json:"region,omitempty"`

	// message says why, and what to do.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}

// RegionListing is whether the open sessions of a region can be listed.
type RegionListing struct {
	// region of the account.
	// +required
	Region Region `json:"region,omitempty"`

	// everListed is true once the sessions of the region could be listed. From then
	// on a revocation waits for it.
	// +required
	EverListed *bool `json:"everListed,omitempty"`

	// message says why they cannot be listed now; absent where they can.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}
