package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PrincipalKind is the kind of an IAM principal, or PermissionSet for a permission
// set of IAM Identity Center.
//
// +kubebuilder:validation:Enum=User;Group;Role;PermissionSet
type PrincipalKind string

const (
	// PrincipalUser is an IAM user.
	PrincipalUser PrincipalKind = "User"
	// PrincipalGroup is an IAM group. The grant applies to all its members.
	PrincipalGroup PrincipalKind = "Group"
	// PrincipalRole is an IAM role that people assume.
	PrincipalRole PrincipalKind = "Role"
	// PrincipalPermissionSet is a permission set of IAM Identity Center. The operator
	// keeps a policy under a stable name, which the permission set references, and
	// attaches it to nothing.
	PrincipalPermissionSet PrincipalKind = "PermissionSet"
)

// Client is a program from which users open sessions. Each client needs its own read
// permissions in addition to those for the session itself.
//
// +kubebuilder:validation:Enum=SessionManagerConsole;EC2Console;CLI
type Client string

const (
	// ClientSessionManagerConsole stands for the consoles of Session Manager and
	// Fleet Manager.
	ClientSessionManagerConsole Client = "SessionManagerConsole"
	// ClientEC2Console is the Connect button of the EC2 console.
	ClientEC2Console Client = "EC2Console"
	// ClientCLI is the AWS CLI with the Session Manager plugin.
	ClientCLI Client = "CLI"
)

// SessionScope defines how IAM recognises a principal's own sessions.
//
// +kubebuilder:validation:Enum=Username;OwnerTag
type SessionScope string

const (
	// ScopeUsername recognises own sessions by the user name with which their ids
	// begin.
	ScopeUsername SessionScope = "Username"
	// ScopeOwnerTag recognises own sessions by the tag with which AWS records their
	// owner. It never matches sessions of another user.
	ScopeOwnerTag SessionScope = "OwnerTag"
)

// OnRevoke defines what happens to open sessions when access ends.
//
// +kubebuilder:validation:Enum=TerminateSessions;LeaveSessions
type OnRevoke string

const (
	// RevokeTerminateSessions ends the open sessions that no other grant allows.
	RevokeTerminateSessions OnRevoke = "TerminateSessions"
	// RevokeLeaveSessions leaves open sessions until they end by themselves.
	RevokeLeaveSessions OnRevoke = "LeaveSessions"
)

