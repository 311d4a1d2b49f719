package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Tags that every activation carries, and that AWS copies to its nodes.
const (
	// TagActivation holds the UID of the HybridActivation. Access to its nodes is
	// granted by this tag.
	TagActivation = TagPrefix + "activation"
	// TagOwner holds the id of the installation.
	TagOwner = TagPrefix + "owner"
	// TagNonce tells one request for an activation from the others.
	TagNonce = TagPrefix + "nonce"
)

// Keys of the Secret of a HybridActivation.
const (
	// SecretKeyID is the activation's id.
	SecretKeyID = "activation-id"
	// SecretKeyCode is the activation's code.
	SecretKeyCode = "activation-code"
	// SecretKeyRegion is the region in which machines register.
	SecretKeyRegion = "region"
	// SecretKeyLinux is a script that registers a Linux machine.
	SecretKeyLinux = "register-linux.sh"
	// SecretKeyWindows is a script that registers a Windows machine.
	SecretKeyWindows = "register-windows.ps1"
)

// OnDeleteNodes says what becomes of the registered nodes when the object is
// deleted.
//
// +kubebuilder:validation:Enum=Keep;Deregister
type OnDeleteNodes string

const (
	// NodesKeep leaves them registered.
	NodesKeep OnDeleteNodes = "Keep"
	// NodesDeregister deregisters all nodes that registered with an activation of
	// the object, former ones too.
	NodesDeregister OnDeleteNodes = "Deregister"
)

// HybridActivationSpec declares how machines that are no EC2 instances may
// register.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rotateBefore) || !has(self.validFor) || [self.rotateBefore, self.validFor].exists(d, !d.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$')) || duration(self.rotateBefore) < duration(self.validFor)",message="rotateBefore must be shorter than validFor; correct one of them"
type HybridActivationSpec struct {
	// accountRef names the AWSAccount. It cannot change: an activation cannot be
	// moved.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another HybridActivation for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// region in which the machines register. It cannot change.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="region cannot be changed; declare another HybridActivation for the other region"
	Region Region `json:"region,omitempty"`

	// role that the nodes get, by name. Its trust policy must let
	// ssm.amazonaws.com assume it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('arn:')",message="role is the name alone, not an ARN: write SSMServiceRole for arn:aws:iam::488821267897:role/SSMServiceRole"
	// +kubebuilder:validation:XValidation:rule="self.startsWith('arn:') || self.matches('^[A-Za-z0-9_+=,.@-]{1,64}$')",message="role is the name of a role, of at most 64 letters, digits and _+=,.@- and without a path: write SSMServiceRole for service-role/SSMServiceRole"
	Role string `json:"role,omitempty"`

	// registrationLimit is how many machines may register with one activation, 1
	// to 1000.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 1000",message="registrationLimit is from 1 to 1000: AWS takes no more with one activation; declare several HybridActivations for more machines"
	RegistrationLimit *int32 `json:"registrationLimit,omitempty"`

	// validFor is how long machines may register with one activation, from 1h to
	// 720h (30 days). It is replaced before it expires.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$') && duration(self) >= duration('1h') && duration(self) <= duration('720h')",message="validFor is a time from 1h to 720h (30 days, the longest that AWS takes), in h, m and s, for example 24h"
	ValidFor *metav1.Duration `json:"validFor,omitempty"`

	// rotateBefore is how long before it expires an activation is replaced; a
	// tenth of validFor when left out.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$') && duration(self) >= duration('1m')",message="rotateBefore is a time of at least 1m, in h, m and s, for example 2h"
	RotateBefore *metav1.Duration `json:"rotateBefore,omitempty"`

	// defaultInstanceName is the name that the nodes get in AWS.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^[\\\\p{L}\\\\p{Z}\\\\p{N}_.:/=+@-]*$')",message="defaultInstanceName holds letters, digits, spaces and _.:/=+-@ only"
	DefaultInstanceName string `json:"defaultInstanceName,omitempty"`

	// description of the activation in AWS.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Description string `json:"description,omitempty"`

	// tags of the activation, at most 40, which AWS copies to its nodes.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.lowerAscii().startsWith('aws:') && !k.lowerAscii().startsWith('ssm-access.dev/'))",message="tag keys that begin with aws: or ssm-access.dev/ are reserved; choose others"
	Tags map[string]string `json:"tags,omitempty"`

	// secretName is the Secret that gets the activation's id, its code and the
	// commands that register a machine; the name of the object when left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="secretName is the name of a Secret: lower-case letters, digits, dots and hyphens"
	SecretName string `json:"secretName,omitempty"`

	// replenish replaces an activation when all its registrations are used.
	// +optional
	Replenish bool `json:"replenish,omitempty"`

	// onDelete says what becomes of the nodes when this object is deleted.
	// +optional
	// +kubebuilder:default={}
	OnDelete ActivationDeletion `json:"onDelete,omitzero"`
}

