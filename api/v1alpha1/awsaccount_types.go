package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AccountMode defines whether the operator may write to an account.
//
// +kubebuilder:validation:Enum=Observe;Enforce
type AccountMode string

const (
	// ModeObserve reads AWS and reports what the operator would write, and writes
	// nothing.
	ModeObserve AccountMode = "Observe"
	// ModeEnforce reconciles AWS with the declared objects.
	ModeEnforce AccountMode = "Enforce"
)

// DataChannelScope defines for which sessions a User or Group may open a data
// channel.
//
// +kubebuilder:validation:Enum=Own;Account
type DataChannelScope string

const (
	// DataChannelOwn allows the data channels of sessions that are named after the
	// caller.
	DataChannelOwn DataChannelScope = "Own"
	// DataChannelAccount allows the data channels of all sessions in the account.
	DataChannelAccount DataChannelScope = "Account"
)

// SessionTermination defines what a revocation does where the operator cannot list
// sessions.
//
// +kubebuilder:validation:Enum=Required;BestEffort
type SessionTermination string

const (
	// TerminationRequired blocks a revocation until the operator has listed the open
	// sessions and ended them.
	TerminationRequired SessionTermination = "Required"
	// TerminationBestEffort lets a revocation complete without ending sessions in
	// regions where the operator could never list them.
	TerminationBestEffort SessionTermination = "BestEffort"
)

// ForceDeletion defines whether users may force the deletion of SessionAccesses.
//
// +kubebuilder:validation:Enum=Allowed;Forbidden
type ForceDeletion string

const (
	// ForceDeletionAllowed lets users force the deletion of SessionAccesses while AWS is
	// unreachable.
	ForceDeletionAllowed ForceDeletion = "Allowed"
	// ForceDeletionForbidden has every SessionAccess wait until its access is revoked.
	ForceDeletionForbidden ForceDeletion = "Forbidden"
)

// RecreatedPrincipals defines what an IAM principal gets that was created under the
// name of a deleted principal that had access.
//
// +kubebuilder:validation:Enum=Hold;Grant
type RecreatedPrincipals string

const (
	// RecreatedHold grants the new principal nothing until a user removes it from the
	// SessionAccess and adds it again.
	RecreatedHold RecreatedPrincipals = "Hold"
	// RecreatedGrant grants the new principal the access of the former one.
	RecreatedGrant RecreatedPrincipals = "Grant"
)

// NamespacesFrom defines which namespaces may use an account.
//
// +kubebuilder:validation:Enum=All;Selector;None
type NamespacesFrom string

const (
	// NamespacesAll allows every namespace.
	NamespacesAll NamespacesFrom = "All"
	// NamespacesSelector allows the namespaces whose labels match the selector.
	NamespacesSelector NamespacesFrom = "Selector"
	// NamespacesNone allows no namespace. The operator revokes access that was
	// granted before.
	NamespacesNone NamespacesFrom = "None"
)