// SessionAccessSpec declares which principals may open sessions on which targets.
//
// +kubebuilder:validation:XValidation:rule="!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter",message="notAfter must be later than notBefore; correct one of them"
// +kubebuilder:validation:XValidation:rule="has(self.principals) && size(self.principals) > 0",message="principals names nobody; give at least one, such as {kind: User, name: user01}"
// +kubebuilder:validation:XValidation:rule="has(self.targets) && size(self.targets) > 0",message="targets names no node; give at least one entry with instanceIDs, tags or activationRef"
// +kubebuilder:validation:XValidation:rule="!has(self.regions) || !has(self.documents) || size(self.regions) * self.documents.filter(d, has(d.ref)).size() <= 200",message="each ref in documents counts once for each region, and at most 200 are taken; name fewer SessionDocuments or regions, or declare several SessionAccesses"
type SessionAccessSpec struct {
	// accountRef names the AWSAccount. It cannot be changed, because access that was
	// granted in one account could not be revoked through another one.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another SessionAccess for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// principals that may open sessions, 1 to 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="!self.name.startsWith('arn:')",message="name is the name alone, not an ARN: write user01 for arn:aws:iam::488821267897:user/user01"
	// +kubebuilder:validation:items:XValidation:rule="self.name.startsWith('arn:') || self.name.matches('^[A-Za-z0-9_+=,.@-]+$')",message="name may hold letters, digits and _+=,.@- only, without a path and without wildcards"
	// +kubebuilder:validation:items:XValidation:rule="self.kind == 'Group' || self.name.startsWith('arn:') || size(self.name) <= 64",message="the name of a user, role or permission set has at most 64 characters"
	// +kubebuilder:validation:items:XValidation:rule="self.kind != 'Role' || !self.name.lowerAscii().startsWith('awsreservedsso_')",message="a role of IAM Identity Center cannot be attached to; use kind PermissionSet with the permission set's name"
	// +kubebuilder:validation:XValidation:rule="self.all(p, self.exists_one(q, q.kind == p.kind && q.name.lowerAscii() == p.name.lowerAscii()))",message="principals names one principal twice; names that differ only in case are the same principal to IAM, so keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.kind != 'PermissionSet' || self.name.startsWith('arn:') || (size(self.name) <= 32 && !self.name.startsWith('AWSReservedSSO_'))",message="a permission set is given by its own name of at most 32 characters: write Ops for the role AWSReservedSSO_Ops_0123456789abcdef"
	Principals []Principal `json:"principals,omitempty"`

	// targets on which sessions may be opened, 1 to 20: a node that one of the
	// entries selects is a target. All entries together hold at most 2,000 ids and at
	// most 16,384 characters of tags.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.map(t, has(t.instanceIDs) ? size(t.instanceIDs) : 0).sum() <= 2000",message="the targets hold more than 2000 instance ids, and the policies of one principal some 1400; name the nodes by tags, or declare several SessionAccesses"
	// +kubebuilder:validation:XValidation:rule="self.map(t, has(t.tags) ? t.tags.map(k, size(k) + size(t.tags[k])).sum() : 0).sum() <= 16384",message="the tags of the targets hold more than 16384 characters; use fewer or shorter tags, or declare several SessionAccesses"
	Targets []Target `json:"targets,omitempty"`

	// regions of the targets. Each must be among the regions of the AWSAccount, which
	// are the default.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// documents with which sessions may be opened, 1 to 20. Defaults to
	// SSM-SessionManagerRunShell.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={{name: "SSM-SessionManagerRunShell"}}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Documents []DocumentReference `json:"documents,omitempty"`

	// clients from which users open sessions. Each adds the read permissions that it
	// needs. Defaults to SessionManagerConsole and CLI.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={"SessionManagerConsole","CLI"}
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="clients names one client twice; keep one of them"
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Clients []Client `json:"clients,omitempty"`

	// sessionScope defines how IAM recognises a principal's own sessions, which the
	// principal may resume and terminate: Username or OwnerTag. Roles and permission
	// sets always have OwnerTag. Defaults to Username.
	// +optional
	// +kubebuilder:default=Username
	SessionScope SessionScope `json:"sessionScope,omitempty"`

	// notBefore is when the access begins. When omitted, it begins at once.
	// +optional
	// +kubebuilder:validation:XValidation:rule="timestamp(int(self)) == self && self >= timestamp('2000-01-01T00:00:00Z')",message="a time is written to the second and with its zone, for example 2027-01-01T00:00:00Z"
	NotBefore *metav1.Time `json:"notBefore,omitempty"`

	// notAfter is when the access ends. When omitted, it does not expire.
	// +optional
	// +kubebuilder:validation:XValidation:rule="timestamp(int(self)) == self && self >= timestamp('2000-01-01T00:00:00Z')",message="a time is written to the second and with its zone, for example 2027-01-01T00:00:00Z"
	NotAfter *metav1.Time `json:"notAfter,omitempty"`

	// requireMFA requires credentials that were issued with multi-factor
	// authentication. Defaults to false.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// sourceCIDRs are the address ranges from which AWS must be called, at most 50.
	// When omitted, AWS may be called from anywhere.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="sourceCIDRs names one range twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="a range of addresses is written as address/bits, for example 203.0.113.0/24"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self) == cidr(self).masked()",message="the address has bits set after the prefix; set them to 0, as in 203.0.113.0/24 instead of 203.0.113.7/24"
	SourceCIDRs []CIDR `json:"sourceCIDRs,omitempty"`

	// reason for the access, for people who read it later, such as a ticket. The
	// operator does not evaluate it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`

	// onRevoke defines what happens to open sessions when access ends:
	// TerminateSessions or LeaveSessions. Defaults to TerminateSessions.
	// +optional
	// +kubebuilder:default=TerminateSessions
	OnRevoke OnRevoke `json:"onRevoke,omitempty"`

	// suspend stops changes: while it is true, nothing is granted beyond what is granted
	// already. What is no longer declared or allowed is still revoked.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// Principal names an IAM principal or a permission set that gets the access.
type Principal struct {
	// kind is User, Group, Role or PermissionSet.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal in IAM, without path. For a PermissionSet, the name of
	// the permission set.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`
}

// InstanceID is the id of an EC2 instance (i-…) or of a hybrid managed node (mi-…).
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
type InstanceID string

// Target is a set of nodes, selected by ids, by tags or by a HybridActivation.
//
// +kubebuilder:validation:XValidation:rule="[has(self.instanceIDs), has(self.tags), has(self.activationRef)].filter(x, x).size() == 1",message="a target has exactly one of instanceIDs, tags and activationRef; write one entry for each"
type Target struct {
	// instanceIDs are the ids of EC2 instances and hybrid managed nodes, at most 300.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=300
	// +kubebuilder:validation:items:XValidation:rule="!self.startsWith('ecs:')",message="tasks of ECS are not supported as targets; name the EC2 instance or the hybrid node itself, or grant ssm:StartSession on the task by other means"
	// +kubebuilder:validation:items:XValidation:rule="!self.startsWith('arn:')",message="an instance is given by its id, not by an ARN: write i-051cac51072605f39 for arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39"
	// +kubebuilder:validation:items:XValidation:rule="self.startsWith('ecs:') || self.startsWith('arn:') || (size(self) <= 20 && self.matches('^(i-[0-9a-f]{8}|i-[0-9a-f]{17}|mi-[0-9a-f]{17})$'))",message="an instance id is i- or mi- and 17 hex digits (older ones i- and 8), without wildcards, for example i-051cac51072605f39"
	InstanceIDs []InstanceID `json:"instanceIDs,omitempty"`

	// tags that a node must carry, all of them, at most 50. Keys match regardless of
	// case.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=50
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[\\\\p{L}\\\\p{M}\\\\p{Z}\\\\p{N}_.:/=+@-]*$'))",message="a tag key holds letters, digits, spaces and _.:/=+-@ only, as AWS has it; name each key in full"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.lowerAscii().startsWith('ssm-access.dev/'))",message="tags that begin with ssm-access.dev/ are the operator's own; to mean the nodes of a HybridActivation, name it in activationRef"
	Tags map[string]string `json:"tags,omitempty"`

	// activationRef names a HybridActivation in the same namespace. It selects the
	// nodes that registered with it.
	// +optional
	ActivationRef *LocalReference `json:"activationRef,omitempty"`
}

// DocumentReference names a session document, either by its name in AWS or by its
// SessionDocument.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.ref)",message="a document has exactly one of name and ref; write one entry for each"
type DocumentReference struct {
	// name of the document in AWS, or its ARN where another account shares it.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^(arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:document/)?[A-Za-z0-9_.-]{3,128}$')",message="a document is given by its name, of 3 to 128 letters, digits and _.- only and without wildcards, or by its ARN where another account shares it, such as arn:aws:ssm:ap-northeast-1:111122223333:document/Shared-Shell"
	Name string `json:"name,omitempty"`

	// ref names a SessionDocument in the same namespace.
	// +optional
	Ref *LocalReference `json:"ref,omitempty"`
}

// CIDR is a range of IPv4 or IPv6 addresses.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
type CIDR string

// SessionAccessStatus is the observed state of a SessionAccess.
type SessionAccessStatus struct {
	// observedGeneration is the generation of the spec that the conditions describe; -1
	// before the operator has reconciled the object.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the access: Ready always, Active, Reconciling or Stalled while
	// True, and conditions about single aspects of the access, such as
	// TargetsReachable.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// summary holds short texts for kubectl get.
	// +optional
	Summary *AccessSummary `json:"summary,omitempty"`

	// principals reports for each principal whether its access is granted.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Principals []PrincipalStatus `json:"principals,omitempty"`

	// targets counts the nodes that a session can reach, as of the last check of the
	// operator.
	// +optional
	Targets *TargetsStatus `json:"targets,omitempty"`

	// revocation reports the last revocation of access.
	// +optional
	Revocation *RevocationStatus `json:"revocation,omitempty"`

	// applied records what is granted. The operator writes it before it calls AWS,
	// and revokes access by this record, regardless of the spec at that time.
	// +optional
	Applied *AppliedAccess `json:"applied,omitempty"`
}

// AccessSummary holds short texts for kubectl get.
type AccessSummary struct {
	// principals is a short form of the principals, such as "User/user01" or
	// "User/user01 +2".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Principals string `json:"principals,omitempty"`

	// targets is a short form of the targets, such as "2 instances" or
	// "Env=stg,Role=web".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Targets string `json:"targets,omitempty"`

	// policies is the name of the policy, or the number of policies.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Policies string `json:"policies,omitempty"`

	// reachable is how many of the targets are connected, such as "11/12". A "+"
	// means that there are more targets than the operator checks, or that it could
	// not list them all. A "?" means that the operator does not know the state of
	// some targets.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Reachable string `json:"reachable,omitempty"`
}

// PrincipalState is the state of the access of one principal.
//
// +kubebuilder:validation:Enum=Granted;Pending;NotFound;Refused;Failed;WouldGrant
type PrincipalState string

const (
	// PrincipalGranted means that the policy holds the grant and is attached. The
	// policy of a permission set is attached to nothing.
	PrincipalGranted PrincipalState = "Granted"
	// PrincipalPending means that the operator has not written to AWS yet.
	PrincipalPending PrincipalState = "Pending"
	// PrincipalNotFound means that IAM has no such principal.
	PrincipalNotFound PrincipalState = "NotFound"
	// PrincipalRefused means that AWS does not let the operator write, that the grant
	// would exceed a quota, that the spec cannot be rendered, or that the operator
	// does not make the grant for another reason, which the message describes.
	PrincipalRefused PrincipalState = "Refused"
	// PrincipalFailed means that AWS failed. The operator retries.
	PrincipalFailed PrincipalState = "Failed"
	// PrincipalWouldGrant means that the account is in mode Observe and the operator
	// skipped a write.
	PrincipalWouldGrant PrincipalState = "WouldGrant"
)

// PrincipalStatus is the observed state of the access of one principal.
type PrincipalStatus struct {
	// kind of the principal.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// state of the access of the principal.
	// +required
	State PrincipalState `json:"state,omitempty"`

	// message describes the problem and what to do, or names the policy that a
	// permission set should reference.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// policyARNs are the ARNs of the policies that hold the grants of this principal.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=2048
	PolicyARNs []string `json:"policyARNs,omitempty"`
}

// SessionAccess lets principals open Session Manager sessions on targets.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ssmaccess
// +kubebuilder:printcolumn:name="PRINCIPALS",type=string,JSONPath=`.status.summary.principals`
// +kubebuilder:printcolumn:name="TARGETS",type=string,JSONPath=`.status.summary.targets`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REASON",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="REACHABLE",type=string,JSONPath=`.status.summary.reachable`
// +kubebuilder:printcolumn:name="EXPIRES",type=string,JSONPath=`.spec.notAfter`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,priority=1,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="POLICIES",type=string,priority=1,JSONPath=`.status.summary.policies`
type SessionAccess struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the desired access.
	// +required
	Spec SessionAccessSpec `json:"spec,omitzero"`

	// status is the observed state of the access.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status SessionAccessStatus `json:"status,omitzero"`
}

// SessionAccessList is a list of SessionAccesses.
//
// +kubebuilder:object:root=true
type SessionAccessList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []SessionAccess `json:"items"`
}

// AccountName returns the name of the AWSAccount in spec.accountRef.
func (a *SessionAccess) AccountName() string { return a.Spec.AccountRef.Name }

// EmptyList returns an empty SessionAccessList.
func (*SessionAccess) EmptyList() ObjectList { return &SessionAccessList{} }

// HasRecord reports whether the status records a grant.
func (a *SessionAccess) HasRecord() bool { return a.Status.Applied != nil }

// StatusFields returns pointers to the status, and to what every kind has in it.
func (a *SessionAccess) StatusFields() (status any, conditions *[]metav1.Condition, observedGeneration *int64, uid *string) {
	return &a.Status, &a.Status.Conditions, &a.Status.ObservedGeneration, nil
}

// IsSuspended returns spec.suspend.
func (a *SessionAccess) IsSuspended() bool { return a.Spec.Suspend }
