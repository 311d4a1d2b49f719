package v1alpha1

// NodeExclusion names nodes: those with one of the ids, and those that carry one
// of the tags.
//
// +kubebuilder:validation:MinProperties=1
type NodeExclusion struct {
	// instanceIDs of EC2 instances and hybrid managed nodes, at most 100. IAM cannot
	// except an id from a grant by tags, so a grant by tags is refused where an id
	// is excluded; prefer tags.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^(i-[0-9a-f]{8}|i-[0-9a-f]{17}|mi-[0-9a-f]{17})$')",message="an instance id is i- or mi- and 17 hex digits (older ones i- and 8), without wildcards, for example i-051cac51072605f39"
	InstanceIDs []InstanceID `json:"instanceIDs,omitempty"`

	// tags that exclude a node which carries one of them, at most 10 keys. They become a condition
	// of every statement that allows nodes, also for instances that are given by id.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:XValidation:rule="self.all(t, self.exists_one(u, u.key.lowerAscii() == t.key.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; join their values under one of them"
	// +kubebuilder:validation:XValidation:rule="self.map(t, size(t.values)).sum() <= 50",message="a rule excludes at most 50 values of tags in all; give the nodes a common tag and exclude that"
	// +kubebuilder:validation:items:XValidation:rule="self.key.matches('^[\\\\p{L}\\\\p{M}\\\\p{Z}\\\\p{N}_.:/=+@-]+$')",message="a tag key holds letters, digits, spaces and _.:/=+-@ only, as AWS has it; name each key in full"
	Tags []ExcludedTag `json:"tags,omitempty"`
}

// ExcludedTag is a tag with any of several values.
type ExcludedTag struct {
	// key of the tag. It matches whatever its case.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Key string `json:"key,omitempty"`

	// values of the tag, any of at most 50.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=256
	Values []string `json:"values,omitempty"`
}
