package v1alpha1

// TargetsStatus counts the nodes of an access by whether a session can reach them,
// and lists those that it cannot.
type TargetsStatus struct {
	// total is the number of nodes that the targets name, and of nodes found by their
	// tags. It includes stopped instances. It does not include terminated instances
	// that are selected by tags.
	// +required
	// +kubebuilder:validation:Minimum=0
	Total *int32 `json:"total,omitempty"`

	// connected is the number of nodes on which a session can be opened.
	// +required
	// +kubebuilder:validation:Minimum=0
	Connected *int32 `json:"connected,omitempty"`

	// unknown is the number of nodes where the operator does not know whether they
	// are connected.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unknown int32 `json:"unknown,omitempty"`

	// impaired is the number of nodes that are connected but on which something that
	// a session document requires does not work: its log or its key.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Impaired int32 `json:"impaired,omitempty"`

	// unjudged is the number of nodes that are connected and where the operator does
	// not know whether what a session document requires works.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unjudged int32 `json:"unjudged,omitempty"`

	// incomplete reports whether the operator checked only some of the nodes: more
	// nodes carry the tags than it checks, or it could not list them all.
	// +optional
	Incomplete bool `json:"incomplete,omitempty"`

	// failing lists the first nodes that are not known to be in order, each with the
	// first problem to fix. Nodes that are not connected come first.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=20
	Failing []FailingTarget `json:"failing,omitempty"`
}

// TargetState is the problem of a node.
//
// +kubebuilder:validation:Enum=NotConnected;Unknown;Impaired
type TargetState string

const (
	// TargetNotConnected: no session can be opened on the node.
	TargetNotConnected TargetState = "NotConnected"
	// TargetUnknown: the operator does not know whether the node is connected, or
	// whether what a session document requires works on a connected node.
	TargetUnknown TargetState = "Unknown"
	// TargetImpaired: the node is connected, but something that a session document
	// requires does not work on it.
	TargetImpaired TargetState = "Impaired"
)

// FailingTarget is a node that is not known to be in order.
type FailingTarget struct {
	// id of the node, i-… or mi-….
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// region of the node.
	// +optional
	Region Region `json:"region,omitempty"`

	// kind is what the node is, with its id there, where it is neither an EC2 instance nor
	// a machine that registered with an activation, such as "Azure virtual machine vm-7".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Kind string `json:"kind,omitempty"`

	// state is NotConnected, Impaired or Unknown.
	// +required
	State TargetState `json:"state,omitempty"`

	// check is the name of the first check that fails or, if none fails, of the first
	// check that the operator could not make.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Check string `json:"check,omitempty"`

	// reason is the result of the check. It is the name of a section in
	// docs/troubleshooting.md.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// message describes the problem.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// remedy describes how to fix the problem.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Remedy string `json:"remedy,omitempty"`
}
