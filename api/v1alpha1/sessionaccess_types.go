package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PrincipalKind is the kind of an IAM principal, or of the Identity Center
// permission set that stands behind one.
//
// +kubebuilder:validation:Enum=User;Group;Role;PermissionSet
type PrincipalKind string

const (
	// PrincipalUser is an IAM user.
	PrincipalUser PrincipalKind = "User"
	// PrincipalGroup is an IAM group: the grant reaches all its members.
	PrincipalGroup PrincipalKind = "Group"
	// PrincipalRole is an IAM role that people assume.
	PrincipalRole PrincipalKind = "Role"
	// PrincipalPermissionSet is an Identity Center permission set: the policy is
	// kept under a stable name for it to reference, and attached to nothing.
	PrincipalPermissionSet PrincipalKind = "PermissionSet"
)

// Client is a program from which people open sessions. Each needs other read
// permissions besides the session itself.
//
// +kubebuilder:validation:Enum=SessionManagerConsole;EC2Console;CLI
type Client string

const (
	// ClientSessionManagerConsole is the Session Manager and Fleet Manager consoles.
	ClientSessionManagerConsole Client = "SessionManagerConsole"
	// ClientEC2Console is the Connect button of the EC2 console.
	ClientEC2Console Client = "EC2Console"
	// ClientCLI is the AWS CLI with the Session Manager plugin.
	ClientCLI Client = "CLI"
)

// SessionScope says how a principal's own sessions are recognised.
//
// +kubebuilder:validation:Enum=Username;OwnerTag
type SessionScope string

const (
	// ScopeUsername recognises them by the user's name, with which their ids begin.
	ScopeUsername SessionScope = "Username"
	// ScopeOwnerTag recognises them by the owner that AWS tags them with. No other
	// user's sessions can be meant by mistake.
	ScopeOwnerTag SessionScope = "OwnerTag"
)

// OnRevoke says what happens to open sessions when access ends.
//
// +kubebuilder:validation:Enum=TerminateSessions;LeaveSessions
type OnRevoke string

const (
	// RevokeTerminateSessions ends the open sessions that no other grant allows.
	RevokeTerminateSessions OnRevoke = "TerminateSessions"
	// RevokeLeaveSessions leaves them until they end by themselves.
	RevokeLeaveSessions OnRevoke = "LeaveSessions"
)

