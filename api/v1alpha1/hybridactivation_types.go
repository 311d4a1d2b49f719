package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Tags of every activation. AWS copies them to the nodes that register with it.
const (
	// TagActivation holds the UID of the HybridActivation. Policies allow sessions on
	// its nodes by this tag.
	TagActivation = TagPrefix + "activation"
	// TagOwner holds the owner id of the installation.
	TagOwner = TagPrefix + "owner"
	// TagNonce holds a value that is unique to each request for an activation.
	TagNonce = TagPrefix + "nonce"
)

// Keys of the Secret of a HybridActivation.
const (
	// SecretKeyID holds the id of the activation.
	SecretKeyID = "activation-id"
	// SecretKeyCode holds the code of the activation.
	SecretKeyCode = "activation-code"
	// SecretKeyRegion holds the region in which machines register.
	SecretKeyRegion = "region"
	// SecretKeyLinux holds a script that registers a Linux machine.
	SecretKeyLinux = "register-linux.sh"
	// SecretKeyWindows holds a script that registers a Windows machine.
	SecretKeyWindows = "register-windows.ps1"
)

// NodeDeletionPolicy defines what happens to the registered nodes when a
// HybridActivation is deleted.
//
// +kubebuilder:validation:Enum=Keep;Deregister
type NodeDeletionPolicy string

const (
	// NodesKeep leaves the nodes registered.
	NodesKeep NodeDeletionPolicy = "Keep"
	// NodesDeregister deregisters every node that registered with an activation of
	// the object, former activations included.
	NodesDeregister NodeDeletionPolicy = "Deregister"
)

