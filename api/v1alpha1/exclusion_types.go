package v1alpha1

// NodeExclusion selects nodes: those with one of the ids, and those that carry one
// of the tags.
//
// +kubebuilder:validation:MinProperties=1
type NodeExclusion struct {
	// instanceIDs are the ids of EC2 instances and hybrid managed nodes, at most 100.
	// IAM cannot exclude an id from a grant by tags, so the operator refuses grants
	// by tags where an id is excluded. Prefer tags.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="size(self) <= 20 && self.matches('^(i-[0-9a-f]{8}|i-[0-9a-f]{17}|mi-[0-9a-f]{17})$')",message="an instance id is i- or mi- and 17 hex digits (older ones i- and 8), without wildcards, for example i-051cac51072605f39"
	InstanceIDs []InstanceID `json:"instanceIDs,omitempty"`

	// tags that exclude a node, at most 10 keys: a node is excluded if it carries one
	// of them. They become a condition of every statement that allows nodes,
	// including nodes that are given by id.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:XValidation:rule="self.all(t, self.exists_one(u, u.key.lowerAscii() == t.key.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; join their values under one of them"
	// +kubebuilder:validation:XValidation:rule="self.map(t, size(t.values)).sum() <= 50",message="a rule excludes at most 50 values of tags in all; give the nodes a common tag and exclude that"
	// +kubebuilder:validation:items:XValidation:rule="self.key.matches('^[\\\\p{L}\\\\p{M}\\\\p{Z}\\\\p{N}_.:/=+@-]+$')",message="a tag key holds letters, digits, spaces and _.:/=+-@ only, as AWS has it; name each key in full"
	Tags []ExcludedTag `json:"tags,omitempty"`
}

// ExcludedTag is a tag key with one or more values.
type ExcludedTag struct {
	// key of the tag. It matches regardless of case.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Key string `json:"key,omitempty"`

	// values of the tag, at most 50. A node matches if its tag has one of them.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MaxLength=256
	Values []string `json:"values,omitempty"`
}