// SessionAccessSpec grants principals sessions on targets.
//
// +kubebuilder:validation:XValidation:rule="!has(self.notBefore) || !has(self.notAfter) || self.notBefore < self.notAfter",message="notAfter must be later than notBefore; correct one of them"
// +kubebuilder:validation:XValidation:rule="has(self.principals) && size(self.principals) > 0",message="principals names nobody; give at least one, such as {kind: User, name: user01}"
// +kubebuilder:validation:XValidation:rule="has(self.targets) && size(self.targets) > 0",message="targets names no node; give at least one entry with instanceIDs, tags or activationRef"
// +kubebuilder:validation:XValidation:rule="!has(self.regions) || !has(self.documents) || size(self.regions) * self.documents.filter(d, has(d.ref)).size() <= 200",message="each ref in documents counts once for each region, and at most 200 are taken; name fewer SessionDocuments or regions, or declare several SessionAccesses"
type SessionAccessSpec struct {
	// accountRef names the AWSAccount. It cannot change: access that was granted
	// in one account could not be taken away from another.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="accountRef cannot be changed; declare another SessionAccess for the other account"
	AccountRef AccountReference `json:"accountRef,omitzero"`

	// principals that may open sessions, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="!self.name.startsWith('arn:')",message="name is the name alone, not an ARN: write user01 for arn:aws:iam::488821267897:user/user01"
	// +kubebuilder:validation:items:XValidation:rule="self.name.startsWith('arn:') || self.name.matches('^[A-Za-z0-9_+=,.@-]+$')",message="name may hold letters, digits and _+=,.@- only, without a path and without wildcards"
	// +kubebuilder:validation:items:XValidation:rule="self.kind == 'Group' || size(self.name) <= 64",message="the name of a user, role or permission set has at most 64 characters"
	// +kubebuilder:validation:items:XValidation:rule="self.kind != 'Role' || !self.name.lowerAscii().startsWith('awsreservedsso_')",message="a role of IAM Identity Center cannot be attached to; use kind PermissionSet with the permission set's name"
	// +kubebuilder:validation:XValidation:rule="self.all(p, self.exists_one(q, q.kind == p.kind && q.name.lowerAscii() == p.name.lowerAscii()))",message="principals names one principal twice; names that differ only in case are the same principal to IAM, so keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.kind != 'PermissionSet' || (size(self.name) <= 32 && !self.name.startsWith('AWSReservedSSO_'))",message="a permission set is given by its own name of at most 32 characters: write Ops for the role AWSReservedSSO_Ops_0123456789abcdef"
	Principals []Principal `json:"principals,omitempty"`

	// targets on which sessions may be opened, any of at most 20. All of them
	// together hold at most 2,000 ids, and at most 16,384 characters of tags.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:XValidation:rule="self.map(t, has(t.instanceIDs) ? size(t.instanceIDs) : 0).sum() <= 2000",message="the targets hold more than 2000 instance ids, and the policies of one principal some 1400; name the nodes by tags, or declare several SessionAccesses"
	// +kubebuilder:validation:XValidation:rule="self.map(t, has(t.tags) ? t.tags.map(k, size(k) + size(t.tags[k])).sum() : 0).sum() <= 16384",message="the tags of the targets hold more than 16384 characters; use fewer or shorter tags, or declare several SessionAccesses"
	Targets []Target `json:"targets,omitempty"`

	// regions of the targets; the account's when left out, and among them when given.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=40
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="regions names one region twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$')",message="a region is written as AWS spells it, for example ap-northeast-1"
	Regions []Region `json:"regions,omitempty"`

	// documents with which sessions may be opened, at most 20;
	// SSM-SessionManagerRunShell when left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={{name: "SSM-SessionManagerRunShell"}}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	Documents []DocumentReference `json:"documents,omitempty"`

	// clients from which sessions are opened: each brings the read permissions
	// it needs. SessionManagerConsole and CLI when left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:default={"SessionManagerConsole","CLI"}
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="clients names one client twice; keep one of them"
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	Clients []Client `json:"clients,omitempty"`

	// sessionScope says how the principal's own sessions, which it may resume and
	// terminate, are recognised. Roles and permission sets always have OwnerTag.
	// +optional
	// +kubebuilder:default=Username
	SessionScope SessionScope `json:"sessionScope,omitempty"`

	// notBefore is when the access begins; at once when left out.
	// +optional
	// +kubebuilder:validation:XValidation:rule="timestamp(int(self)) == self && self >= timestamp('2000-01-01T00:00:00Z')",message="a time is written to the second and with its zone, for example 2027-01-01T00:00:00Z"
	NotBefore *metav1.Time `json:"notBefore,omitempty"`

	// notAfter is when the access ends; never when left out.
	// +optional
	// +kubebuilder:validation:XValidation:rule="timestamp(int(self)) == self && self >= timestamp('2000-01-01T00:00:00Z')",message="a time is written to the second and with its zone, for example 2027-01-01T00:00:00Z"
	NotAfter *metav1.Time `json:"notAfter,omitempty"`

	// requireMFA asks for credentials that were issued with multi-factor authentication.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// sourceCIDRs from which AWS must be called, at most 50; from anywhere when left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="sourceCIDRs names one range twice; keep one of them"
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="a range of addresses is written as address/bits, for example 203.0.113.0/24"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self) == cidr(self).masked()",message="the address of a range ends where its bits end: write 203.0.113.0/24, not 203.0.113.7/24"
	SourceCIDRs []CIDR `json:"sourceCIDRs,omitempty"`

	// reason for the access, for people who read it later, such as a ticket.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Reason string `json:"reason,omitempty"`

	// onRevoke says what happens to open sessions when access ends.
	// +optional
	// +kubebuilder:default=TerminateSessions
	OnRevoke OnRevoke `json:"onRevoke,omitempty"`
}

// Principal names whom access is granted to.
type Principal struct {
	// kind is User, Group, Role or PermissionSet.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name in IAM, without path; for a PermissionSet the permission set's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`
}

// InstanceID is the id of an EC2 instance (i-…) or of a hybrid managed node (mi-…).
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
type InstanceID string

// Target is a set of nodes: given by ids, by tags or by a HybridActivation.
//
// +kubebuilder:validation:XValidation:rule="[has(self.instanceIDs), has(self.tags), has(self.activationRef)].filter(x, x).size() == 1",message="a target has exactly one of instanceIDs, tags and activationRef; write one entry for each"
type Target struct {
	// instanceIDs of EC2 instances and hybrid managed nodes, at most 300.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=300
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^(i-[0-9a-f]{8}|i-[0-9a-f]{17}|mi-[0-9a-f]{17})$')",message="an instance id is i- or mi- and 17 hex digits (older ones i- and 8), without wildcards, for example i-051cac51072605f39"
	InstanceIDs []InstanceID `json:"instanceIDs,omitempty"`

	// tags that a node must carry, all of at most 50. Keys match whatever their case.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=50
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.matches('^[\\\\p{L}\\\\p{M}\\\\p{Z}\\\\p{N}_.:/=+@-]*$'))",message="a tag key holds letters, digits, spaces and _.:/=+-@ only, as AWS has it; name each key in full"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.lowerAscii().startsWith('ssm-access.dev/'))",message="tags that begin with ssm-access.dev/ are the operator's own; to mean the nodes of a HybridActivation, name it in activationRef"
	Tags map[string]string `json:"tags,omitempty"`

	// activationRef names the HybridActivation whose nodes are meant.
	// +optional
	ActivationRef *LocalReference `json:"activationRef,omitempty"`
}