// AWSAccountSpec declares an AWS account in which the operator manages access.
//
// +kubebuilder:validation:XValidation:rule="!has(self.assumeRole) || !self.assumeRole.roleARN.contains(':role/') || self.assumeRole.roleARN.contains(':iam::' + self.accountID + ':role/')",message="assumeRole.roleARN is a role of another account than accountID; give a role in that account"
type AWSAccountSpec struct {
	// accountID is the 12-digit id of the AWS account, in quotes. It cannot be
	// changed, because access that was granted in one account could not be revoked
	// through another one.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{12}$')",message="accountID is the 12 digits of the AWS account, in quotes, for example \"488821267897\""
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountID cannot be changed; declare another AWSAccount for the other account"
	AccountID string `json:"accountID,omitempty"`

	// regions in which sessions may be granted, 1 to 40. The operator calls IAM and
	// STS in the first one.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// mode is Enforce, or Observe, which writes nothing to AWS and reports what the
	// operator would write. Observe takes effect as soon as it is declared, Enforce
	// once the account is verified with it. Defaults to Enforce.
	// +optional
	// +kubebuilder:default=Enforce
	Mode AccountMode `json:"mode,omitempty"`

	// assumeRole is the role in the account that the operator assumes. Without it,
	// the operator uses its own credentials.
	// +optional
	AssumeRole *AssumeRole `json:"assumeRole,omitempty"`

	// dataChannelScope defines for which sessions users and groups may open a data
	// channel: their own ones only (Own), or all sessions in the account (Account).
	// Defaults to Own.
	// +optional
	// +kubebuilder:default=Own
	DataChannelScope DataChannelScope `json:"dataChannelScope,omitempty"`

	// allowedNamespaces selects the namespaces that may use this account.
	// +required
	AllowedNamespaces AllowedNamespaces `json:"allowedNamespaces,omitzero"`

	// sessionTermination defines what a revocation does in regions where the operator
	// could never list sessions. Required waits; BestEffort completes without ending
	// sessions there. Defaults to Required.
	// +optional
	// +kubebuilder:default=Required
	SessionTermination SessionTermination `json:"sessionTermination,omitempty"`

	// recreatedPrincipals defines what a user, group or role gets that was deleted
	// and created again under the same name. Hold grants nothing until a
	// SessionAccess confirms it; Grant grants the access of the former one. Defaults
	// to Hold.
	// +optional
	// +kubebuilder:default=Hold
	RecreatedPrincipals RecreatedPrincipals `json:"recreatedPrincipals,omitempty"`

	// forceDeletion defines whether users may force the deletion of SessionAccesses
	// while AWS is unreachable. With Allowed, a SessionAccess that is being deleted and
	// has the annotation ssm-access.dev/force-delete: "true" is removed from the
	// cluster, and its access stays in AWS until AWS is reachable again.
	// status.pendingRevocations records it. Defaults to Forbidden.
	// +optional
	ForceDeletion ForceDeletion `json:"forceDeletion,omitempty"`

	// allowAbandon is the former name of forceDeletion: Allowed. It applies to an
	// AWSAccount without forceDeletion.
	//
	// Deprecated: Use forceDeletion.
	// +optional
	AllowAbandon bool `json:"allowAbandon,omitempty"`

	// guardrails restrict what namespaces may declare, at most 50. Without
	// guardrails, a namespace that may use the account may grant any principal access
	// to any node.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x.name == y.name))",message="two guardrails have the same name; give each a name of its own"
	// +kubebuilder:validation:XValidation:rule="self.map(g, has(g.documents) ? g.documents.map(d, size(d)).sum() : 0).sum() <= 32768",message="the documents of the guardrails hold more than 32768 characters, which every SessionAccess would have to record; use patterns, such as Team-*"
	// +kubebuilder:validation:XValidation:rule="self.map(g, has(g.requiredTags) ? g.requiredTags.map(k, size(k) + size(g.requiredTags[k])).sum() : 0).sum() <= 4096",message="the requiredTags of the guardrails hold more than 4096 characters, which every target of a SessionAccess would have to record; use fewer or shorter tags"
	Guardrails []Guardrail `json:"guardrails,omitempty"`

	// suspend stops changes in the account: while it is true, each object that names this
	// AWSAccount is suspended. The account is still verified.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// AssumeRole defines the role that the operator assumes in an account.
type AssumeRole struct {
	// roleARN is the ARN of the role, for example
	// arn:aws:iam::488821267897:role/ssm-access-operator.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$')",message="roleARN is the ARN of an IAM role, for example arn:aws:iam::488821267897:role/ssm-access-operator"
	RoleARN string `json:"roleARN,omitempty"`

	// externalID is the external id that the trust policy of the role requires.
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

	// selector matches the labels of namespaces. Used with from: Selector only.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// AWSAccountStatus is the observed state of an account.
type AWSAccountStatus struct {
	// observedGeneration is the generation of the spec that the conditions describe; -1
	// before the operator has reconciled the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the account: Ready always, Reconciling or Stalled while True, and
	// conditions about single aspects of the account, such as SessionsListable.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// identity of the operator in the account.
	// +optional
	Identity *Identity `json:"identity,omitempty"`

	// policies reports how much of the account's quota of customer managed policies
	// is used.
	// +optional
	Policies *PolicyUsage `json:"policies,omitempty"`

	// unreachableSince is when the account became unreachable: AWS does not answer,
	// or the operator's credentials or role do not work. Absent while the account is
	// reachable.
	// +optional
	UnreachableSince *metav1.Time `json:"unreachableSince,omitempty"`

	// sessionListing reports for each region whether the operator can list its open
	// sessions.
	// +optional
	// +listType=map
	// +listMapKey=region
	// +kubebuilder:validation:MaxItems=60
	SessionListing []RegionListing `json:"sessionListing,omitempty"`

	// pendingRevocations lists the access that SessionAccesses left in AWS whose deletion
	// was forced. When the account is reachable again, the operator revokes the access
	// and removes the entry.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MaxItems=500
	PendingRevocations []PendingRevocation `json:"pendingRevocations,omitempty"`

	// owed is the former name of pendingRevocations. The operator moves its entries
	// there.
	//
	// Deprecated: Use pendingRevocations.
	// +optional
	// +listType=map
	// +listMapKey=uid
	// +kubebuilder:validation:MaxItems=500
	Owed []OwedAccess `json:"owed,omitempty"`
}

// Identity is the caller identity that AWS STS returns to the operator.
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

// PolicyUsage counts the customer managed policies of an account.
type PolicyUsage struct {
	// used is the number of customer managed policies in the account, including those
	// that other tools created.
	// +required
	// +kubebuilder:validation:Minimum=0
	Used *int32 `json:"used,omitempty"`

	// quota is the number of customer managed policies that the account may have.
	// +required
	// +kubebuilder:validation:Minimum=0
	Quota *int32 `json:"quota,omitempty"`

	// ours is the number of customer managed policies that this operator owns.
	// +required
	// +kubebuilder:validation:Minimum=0
	Ours *int32 `json:"ours,omitempty"`
}

// AWSAccount declares an AWS account, how the operator authenticates to it, and
// which namespaces may use it.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=awsacct
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,JSONPath=`.spec.accountID`
// +kubebuilder:printcolumn:name="MODE",type=string,JSONPath=`.spec.mode`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="POLICIES",type=integer,JSONPath=`.status.policies.used`
// +kubebuilder:printcolumn:name="QUOTA",type=integer,JSONPath=`.status.policies.quota`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="IDENTITY",type=string,priority=1,JSONPath=`.status.identity.arn`
type AWSAccount struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired configuration of the account.
	// +required
	Spec AWSAccountSpec `json:"spec,omitzero"`

	// status is the observed state of the account.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status AWSAccountStatus `json:"status,omitzero"`
}

// ForceDeletion returns whether the deletion of SessionAccesses may be forced:
// spec.forceDeletion, its former name spec.allowAbandon, or Forbidden.
func (a *AWSAccount) ForceDeletion() ForceDeletion {
	switch {
	case a.Spec.ForceDeletion != "":
		return a.Spec.ForceDeletion
	case a.Spec.AllowAbandon:
		return ForceDeletionAllowed
	default:
		return ForceDeletionForbidden
	}
}

// AWSAccountList is a list of AWSAccounts.
//
// +kubebuilder:object:root=true
type AWSAccountList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AWSAccount `json:"items"`
}

// EmptyList returns an empty AWSAccountList.
func (*AWSAccount) EmptyList() ObjectList { return &AWSAccountList{} }

// StatusFields returns pointers to the status, and to what every kind has in it.
func (a *AWSAccount) StatusFields() (status any, conditions *[]metav1.Condition, observedGeneration *int64, uid *string) {
	return &a.Status, &a.Status.Conditions, &a.Status.ObservedGeneration, nil
}

// IsSuspended returns spec.suspend.
func (a *AWSAccount) IsSuspended() bool { return a.Spec.Suspend }
