package v1alpha1

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SessionType is the type of the sessions that a document opens.
//
// +kubebuilder:validation:Enum=Standard_Stream;InteractiveCommands;NonInteractiveCommands;Port
type SessionType string

const (
	// SessionStandardStream opens a shell, with the preferences in inputs.
	SessionStandardStream SessionType = "Standard_Stream"
	// SessionInteractiveCommands runs commands with which the user can interact.
	SessionInteractiveCommands SessionType = "InteractiveCommands"
	// SessionNonInteractiveCommands runs commands and shows their output.
	SessionNonInteractiveCommands SessionType = "NonInteractiveCommands"
	// SessionPort forwards a port.
	SessionPort SessionType = "Port"
)

// Promotion defines when a new version of a document becomes its default version.
//
// +kubebuilder:validation:Enum=Automatic;Manual
type Promotion string

const (
	// PromotionAutomatic makes a new version the default at once.
	PromotionAutomatic Promotion = "Automatic"
	// PromotionManual keeps the former default until spec.defaultVersion names the
	// new version.
	PromotionManual Promotion = "Manual"
)

// SessionDocumentSpec declares a session document of schema version 1.0.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) == has(oldSelf.name)",message="name cannot be added or removed later; declare another SessionDocument for the other document"
// +kubebuilder:validation:XValidation:rule="self.sessionType != 'Standard_Stream' || !has(self.properties)",message="properties belong to the session types InteractiveCommands, NonInteractiveCommands and Port; a Standard_Stream session has inputs only"
// +kubebuilder:validation:XValidation:rule="self.sessionType == 'Standard_Stream' || has(self.properties)",message="this session type needs properties: commands for a platform, or portNumber for Port"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType != 'Port' || (!has(self.properties.linux) && !has(self.properties.windows) && !has(self.properties.macOS))",message="linux, windows and macOS belong to the session types InteractiveCommands and NonInteractiveCommands; a Port session has portNumber, localPortNumber, host and type"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType == 'Port' || (!has(self.properties.portNumber) && !has(self.properties.localPortNumber) && !has(self.properties.host) && !has(self.properties.type))",message="portNumber, localPortNumber, host and type belong to the session type Port; a session of commands has linux, windows or macOS"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType == 'Port' || has(self.properties.linux) || has(self.properties.windows) || has(self.properties.macOS)",message="properties names no platform; give commands for linux, windows or macOS"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType != 'Port' || has(self.properties.portNumber)",message="a Port session needs properties.portNumber, the port on the node, for example \"22\""
// +kubebuilder:validation:XValidation:rule="!has(self.defaultVersion) || self.promotion == 'Manual'",message="defaultVersion is used with promotion: Manual only; with Automatic the newest version is the default"
type SessionDocumentSpec struct {
	// accountRef names the AWSAccount. It cannot be changed, because a document in
	// one account could not be cleaned up through another one.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another SessionDocument for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// name of the document in AWS. It cannot be changed. Defaults to the name of the
	// object.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_.-]+$')",message="a document's name holds letters, digits and _.- only"
	// +kubebuilder:validation:XValidation:rule="!self.lowerAscii().startsWith('aws') && !self.lowerAscii().startsWith('amazon') && !self.lowerAscii().startsWith('amzn')",message="names that begin with aws, amazon or amzn, in whatever case, are reserved by AWS; choose another name"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="name cannot be changed; declare another SessionDocument for the other document"
	Name string `json:"name,omitempty"`

	// regions in which the operator keeps the document. Each must be among the
	// regions of the AWSAccount, which are the default.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// description that the document holds in AWS.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`

	// sessionType is the type of the sessions that the document opens. Defaults to
	// Standard_Stream.
	// +optional
	// +kubebuilder:default=Standard_Stream
	SessionType SessionType `json:"sessionType,omitempty"`

	// inputs are the preferences of the sessions: logs, encryption, user, time limits.
	// +optional
	Inputs *SessionInputs `json:"inputs,omitempty"`

	// parameters whose values a user may give when opening a session, at most 20.
	// Other fields of the document refer to one as {{ name }}.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x.name == y.name))",message="two parameters have the same name; give each a name of its own"
	// +kubebuilder:validation:XValidation:rule="self.map(p, has(p.allowedValues) ? p.allowedValues.map(v, size(v)).sum() : 0).sum() <= 65536",message="the allowedValues of the parameters hold more than 65536 characters, and AWS takes no document of that size; use allowedPattern"
	// +kubebuilder:validation:XValidation:rule="self.map(p, (has(p.defaultList) ? p.defaultList.map(v, size(v)).sum() : 0) + (has(p.defaultMap) ? p.defaultMap.map(k, size(k) + size(p.defaultMap[k])).sum() : 0)).sum() <= 65536",message="the defaults of the parameters hold more than 65536 characters, and AWS takes no document of that size; shorten them"
	// +kubebuilder:validation:items:XValidation:rule="self.name.matches('^[a-zA-Z0-9_]+$')",message="a parameter's name holds letters, digits and _ only"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.minChars) || !has(self.maxChars) || self.minChars <= self.maxChars",message="minChars is greater than maxChars, so no value fits; correct one of them"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.default) || !has(self.allowedValues) || self.default in self.allowedValues",message="default is not among allowedValues; add it there, or choose another"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.defaultList) || !has(self.allowedValues) || self.defaultList.all(v, v in self.allowedValues)",message="defaultList holds a text that is not among allowedValues; add it there, or choose another"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.default) || !has(self.type) || self.type == 'String'",message="default is the default of a String; a StringList has defaultList and a StringMap has defaultMap"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.defaultList) || (has(self.type) && self.type == 'StringList')",message="defaultList needs type: StringList; a String has default and a StringMap has defaultMap"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.defaultMap) || (has(self.type) && self.type == 'StringMap')",message="defaultMap needs type: StringMap; a String has default and a StringList has defaultList"
	// +kubebuilder:validation:items:XValidation:rule="(!has(self.minItems) && !has(self.maxItems)) || (has(self.type) && self.type != 'String')",message="minItems and maxItems count the items of a StringList or a StringMap; a String has minChars and maxChars"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.minItems) || !has(self.maxItems) || self.minItems <= self.maxItems",message="minItems is greater than maxItems, so no value fits; correct one of them"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.interpolationType) || !has(self.type) || self.type == 'String'",message="interpolationType is for parameters of type String; remove it"
	Parameters []DocumentParameter `json:"parameters,omitempty"`

	// properties define what sessions of the types InteractiveCommands,
	// NonInteractiveCommands and Port do.
	// +optional
	Properties *SessionProperties `json:"properties,omitempty"`

	// tags of the document, at most 40. The operator does not remove tags of other
	// writers.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && !k.startsWith('ssm-access.dev/'))",message="tag keys that begin with aws: or ssm-access.dev/ are reserved; choose others"
	Tags map[string]string `json:"tags,omitempty"`

	// sharedWith lists who may also use the document, at most 100: accounts by their 12
	// digits, and organizations and organizational units by their ARNs. A guardrail must
	// allow each of them. The operator shares with organizations through AWS RAM.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="sharedWith holds one entry twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^([0-9]{12}|arn:aws[a-z-]*:organizations::[0-9]{12}:(organization/o-[a-z0-9]+|ou/o-[a-z0-9]+/ou-[0-9a-z]+-[0-9a-z]+))$')",message="an account is given by its 12 digits, in quotes, for example \"488821267897\", an organization by its ARN, such as arn:aws:organizations::488821267897:organization/o-a1b2c3d4e5, and a unit by its ARN with ou/ and both ids; a document is never shared with everybody"
	SharedWith []ShareTarget `json:"sharedWith,omitempty"`

	// adopt takes over a document of that name that already exists. A guardrail must
	// allow it. Defaults to false.
	// +optional
	Adopt bool `json:"adopt,omitempty"`

	// promotion defines when sessions use a new version: at once (Automatic), or when
	// defaultVersion names it (Manual). Defaults to Automatic.
	// +optional
	// +kubebuilder:default=Automatic
	Promotion Promotion `json:"promotion,omitempty"`

	// defaultVersion is the number of the version that sessions use in every region,
	// with promotion: Manual.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	DefaultVersion int64 `json:"defaultVersion,omitempty"`

	// keepVersions is how many versions the operator keeps, the newest ones, 1 to
	// 500. It never deletes the default version or a version that it may have to
	// restore. Defaults to 10.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	KeepVersions int32 `json:"keepVersions,omitempty"`

	// deletionPolicy defines what happens to the document when this object is deleted
	// or a region is removed from it. Restore, the default, restores the former state:
	// the default version of an adopted document, or no document. Delete deletes the
	// document, also an adopted one. Keep leaves the document unchanged, and removes
	// only the operator's own tags.
	// +optional
	// +kubebuilder:validation:Enum=Restore;Delete;Keep
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// onDelete is the former name of deletionPolicy. It applies to an object without
	// deletionPolicy.
	//
	// Deprecated: Use deletionPolicy.
	// +optional
	// +kubebuilder:validation:Enum=Restore;Delete;Keep
	OnDelete DeletionPolicy `json:"onDelete,omitempty"`

	// suspend stops changes: while it is true, no document is created or changed, and
	// none is shared. Shares that are not declared or not allowed are still removed, and
	// regions that are not declared are cleaned up.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// SessionDocumentStatus is the observed state of a SessionDocument.
//
// Another object that refers to a SessionDocument uses DocumentName while Ready is
// True for the current generation and, where inputs.kmsKeyId is set, keyARN of each
// region. If keyARN is missing then, the operator could not resolve the key, and
// condition LoggingReady reports why.
type SessionDocumentStatus struct {
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

	// conditions of the document: Ready always, Reconciling or Stalled while True,
	// LoggingReady where the document names a bucket, a log group or a key,
	// PromotionPending while a version waits for spec.defaultVersion.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// accountID is the 12-digit id of the AWS account that holds the document.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	AccountID string `json:"accountID,omitempty"`

	// name of the document in AWS.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// regions in which AWS holds the document, or may hold it. The operator records a
	// region before it calls AWS, and cleans up by this record.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=80
	Regions []DocumentRegion `json:"regions,omitempty"`

	// tagKeys are the keys of declared tags that the document may carry in AWS.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=400
	// +kubebuilder:validation:items:MaxLength=128
	TagKeys []string `json:"tagKeys,omitempty"`

	// summary holds short texts for kubectl get.
	// +optional
	Summary *DocumentSummary `json:"summary,omitempty"`
}

// DocumentSummary holds short texts for kubectl get.
type DocumentSummary struct {
	// regions is how many of the regions have a document that matches the spec, such
	// as "2/3".
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Regions string `json:"regions,omitempty"`

	// version is the default version, or all default versions where the regions
	// differ.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Version string `json:"version,omitempty"`
}

// DocumentState is the state of a document in one region.
//
// +kubebuilder:validation:Enum=Pending;Creating;Updating;Active;Failed;Blocked;Deleting;WouldWrite
type DocumentState string

const (
	// DocumentPending means that the operator has not written to AWS yet, or that AWS
	// failed or does not show the last change yet.
	DocumentPending DocumentState = "Pending"
	// DocumentCreating means that AWS is creating the document.
	DocumentCreating DocumentState = "Creating"
	// DocumentUpdating means that AWS is creating a version of the document.
	DocumentUpdating DocumentState = "Updating"
	// DocumentActive means that the document matches the spec.
	DocumentActive DocumentState = "Active"
	// DocumentFailed means that AWS could not create the document or a version of it.
	DocumentFailed DocumentState = "Failed"
	// DocumentBlocked means that the action of a user is needed. The message
	// describes it.
	DocumentBlocked DocumentState = "Blocked"
	// DocumentDeleting means that the operator is removing the document, or restoring
	// its former state.
	DocumentDeleting DocumentState = "Deleting"
	// DocumentWouldWrite means that the account is in mode Observe and the operator
	// skipped a write.
	DocumentWouldWrite DocumentState = "WouldWrite"
)

// DocumentRegion is the observed state of the document in one region.
type DocumentRegion struct {
	// region of the document.
	// +required
	Region Region `json:"region,omitempty"`

	// state of the document.
	// +required
	State DocumentState `json:"state,omitempty"`

	// message describes the problem and what to do.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// defaultVersion is the number of the version that sessions use.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DefaultVersion int64 `json:"defaultVersion,omitempty"`

	// latestVersion is the number of the newest version.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LatestVersion int64 `json:"latestVersion,omitempty"`

	// pendingVersion is the number of the version that matches the spec and waits for
	// spec.defaultVersion.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PendingVersion int64 `json:"pendingVersion,omitempty"`

	// hash is the SHA-256 that AWS reports for the default version, in hexadecimal.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Hash string `json:"hash,omitempty"`

	// contentHash is the SHA-256, in hexadecimal, that the operator computes of the
	// meaning of the default version. It does not depend on the formatting.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ContentHash string `json:"contentHash,omitempty"`

	// keyARN is the ARN of the KMS key that inputs.kmsKeyId names. It is never the
	// ARN of an alias.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	KeyARN string `json:"keyARN,omitempty"`

	// adopted is the state of an adopted document before the operator changed it.
	// +optional
	Adopted *AdoptedDocument `json:"adopted,omitempty"`

	// resourceShare is the resource share of AWS RAM that shares the document with
	// organizations, or may do so. The operator records it before it calls RAM.
	// +optional
	ResourceShare *DocumentResourceShare `json:"resourceShare,omitempty"`
}

// DocumentResourceShare is a resource share of AWS RAM that the operator made, or may have
// made.
type DocumentResourceShare struct {
	// name of the resource share.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`

	// token is the client token with which RAM recognizes a creation that is sent again.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Token string `json:"token,omitempty"`
}

// AdoptedDocument is the state of a document before the operator adopted it.
type AdoptedDocument struct {
	// defaultVersion is the number of the version that was the default.
	// +required
	// +kubebuilder:validation:Minimum=1
	DefaultVersion int64 `json:"defaultVersion,omitempty"`

	// sharedWith lists the accounts that the document was not shared with before, and
	// that the operator shared it with.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	SharedWith []AccountID `json:"sharedWith,omitempty"`
}

// SessionDocument declares a Session Manager document and keeps it in AWS.
//
// The rule on the object's name requires a valid document name. It does not apply to
// an object that has a status, so it never keeps the operator from writing.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ssmdoc
// +kubebuilder:validation:XValidation:rule="has(self.status) || has(self.spec.name) || (size(self.metadata.name) >= 3 && size(self.metadata.name) <= 128 && !self.metadata.name.startsWith('aws') && !self.metadata.name.startsWith('amazon') && !self.metadata.name.startsWith('amzn'))",message="the object's name cannot be the document's: that has 3 to 128 characters and does not begin with aws, amazon or amzn; rename the object, or set spec.name"
// +kubebuilder:printcolumn:name="DOCUMENT",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="REGIONS",type=string,JSONPath=`.status.summary.regions`
// +kubebuilder:printcolumn:name="VERSION",type=string,JSONPath=`.status.summary.version`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,priority=1,JSONPath=`.spec.accountRef.name`
type SessionDocument struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired document.
	// +required
	Spec SessionDocumentSpec `json:"spec,omitzero"`

	// status is the observed state of the document.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status SessionDocumentStatus `json:"status,omitzero"`
}

