package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SessionType says what a session does.
//
// +kubebuilder:validation:Enum=Standard_Stream;InteractiveCommands;NonInteractiveCommands;Port
type SessionType string

const (
	// SessionStandardStream is a shell, with the preferences in inputs.
	SessionStandardStream SessionType = "Standard_Stream"
	// SessionInteractiveCommands runs commands that the person can talk to.
	SessionInteractiveCommands SessionType = "InteractiveCommands"
	// SessionNonInteractiveCommands runs commands and shows what they print.
	SessionNonInteractiveCommands SessionType = "NonInteractiveCommands"
	// SessionPort forwards a port.
	SessionPort SessionType = "Port"
)

// Promotion says when a new version of a document becomes the default one.
//
// +kubebuilder:validation:Enum=Automatic;Manual
type Promotion string

const (
	// PromotionAutomatic makes a new version the default at once.
	PromotionAutomatic Promotion = "Automatic"
	// PromotionManual lets a new version wait for spec.defaultVersion.
	PromotionManual Promotion = "Manual"
)

// DocumentDeletion says what becomes of a document in AWS when nobody declares
// it any more.
//
// +kubebuilder:validation:Enum=Restore;Delete;Keep
type DocumentDeletion string

const (
	// DocumentRestore puts back what was there before: the version that was the
	// default when the document was adopted, or no document.
	DocumentRestore DocumentDeletion = "Restore"
	// DocumentDelete deletes the document, an adopted one too.
	DocumentDelete DocumentDeletion = "Delete"
	// DocumentKeep leaves the document as it is, and takes only the operator's tags off it.
	DocumentKeep DocumentDeletion = "Keep"
)

