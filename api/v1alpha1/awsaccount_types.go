package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountMode says whether the operator may change an account.
//
// +kubebuilder:validation:Enum=Observe;Enforce
type AccountMode string

const (
	// ModeObserve reads AWS and reports what would be written, and writes nothing.
	ModeObserve AccountMode = "Observe"
	// ModeEnforce converges AWS to the declarations.
	ModeEnforce AccountMode = "Enforce"
)

// DataChannelScope says which sessions' data channels a User or Group may open.
//
// +kubebuilder:validation:Enum=Own;Account
type DataChannelScope string

const (
	// DataChannelOwn allows the data channels of sessions named after the caller.
	DataChannelOwn DataChannelScope = "Own"
	// DataChannelAccount allows the data channels of every session of the account.
	DataChannelAccount DataChannelScope = "Account"
)

// SessionTermination says what a revocation does where sessions cannot be listed.
//
// +kubebuilder:validation:Enum=Required;BestEffort
type SessionTermination string

const (
	// TerminationRequired holds a revocation until open sessions were looked for and ended.
	TerminationRequired SessionTermination = "Required"
	// TerminationBestEffort lets a revocation end without it where sessions could never be listed.
	TerminationBestEffort SessionTermination = "BestEffort"
)

// RecreatedPrincipals says what a principal of IAM gets that was created under the
// name of one that had access and disappeared.
//
// +kubebuilder:validation:Enum=Hold;Grant
type RecreatedPrincipals string

const (
	// RecreatedHold grants it nothing until the SessionAccess is edited: the
	// principal removed, and added again.
	RecreatedHold RecreatedPrincipals = "Hold"
	// RecreatedGrant grants it what the one before it had.
	RecreatedGrant RecreatedPrincipals = "Grant"
)

// NamespacesFrom says which namespaces may use an account.
//
// +kubebuilder:validation:Enum=All;Selector;None
type NamespacesFrom string

const (
	// NamespacesAll allows every namespace.
	NamespacesAll NamespacesFrom = "All"
	// NamespacesSelector allows the namespaces whose labels match the selector.
	NamespacesSelector NamespacesFrom = "Selector"
	// NamespacesNone allows no namespace; access that was granted is taken away.
	NamespacesNone NamespacesFrom = "None"
)

// AWSAccountSpec declares an AWS account that the operator may converge.
//
// +kubebuilder:validation:XValidation:rule="!has(self.assumeRole) || !self.assumeRole.roleARN.contains(':role/') || self.assumeRole.roleARN.contains(':iam::' + self.accountID + ':role/')",message="assumeRole.roleARN is a role of another account than accountID; give a role in that account"
type AWSAccountSpec struct {
	// accountID is the account's 12-digit id. It cannot change: access that was
	// granted in one account could not be taken away from another.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{12}$')",message="accountID is the 12 digits of the AWS account, in quotes, for example \"488821267897\""
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountID cannot be changed; declare another AWSAccount for the other account"
	AccountID string `json:"accountID,omitempty"`

	// regions in which sessions may be granted, at most 40. The first one is
	// where the operator signs its calls to global services.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// mode Observe writes nothing to AWS and reports what would be written.
	// +optional
	// +kubebuilder:default=Enforce
	Mode AccountMode `json:"mode,omitempty"`

	// assumeRole is the role in the account that the operator works as. Without
	// it the operator works with the credentials it was started with.
	// +optional
	AssumeRole *AssumeRole `json:"assumeRole,omitempty"`

	// dataChannelScope Own lets users and groups open the data channels of their
	// own sessions only; Account those of all sessions of the account.
	// +optional
	// +kubebuilder:default=Own
	DataChannelScope DataChannelScope `json:"dataChannelScope,omitempty"`

	// allowedNamespaces says which namespaces may use this account.
	// +required
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces,omitzero"`

	// sessionTermination BestEffort lets a revocation complete without ending
	// open sessions where the account's sessions could never be listed.
	// +optional
	// +kubebuilder:default=Required
	SessionTermination SessionTermination `json:"sessionTermination,omitempty"`

	// recreatedPrincipals Hold grants nothing to a user, group or role that was
	// deleted and created again under the same name, until the SessionAccess
	// confirms it; Grant takes the name alone for the identity.
	// +optional
	// +kubebuilder:default=Hold
	RecreatedPrincipals RecreatedPrincipals `json:"recreatedPrincipals,omitempty"`

	// allowAbandon lets SessionAccesses go that are being deleted and carry the
	// annotation ssm-access.dev/abandon: "true" while AWS is out of reach. Their
	// access stays in AWS until it is back; status.owed remembers it.
	// +optional
	AllowAbandon bool `json:"allowAbandon,omitempty"`

	// guardrails bound what namespaces may declare, at most 50. Without one, a
	// namespace that may use the account may grant any principal access to any node.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x.name == y.name))",message="two guardrails have the same name; give each a name of its own"
	// +kubebuilder:validation:XValidation:rule="self.map(g, has(g.documents) ? g.documents.map(d, size(d)).sum() : 0).sum() <= 32768",message="the documents of the guardrails hold more than 32768 characters, which every SessionAccess would have to record; use patterns, such as Team-*"
	// +kubebuilder:validation:XValidation:rule="self.map(g, has(g.requiredTags) ? g.requiredTags.map(k, size(k) + size(g.requiredTags[k])).sum() : 0).sum() <= 4096",message="the requiredTags of the guardrails hold more than 4096 characters, which every target of a SessionAccess would have to record; use fewer or shorter tags"
	Guardrails []Guardrail `json:"guardrails,omitempty"`
}