// HybridActivationSpec declares how non-EC2 machines may register as managed nodes.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rotateBefore) || !has(self.validFor) || [self.rotateBefore, self.validFor].exists(d, !d.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$')) || duration(self.rotateBefore) < duration(self.validFor)",message="rotateBefore must be shorter than validFor; correct one of them"
type HybridActivationSpec struct {
	// accountRef names the AWSAccount. It cannot be changed, because AWS cannot move
	// an activation to another account.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another HybridActivation for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// region in which the machines register. It must be among the regions of the
	// AWSAccount, and cannot be changed.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="region cannot be changed; declare another HybridActivation for the other region"
	Region Region `json:"region,omitempty"`

	// role is the IAM role that the nodes get: its name, or its path and name where it
	// has a path, as in service-role/NAME, with at most 64 characters. Its trust policy
	// must let ssm.amazonaws.com assume it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('arn:')",message="role is a name, not an ARN: write SSMServiceRole for arn:aws:iam::488821267897:role/SSMServiceRole, and service-role/NAME for arn:aws:iam::488821267897:role/service-role/NAME"
	// +kubebuilder:validation:XValidation:rule="self.startsWith('arn:') || (size(self) <= 64 && self.matches('^([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]+$'))",message="role is the name of a role, with its path before it where it has one, as in service-role/NAME: at most 64 letters, digits and _+=,.@-/ in all, and no slash at the begin"
	Role string `json:"role,omitempty"`

	// registrationLimit is how many machines may register with one activation, 1 to
	// 1000. Defaults to 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 1000",message="registrationLimit is from 1 to 1000: AWS takes no more with one activation; declare several HybridActivations for more machines"
	RegistrationLimit *int32 `json:"registrationLimit,omitempty"`

	// validFor is how long machines may register with one activation, from 1h to 720h
	// (30 days). The operator replaces the activation before it expires. Defaults to
	// 24h.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$') && duration(self) >= duration('1h') && duration(self) <= duration('720h')",message="validFor is a time from 1h to 720h (30 days, the longest that AWS takes), in h, m and s, for example 24h"
	ValidFor *metav1.Duration `json:"validFor,omitempty"`

	// rotateBefore is how long before its expiry the operator replaces an activation,
	// at least 1m. Defaults to a tenth of validFor.
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

	// tags of the activation, at most 40. AWS copies them to the nodes. Keys that
	// begin with aws: or ssm-access.dev/ are reserved.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.lowerAscii().startsWith('aws:') && !k.lowerAscii().startsWith('ssm-access.dev/'))",message="tag keys that begin with aws: or ssm-access.dev/ are reserved; choose others"
	Tags map[string]string `json:"tags,omitempty"`

	// secretName is the Secret in which the operator stores the id of the activation,
	// its code, and scripts that register a machine. Defaults to the name of the
	// object.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')",message="secretName is the name of a Secret: lower-case letters, digits, dots and hyphens"
	SecretName string `json:"secretName,omitempty"`

	// replenish replaces an activation when all its registrations are used. Defaults
	// to false.
	// +optional
	Replenish bool `json:"replenish,omitempty"`

	// nodeDeletionPolicy defines what happens to the nodes when this object is deleted:
	// Keep leaves them registered, Deregister deregisters them. The activation itself is
	// always deleted, so that no machine registers with a code that no object declares.
	// Defaults to Keep.
	// +optional
	NodeDeletionPolicy NodeDeletionPolicy `json:"nodeDeletionPolicy,omitempty"`

	// onDelete holds the former name of nodeDeletionPolicy. It applies to an object
	// without nodeDeletionPolicy.
	//
	// Deprecated: Use nodeDeletionPolicy.
	// +optional
	OnDelete ActivationDeletion `json:"onDelete,omitzero"`

	// suspend stops changes: while it is true, no activation is created or replaced.
	// Activations that allow more than is declared are still deleted, and those that
	// exist let machines register until they expire.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ActivationDeletion is where earlier versions had nodeDeletionPolicy.
type ActivationDeletion struct {
	// nodes is the former name of nodeDeletionPolicy.
	//
	// Deprecated: Use nodeDeletionPolicy.
	// +optional
	Nodes NodeDeletionPolicy `json:"nodes,omitempty"`
}

// HybridActivationStatus is the observed state of a HybridActivation. It never holds
// the code of an activation.
type HybridActivationStatus struct {
	// observedGeneration is the generation of the spec that the conditions describe; -1
	// before the operator has reconciled the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// uid of the object that the conditions describe. If it is the uid of another
	// object, the status was restored from a backup, and the conditions prove nothing
	// about this one. Absent in a status that an earlier version wrote.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// conditions of the activation: Ready always, Reconciling or Stalled while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// activationID is the id of the activation whose code the Secret holds.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ActivationID string `json:"activationID,omitempty"`

	// expiresAt is when that activation expires. After it, no machine can register
	// with it.
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// registrationCount is how many machines have registered with that activation.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RegistrationCount *int32 `json:"registrationCount,omitempty"`

	// registrationLimit is how many machines may register with that activation.
	// +optional
	// +kubebuilder:validation:Minimum=0
	RegistrationLimit *int32 `json:"registrationLimit,omitempty"`

	// nodeCount is the number of registered nodes, including those of former
	// activations.
	// +optional
	// +kubebuilder:validation:Minimum=0
	NodeCount *int32 `json:"nodeCount,omitempty"`

	// nodes that are registered, the first 50 by id.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=50
	Nodes []HybridNode `json:"nodes,omitempty"`

	// record is the state that the operator must not lose. The operator writes it
	// before it calls AWS.
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

	// name of the node in AWS.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Name string `json:"name,omitempty"`

	// ping is the connection status of the agent that AWS reports: Online,
	// ConnectionLost or Inactive.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Ping string `json:"ping,omitempty"`

	// agentVersion is the version of the SSM Agent on the node.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	AgentVersion string `json:"agentVersion,omitempty"`
}

// ActivationRecord is the state of an activation that the operator must not lose.
type ActivationRecord struct {
	// accountID is the 12-digit id of the AWS account that holds the activations.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	AccountID string `json:"accountID,omitempty"`

	// secretName is the Secret that the operator wrote last.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName,omitempty"`

	// pending is a request for an activation whose result the operator does not know
	// yet.
	// +optional
	Pending *ActivationRequest `json:"pending,omitempty"`

	// previous lists replaced activations that are still valid and that the operator
	// deletes later.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=16
	Previous []PreviousActivation `json:"previous,omitempty"`

	// former lists the ids of activations that no longer exist but still have
	// registered nodes, at most the latest 1000.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MaxLength=64
	Former []string `json:"former,omitempty"`

	// withdrawnAt is when AWS had acknowledged, during the deletion of the object,
	// that no activation is left.
	// +optional
	WithdrawnAt *metav1.Time `json:"withdrawnAt,omitempty"`
}

// ActivationRequest is a request to AWS for an activation.
type ActivationRequest struct {
	// nonce is the value of the activation's tag ssm-access.dev/nonce. It identifies
	// the request.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Nonce string `json:"nonce,omitempty"`

	// requestedAt is when the operator recorded the request, just before it sent it.
	// +required
	RequestedAt metav1.Time `json:"requestedAt,omitzero"`

	// expiresAt is the expiry that the request asks for.
	// +required
	ExpiresAt metav1.Time `json:"expiresAt,omitzero"`
}

// PreviousActivation is an activation that another one has replaced.
type PreviousActivation struct {
	// id of the activation.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`

	// removeAt is when the operator deletes the activation.
	// +required
	RemoveAt metav1.Time `json:"removeAt,omitzero"`
}

// HybridActivation lets non-EC2 machines register as managed nodes.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ssmact
// +kubebuilder:printcolumn:name="REGISTERED",type=integer,JSONPath=`.status.registrationCount`
// +kubebuilder:printcolumn:name="LIMIT",type=integer,JSONPath=`.status.registrationLimit`
// +kubebuilder:printcolumn:name="EXPIRES",type=string,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ID",type=string,priority=1,JSONPath=`.status.activationID`
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,priority=1,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="NODES",type=integer,priority=1,JSONPath=`.status.nodeCount`
type HybridActivation struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired activation.
	// +required
	Spec HybridActivationSpec `json:"spec,omitzero"`

	// status is the observed state of the activation.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status HybridActivationStatus `json:"status,omitzero"`
}