// SessionDocumentSpec declares a Session Manager document, of schema version 1.0.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) == has(oldSelf.name)",message="name cannot be added or removed later; declare another SessionDocument for the other document"
// +kubebuilder:validation:XValidation:rule="self.sessionType != 'Standard_Stream' || !has(self.properties)",message="properties belong to the session types InteractiveCommands, NonInteractiveCommands and Port; a Standard_Stream session has inputs"
// +kubebuilder:validation:XValidation:rule="self.sessionType == 'Standard_Stream' || !has(self.inputs)",message="inputs belong to the session type Standard_Stream; the other session types have properties"
// +kubebuilder:validation:XValidation:rule="self.sessionType == 'Standard_Stream' || has(self.properties)",message="this session type needs properties: commands for a platform, or portNumber for Port"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType != 'Port' || (!has(self.properties.linux) && !has(self.properties.windows) && !has(self.properties.macOS))",message="linux, windows and macOS belong to the session types InteractiveCommands and NonInteractiveCommands; a Port session has portNumber, localPortNumber, host and type"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType == 'Port' || (!has(self.properties.portNumber) && !has(self.properties.localPortNumber) && !has(self.properties.host) && !has(self.properties.type))",message="portNumber, localPortNumber, host and type belong to the session type Port; a session of commands has linux, windows or macOS"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType == 'Port' || has(self.properties.linux) || has(self.properties.windows) || has(self.properties.macOS)",message="properties names no platform; give commands for linux, windows or macOS"
// +kubebuilder:validation:XValidation:rule="!has(self.properties) || self.sessionType != 'Port' || has(self.properties.portNumber)",message="a Port session needs properties.portNumber, the port on the node, for example \"22\""
// +kubebuilder:validation:XValidation:rule="!has(self.defaultVersion) || self.promotion == 'Manual'",message="defaultVersion is used with promotion: Manual only; with Automatic the newest version is the default"
type SessionDocumentSpec struct {
	// accountRef names the AWSAccount. It cannot change: a document in one
	// account could not be cleaned up from another.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another SessionDocument for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// name of the document in AWS; the object's own name when left out. It cannot change.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9_.-]+$')",message="a document's name holds letters, digits and _.- only"
	// +kubebuilder:validation:XValidation:rule="!self.lowerAscii().startsWith('aws') && !self.lowerAscii().startsWith('amazon') && !self.lowerAscii().startsWith('amzn')",message="names that begin with aws, amazon or amzn, in whatever case, are reserved by AWS; choose another name"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="name cannot be changed; declare another SessionDocument for the other document"
	Name string `json:"name,omitempty"`

	// regions in which the document is kept; the account's when left out, and
	// among them when given.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// description in the document.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Description string `json:"description,omitempty"`

	// sessionType of the sessions that are opened with the document.
	// +optional
	// +kubebuilder:default=Standard_Stream
	SessionType SessionType `json:"sessionType,omitempty"`

	// inputs are the preferences of Standard_Stream sessions.
	// +optional
	Inputs *SessionInputs `json:"inputs,omitempty"`

	// parameters that whoever opens a session may give, at most 20. The rest of
	// the document uses one as {{ name }}.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x.name == y.name))",message="two parameters have the same name; give each a name of its own"
	// +kubebuilder:validation:XValidation:rule="self.map(p, has(p.allowedValues) ? p.allowedValues.map(v, size(v)).sum() : 0).sum() <= 65536",message="the allowedValues of the parameters hold more than 65536 characters, and AWS takes no document of that size; use allowedPattern"
	// +kubebuilder:validation:items:XValidation:rule="self.name.matches('^[a-zA-Z0-9_]+$')",message="a parameter's name holds letters, digits and _ only"
	// +kubebuilder:validation:items:XValidation:rule="!has(self.default) || !has(self.allowedValues) || self.default in self.allowedValues",message="default is not among allowedValues; add it there, or choose another"
	Parameters []DocumentParameter `json:"parameters,omitempty"`

	// properties of sessions of commands, or of forwarded ports.
	// +optional
	Properties *SessionProperties `json:"properties,omitempty"`

	// tags of the document, at most 40. Tags that others set stay.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=40
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('aws:') && !k.startsWith('ssm-access.dev/'))",message="tag keys that begin with aws: or ssm-access.dev/ are reserved; choose others"
	Tags map[string]string `json:"tags,omitempty"`

	// sharedWith are the accounts that may use the document too, at most 100. A
	// guardrail must allow them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="sharedWith names one account twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[0-9]{12}$')",message="an account is given by its 12 digits, in quotes, for example \"488821267897\"; a document is never shared with everybody"
	SharedWith []AccountID `json:"sharedWith,omitempty"`

	// adopt takes over a document of that name that exists already. A guardrail
	// must allow it.
	// +optional
	Adopt bool `json:"adopt,omitempty"`

	// promotion Automatic makes a new version the default at once; Manual waits
	// for defaultVersion.
	// +optional
	// +kubebuilder:default=Automatic
	Promotion Promotion `json:"promotion,omitempty"`

	// defaultVersion is the number of the version that is to be the default, in
	// every region, with promotion: Manual.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	DefaultVersion int64 `json:"defaultVersion,omitempty"`

	// keepVersions is how many versions are kept, the newest ones. The default
	// version, and one that may have to be restored, are never removed.
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=500
	KeepVersions int32 `json:"keepVersions,omitempty"`

	// onDelete says what becomes of the document when this object is deleted, or
	// a region is no longer declared.
	// +optional
	// +kubebuilder:default=Restore
	OnDelete DocumentDeletion `json:"onDelete,omitempty"`
}

// SessionDocumentStatus is what became of a SessionDocument.
//
// Another object that refers to a SessionDocument uses DocumentName as long as
// Ready is True for the present generation, and keyARN of each region where
// inputs.kmsKeyId is set. Where keyARN is missing then, the key could not be
// told, and condition LoggingReady says why.
type SessionDocumentStatus struct {
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

	// conditions of the document: Ready, and Reconciling or Stalled while true;
	// LoggingReady where it names a bucket, a log group or a key; PromotionPending
	// while a version waits.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// accountID is the account in which the document is kept.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	AccountID string `json:"accountID,omitempty"`

	// name of the document in AWS.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// regions in which the document is kept, or may be. It is recorded before AWS
	// is told, and cleaned up by.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=80
	Regions []DocumentRegion `json:"regions,omitempty"`

	// tagKeys are the keys of the tags that were declared and may be on the document.
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
	// regions in short: in how many of them the document is as declared.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Regions string `json:"regions,omitempty"`

	// version is the default version, or the versions where regions differ.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Version string `json:"version,omitempty"`
}

// DocumentState says how far a document is in one region.
//
// +kubebuilder:validation:Enum=Pending;Creating;Updating;Active;Failed;Blocked;Deleting;WouldWrite
type DocumentState string