// ActivationDeletion says what happens in AWS when a HybridActivation is deleted.
type ActivationDeletion struct {
	// nodes is Keep or Deregister.
	// +optional
	// +kubebuilder:default=Keep
	Nodes OnDeleteNodes `json:"nodes,omitempty"`
}

// HybridActivationStatus is what the operator made of a HybridActivation. It
// never holds an activation's code.
type HybridActivationStatus struct {
	// observedGeneration is the generation of the spec that the conditions judge.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// uid of the object that the conditions judge. With the uid of another object
	// they were restored from a backup, and are no proof of anything. Absent in a
	// status of earlier versions.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// conditions of the activation: Ready, and Reconciling or Stalled while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// activationID is the activation whose code the Secret holds.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ActivationID string `json:"activationID,omitempty"`

	// expiresAt is when no more machines may register with it.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// registered in short: how many machines have registered with it, of how many.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Registered string `json:"registered,omitempty"`

	// nodeCount is how many nodes are registered, with former activations too.
	// +optional
	// +kubebuilder:validation:Minimum=0
	NodeCount *int32 `json:"nodeCount,omitempty"`

	// nodes that are registered, the first 50 by id.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=50
	Nodes []HybridNode `json:"nodes,omitempty"`

	// record is what the operator must remember, written before AWS is told.
	// +optional
	Record *ActivationRecord `json:"record,omitempty"`
}

// HybridNode is a node that registered with an activation.
type HybridNode struct {
	// id of the node, mi-….
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`

	// name of the node.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Name string `json:"name,omitempty"`

	// ping is Online, ConnectionLost or Inactive, as AWS last heard of the agent.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Ping string `json:"ping,omitempty"`

	// agentVersion is the version of the node's agent.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AgentVersion string `json:"agentVersion,omitempty"`
}

// ActivationRecord is what the operator must remember of an activation.
type ActivationRecord struct {
	// accountID is the account in which the activations are.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	AccountID string `json:"accountID,omitempty"`

	// secretName is the Secret that was last written.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`

	// pending is a request whose answer is not known.
	// +optional
	Pending *ActivationRequest `json:"pending,omitempty"`

	// previous activations are still valid, and are deleted in time.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=16
	Previous []PreviousActivation `json:"previous,omitempty"`

	// former activations are gone, and nodes that registered with them are not;
	// the latest 1000.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=64
	Former []string `json:"former,omitempty"`

	// withdrawnAt is when AWS had acknowledged that no activation is left, while
	// the object is being deleted.
	// +optional
	WithdrawnAt *metav1.Time `json:"withdrawnAt,omitempty"`
}

// ActivationRequest is a request to AWS for an activation.
type ActivationRequest struct {
	// nonce is in the activation's tag ssm-access.dev/nonce.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Nonce string `json:"nonce,omitempty"`

	// requestedAt is when it was about to be sent.
	// +required
	RequestedAt metav1.Time `json:"requestedAt,omitzero"`

	// expiresAt is the expiry that it asks for.
	// +required
	ExpiresAt metav1.Time `json:"expiresAt,omitzero"`
}

// PreviousActivation is an activation that another has replaced.
type PreviousActivation struct {
	// id of the activation.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// removeAt is when it is deleted.
	// +required
	RemoveAt metav1.Time `json:"removeAt,omitzero"`
}

// HybridActivation lets machines that are no EC2 instances register as managed nodes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ssmact
// +kubebuilder:printcolumn:name="ID",type=string,JSONPath=`.status.activationID`
// +kubebuilder:printcolumn:name="REGISTERED",type=string,JSONPath=`.status.registered`
// +kubebuilder:printcolumn:name="EXPIRES",type=string,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="REASON",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,priority=1,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="NODES",type=integer,priority=1,JSONPath=`.status.nodeCount`
type HybridActivation struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the activation.
	// +required
	Spec HybridActivationSpec `json:"spec,omitzero"`

	// status is what the operator made of it.
	// +optional
	Status HybridActivationStatus `json:"status,omitzero"`
}

// AccountName is the AWSAccount that the object names.
func (a *HybridActivation) AccountName() string { return a.Spec.AccountRef.Name }

// SecretName is the Secret that gets the code.
func (a *HybridActivation) SecretName() string {
	if a.Spec.SecretName != "" {
		return a.Spec.SecretName
	}
	return a.Name
}

// HybridActivationList is a list of HybridActivations.
//
// +kubebuilder:object:root=true
type HybridActivationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []HybridActivation `json:"items"`
}
