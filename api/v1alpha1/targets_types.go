package v1alpha1

// TargetsStatus counts the nodes of an access that a session can reach, and
// tells of those that it cannot.
type TargetsStatus struct {
	// total of the nodes that the targets name, and of those found by their tags.
	// A stopped instance counts, a terminated one that is named by its tags does not.
	// +required
	// +kubebuilder:validation:Minimum=0
	Total *int32 `json:"total,omitempty"`

	// connected counts the nodes on which a session can be opened.
	// +required
	// +kubebuilder:validation:Minimum=0
	Connected *int32 `json:"connected,omitempty"`

	// unknown counts the nodes of which it could not be told whether they are
	// connected.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unknown int32 `json:"unknown,omitempty"`

	// impaired counts the nodes that are connected, and on which what a session
	// document asks for does not work: its log, its key.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Impaired int32 `json:"impaired,omitempty"`

	// unjudged counts the nodes that are connected, and of which it could not be
	// told whether what a session document asks for works.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Unjudged int32 `json:"unjudged,omitempty"`

	// incomplete says that more nodes carry the tags than are looked at, or that
	// they could not all be looked for.
	// +optional
	Incomplete bool `json:"incomplete,omitempty"`

	// failing lists the first nodes that are not known to be as they should be, those
	// that are not connected before the others, each with what to mend first.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=20
	Failing []FailingTarget `json:"failing,omitempty"`
}

// TargetState says what is wrong with a node.
//
// +kubebuilder:validation:Enum=NotConnected;Unknown;Impaired
type TargetState string

const (
	// TargetNotConnected: no session can be opened on the node.
	TargetNotConnected TargetState = "NotConnected"
	// TargetUnknown: it could not be told whether the node is connected or, of one
	// that is, whether what a session document asks for works on it.
	TargetUnknown TargetState = "Unknown"
	// TargetImpaired: the node is connected, and something that a session document
	// asks for does not work on it.
	TargetImpaired TargetState = "Impaired"
)

// FailingTarget is a node that is not as it should be.
type FailingTarget struct {
	// id of the node, i-… or mi-….
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// region of the node.
	// +optional
	Region Region `json:"region,omitempty"`

	// state says what is wrong.
	// +required
	State TargetState `json:"state,omitempty"`

	// check is the first that fails or, where none does, that could not be made.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Check string `json:"check,omitempty"`

	// reason is what the check found: a section of docs/troubleshooting.md.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Reason string `json:"reason,omitempty"`

	// message says what is wrong.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// remedy says what to do.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Remedy string `json:"remedy,omitempty"`
}