// AccountName returns the name of the AWSAccount in spec.accountRef.
func (a *HybridActivation) AccountName() string { return a.Spec.AccountRef.Name }

// SecretName returns the name of the Secret that holds the activation code:
// spec.secretName, or the object's own name.
func (a *HybridActivation) SecretName() string {
	if a.Spec.SecretName != "" {
		return a.Spec.SecretName
	}
	return a.Name
}

// NodeDeletionPolicy returns what happens to the nodes when the object is deleted:
// spec.nodeDeletionPolicy, its former name spec.onDelete.nodes, or Keep.
func (a *HybridActivation) NodeDeletionPolicy() NodeDeletionPolicy {
	return cmp.Or(a.Spec.NodeDeletionPolicy, a.Spec.OnDelete.Nodes, NodesKeep)
}

// HybridActivationList is a list of HybridActivations.
//
// +kubebuilder:object:root=true
type HybridActivationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []HybridActivation `json:"items"`
}

// EmptyList returns an empty HybridActivationList.
func (*HybridActivation) EmptyList() ObjectList { return &HybridActivationList{} }

// HasRecord reports whether the status names an activation, made or about to be made.
func (a *HybridActivation) HasRecord() bool {
	return a.Status.Record != nil || a.Status.ActivationID != ""
}

// StatusFields returns pointers to the status, and to what every kind has in it.
func (a *HybridActivation) StatusFields() (status any, conditions *[]metav1.Condition, observedGeneration *int64, uid *string) {
	return &a.Status, &a.Status.Conditions, &a.Status.ObservedGeneration, &a.Status.UID
}

// IsSuspended returns spec.suspend.
func (a *HybridActivation) IsSuspended() bool { return a.Spec.Suspend }