const (
	// DocumentPending means AWS was not told yet, or has not shown the outcome yet.
	DocumentPending DocumentState = "Pending"
	// DocumentCreating means AWS is making the document.
	DocumentCreating DocumentState = "Creating"
	// DocumentUpdating means AWS is making a version of it.
	DocumentUpdating DocumentState = "Updating"
	// DocumentActive means the document is as declared.
	DocumentActive DocumentState = "Active"
	// DocumentFailed means AWS could not make the document, or a version of it.
	DocumentFailed DocumentState = "Failed"
	// DocumentBlocked means somebody has to do something first.
	DocumentBlocked DocumentState = "Blocked"
	// DocumentDeleting means it is being removed, or put back to what it was.
	DocumentDeleting DocumentState = "Deleting"
	// DocumentWouldWrite means the account is in mode Observe and a write was left out.
	DocumentWouldWrite DocumentState = "WouldWrite"
)

// DocumentRegion tells of the document in one region.
type DocumentRegion struct {
	// region of the document.
	// +required
	Region Region `json:"region,omitempty"`

	// state of the document.
	// +required
	State DocumentState `json:"state,omitempty"`

	// message says what is wrong and what to do.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// defaultVersion is the version that sessions use.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DefaultVersion int64 `json:"defaultVersion,omitempty"`

	// latestVersion is the newest version.
	// +optional
	// +kubebuilder:validation:Minimum=0
	LatestVersion int64 `json:"latestVersion,omitempty"`

	// pendingVersion holds what is declared and waits for spec.defaultVersion.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PendingVersion int64 `json:"pendingVersion,omitempty"`

	// hash is AWS's SHA-256 of the default version, hexadecimal.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Hash string `json:"hash,omitempty"`

	// contentHash is the operator's SHA-256 of what the default version says,
	// however it is written, hexadecimal.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ContentHash string `json:"contentHash,omitempty"`

	// keyARN of the key that inputs.kmsKeyId names, never of an alias.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	KeyARN string `json:"keyARN,omitempty"`

	// adopted is what was there before, where the document was taken over.
	// +optional
	Adopted *AdoptedDocument `json:"adopted,omitempty"`
}

// AdoptedDocument is what a document was before it was taken over.
type AdoptedDocument struct {
	// defaultVersion is the version that was the default.
	// +required
	// +kubebuilder:validation:Minimum=1
	DefaultVersion int64 `json:"defaultVersion,omitempty"`

	// sharedWith are accounts that the operator shared it with, and nobody before.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	SharedWith []AccountID `json:"sharedWith,omitempty"`
}

// SessionDocument declares a Session Manager document and keeps it in AWS.
//
// The rule on the object's name asks for a name that can be a document's. An
// object with a status is past it: it must not keep the operator from writing.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ssmdoc
// +kubebuilder:validation:XValidation:rule="has(self.status) || has(self.spec.name) || (size(self.metadata.name) >= 3 && size(self.metadata.name) <= 128 && !self.metadata.name.startsWith('aws') && !self.metadata.name.startsWith('amazon') && !self.metadata.name.startsWith('amzn'))",message="the object's name cannot be the document's: that has 3 to 128 characters and does not begin with aws, amazon or amzn; rename the object, or set spec.name"
// +kubebuilder:printcolumn:name="DOCUMENT",type=string,JSONPath=`.status.name`
// +kubebuilder:printcolumn:name="REGIONS",type=string,JSONPath=`.status.summary.regions`
// +kubebuilder:printcolumn:name="VERSION",type=string,JSONPath=`.status.summary.version`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="REASON",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,priority=1,JSONPath=`.spec.accountRef.name`
type SessionDocument struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the document.
	// +required
	Spec SessionDocumentSpec `json:"spec,omitzero"`

	// status is what became of it.
	// +optional
	Status SessionDocumentStatus `json:"status,omitzero"`
}

// DocumentName is the name of the document in AWS.
func (d *SessionDocument) DocumentName() string {
	if d.Spec.Name != "" {
		return d.Spec.Name
	}
	return d.Name
}

// AccountName is the AWSAccount that the object names.
func (d *SessionDocument) AccountName() string { return d.Spec.AccountRef.Name }

// SessionDocumentList is a list of SessionDocuments.
//
// +kubebuilder:object:root=true
type SessionDocumentList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SessionDocument `json:"items"`
}