// DocumentReference names a session document, in AWS or by its SessionDocument.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.ref)",message="a document has exactly one of name and ref; write one entry for each"
type DocumentReference struct {
	// name of the document in AWS.
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.-]+$')",message="a document is given by its name, of letters, digits and _.- only, not by an ARN and without wildcards"
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

// SessionAccessStatus is what the operator made of a SessionAccess.
type SessionAccessStatus struct {
	// observedGeneration is the generation of the spec that the conditions judge.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions of the access: Ready and Active, and Reconciling or Stalled while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// summary holds short texts for kubectl get.
	// +optional
	Summary *AccessSummary `json:"summary,omitempty"`

	// principals tells for each principal whether its access is in place.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Principals []PrincipalStatus `json:"principals,omitempty"`

	// targets counts the nodes that a session can reach, as of the last time that
	// the operator could look.
	// +optional
	Targets *TargetsStatus `json:"targets,omitempty"`

	// revocation records how access was last taken away.
	// +optional
	Revocation *RevocationStatus `json:"revocation,omitempty"`

	// applied records what was granted, before AWS was told. Access is taken away
	// by this record, whatever the spec says by then.
	// +optional
	Applied *AppliedAccess `json:"applied,omitempty"`
}

// AccessSummary holds short texts for kubectl get.
type AccessSummary struct {
	// principals in short, such as "User/user01" or "User/user01 +2".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Principals string `json:"principals,omitempty"`

	// targets in short, such as "2 instances" or "Env=stg,Role=web".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Targets string `json:"targets,omitempty"`

	// policies in short: the name of the policy, or how many there are.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Policies string `json:"policies,omitempty"`

	// reachable is how many of the targets are connected, such as "11/12". A "+"
	// says that there are more targets than are looked at, and a "?" that of some
	// it could not be told.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	Reachable string `json:"reachable,omitempty"`
}

// PrincipalState says how far the access of one principal is.
//
// +kubebuilder:validation:Enum=Granted;Pending;NotFound;Refused;Failed;WouldGrant
type PrincipalState string

const (
	// PrincipalGranted means the policy holds the grant and is attached (a
	// permission set's policy is attached to nothing).
	PrincipalGranted PrincipalState = "Granted"
	// PrincipalPending means AWS was not told yet.
	PrincipalPending PrincipalState = "Pending"
	// PrincipalNotFound means IAM has no such principal.
	PrincipalNotFound PrincipalState = "NotFound"
	// PrincipalRefused means AWS does not let the operator write, or a quota would be exceeded.
	PrincipalRefused PrincipalState = "Refused"
	// PrincipalFailed means AWS failed; it is tried again.
	PrincipalFailed PrincipalState = "Failed"
	// PrincipalWouldGrant means the account is in mode Observe and a write was left out.
	PrincipalWouldGrant PrincipalState = "WouldGrant"
)

// PrincipalStatus tells how far the access of one principal is.
type PrincipalStatus struct {
	// kind of the principal.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// state of its access.
	// +required
	State PrincipalState `json:"state,omitempty"`

	// message says what is wrong and what to do, or what a permission set should reference.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// policyARNs are the policies that hold this principal's grants.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=2048
	PolicyARNs []string `json:"policyARNs,omitempty"`
}

// SessionAccess grants principals Session Manager sessions on targets.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Namespaced,shortName=ssmaccess
// +kubebuilder:printcolumn:name="ACCOUNT",type=string,JSONPath=`.spec.accountRef.name`
// +kubebuilder:printcolumn:name="PRINCIPALS",type=string,JSONPath=`.status.summary.principals`
// +kubebuilder:printcolumn:name="TARGETS",type=string,JSONPath=`.status.summary.targets`
// +kubebuilder:printcolumn:name="READY",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="REACHABLE",type=string,JSONPath=`.status.summary.reachable`
// +kubebuilder:printcolumn:name="EXPIRES",type=string,JSONPath=`.spec.notAfter`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="REASON",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="POLICIES",type=string,priority=1,JSONPath=`.status.summary.policies`
type SessionAccess struct {
	metav1.TypeMeta `json:",inline"`

	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec declares the access.
	// +required
	Spec SessionAccessSpec `json:"spec,omitzero"`

	// status is what the operator made of it.
	// +optional
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