// DocumentName returns the name of the document in AWS: spec.name, or the object's
// own name.
func (d *SessionDocument) DocumentName() string {
	if d.Spec.Name != "" {
		return d.Spec.Name
	}
	return d.Name
}

// DeletionPolicy returns what happens to the document when the object no longer declares
// it: spec.deletionPolicy, its former name spec.onDelete, or Restore.
func (d *SessionDocument) DeletionPolicy() DeletionPolicy {
	return cmp.Or(d.Spec.DeletionPolicy, d.Spec.OnDelete, DeletionRestore)
}

// AccountName returns the name of the AWSAccount in spec.accountRef.
func (d *SessionDocument) AccountName() string { return d.Spec.AccountRef.Name }

// SessionDocumentList is a list of SessionDocuments.
//
// +kubebuilder:object:root=true
type SessionDocumentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SessionDocument `json:"items"`
}

// EmptyList returns an empty SessionDocumentList.
func (*SessionDocument) EmptyList() ObjectList { return &SessionDocumentList{} }

// HasRecord reports whether the status names regions.
func (d *SessionDocument) HasRecord() bool { return len(d.Status.Regions) > 0 }

// StatusFields returns pointers to the status, and to what every kind has in it.
func (d *SessionDocument) StatusFields() (status any, conditions *[]metav1.Condition, observedGeneration *int64, uid *string) {
	return &d.Status, &d.Status.Conditions, &d.Status.ObservedGeneration, &d.Status.UID
}

// IsSuspended returns spec.suspend.
func (d *SessionDocument) IsSuspended() bool { return d.Spec.Suspend }