// AssumeRole says which role to assume in an account, and how.
type AssumeRole struct {
	// roleARN of the role, for example arn:aws:iam::488821267897:role/ssm-access-operator.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$')",message="roleARN is the ARN of an IAM role, for example arn:aws:iam::488821267897:role/ssm-access-operator"
	RoleARN string `json:"roleARN,omitempty"`

	// externalID that the role's trust policy asks for.
	// +optional
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=1224
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@:/-]+$')",message="externalID may hold letters, digits and _+=,.@:/- only, without spaces"
	ExternalID string `json:"externalID,omitempty"`
}

// AllowedNamespaces selects the namespaces that may use an account.
//
// +kubebuilder:validation:XValidation:rule="(self.from == 'Selector') == has(self.selector)",message="give a selector with from: Selector, and none with All or None"
type AllowedNamespaces struct {
	// from is All, Selector or None.
	// +required
	From NamespacesFrom `json:"from,omitempty"`

	// selector of the namespaces' labels, with from: Selector.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// AWSAccountStatus is what the operator knows of an account.
type AWSAccountStatus struct {
	// observedGeneration is the generation of the spec that the conditions judge.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the account: Ready, and Reconciling or Stalled while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// identity that the operator has in the account.
	// +optional
	Identity *Identity `json:"identity,omitempty"`

	// policies tells how much of the account's quota of customer managed policies is used.
	// +optional
	Policies *PolicyUsage `json:"policies,omitempty"`

	// unreachableSince is when the account was found to be out of reach: AWS does
	// not answer, or does not let the operator work. Absent while it is in reach.
	// +optional
	UnreachableSince *metav1.Time `json:"unreachableSince,omitempty"`

	// sessionListing says for each region whether its open sessions can be listed.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=60
	SessionListing []RegionListing `json:"sessionListing,omitempty"`

	// owed lists what abandoned SessionAccesses left in AWS. The operator takes it
	// away once the account is in reach again, and removes it from the list.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MaxItems=500
	Owed []OwedAccess `json:"owed,omitempty"`
}

// Identity is what AWS answers when asked who the caller is.
type Identity struct {
	// arn of the caller, without the name of the role session.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	ARN string `json:"arn,omitempty"`

	// partition of the account: aws, aws-us-gov, aws-cn or an isolated one.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Partition string `json:"partition,omitempty"`
}

// PolicyUsage counts customer managed policies.
type PolicyUsage struct {
	// used is the number of customer managed policies in the account, whoever made them.
	// +required
	// +kubebuilder:validation:Minimum=0
	Used *int32 `json:"used,omitempty"`

	// quota is how many the account may hold.
	// +required
	// +kubebuilder:validation:Minimum=0
	Quota *int32 `json:"quota,omitempty"`

	// ours is how many of them this operator keeps.
	// +required
	// +kubebuilder:validation:Minimum=0
	Ours *int32 `json:"ours,omitempty"`
}

// AWSAccount declares an AWS account, how to reach it, and which namespaces may use it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=awsacct
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,JSONPath=`.spec.accountID`
// +kubebuilder:printcolumn:name="MODE",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="POLICIES",type=integer,JSONPath=`.status.policies.used`
// +kubebuilder:printcolumn:name="QUOTA",type=integer,JSONPath=`.status.policies.quota`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="REASON",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="IDENTITY",type=string,priority=1,JSONPath=`.status.identity.arn`
type AWSAccount struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the account.
	// +required
	Spec AWSAccountSpec `json:"spec,omitzero"`

	// status is what the operator knows of it.
	// +optional
	Status AWSAccountStatus `json:"status,omitzero"`
}

// AWSAccountList is a list of AWSAccounts.
//
// +kubebuilder:object:root=true
type AWSAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AWSAccount `json:"items"`
}
