package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AppliedAccess is the operator's record of what it grants and what it still
// has to take away. It is written before the first AWS call of a change, so
// that no restart and no later edit can forget an access.
type AppliedAccess struct {
	// serial counts the changes of granted. It ties a principal's outcome to the
	// very grant that it was compiled from.
	// +required
	// +kubebuilder:validation:Minimum=1
	Serial int64 `json:"serial,omitempty"`

	// generation of the spec that granted comes from.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Generation int64 `json:"generation,omitempty"`

	// uid of the object whose spec granted comes from. A record with the uid of
	// another object was restored from a backup: it gives no access until this
	// object is decided on. Absent in records of earlier versions.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// declaredAt is when the first object with this record was created. A restore
	// does not change it, so that it decides which of two SessionAccesses is older.
	// +optional
	DeclaredAt *metav1.Time `json:"declaredAt,omitempty"`

	// granted is the access in force; absent when there is none.
	// +optional
	Granted *ResolvedGrant `json:"granted,omitempty"`

	// revoking lists former grants whose end is not proven yet. When many have
	// accumulated, one may stand for several.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Revoking []ResolvedGrant `json:"revoking,omitempty"`

	// principalIDs are the unique ids that IAM had for principals of the spec when
	// they were granted last, where granted does not name them now: whoever has the
	// name next is not granted the access without confirmation.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10000
	PrincipalIDs []PrincipalID `json:"principalIDs,omitempty"`
}

// SessionsOutcome says what became of the open sessions of a revoked access.
//
// +kubebuilder:validation:Enum=Ending;Ended;Left;NotChecked
type SessionsOutcome string

const (
	// SessionsEnding: they are being ended, or looked for once more.
	SessionsEnding SessionsOutcome = "Ending"
	// SessionsEnded: none is open any more.
	SessionsEnded SessionsOutcome = "Ended"
	// SessionsLeft: onRevoke said to leave them.
	SessionsLeft SessionsOutcome = "Left"
	// SessionsNotChecked: they could never be listed, and the account lets a
	// revocation complete without.
	SessionsNotChecked SessionsOutcome = "NotChecked"
)

// RevocationStatus records how access was last taken away.
type RevocationStatus struct {
	// serial of the record whose losses these are; one more once the object is
	// being deleted. Losing anything further begins anew.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Serial int64 `json:"serial,omitempty"`

	// permissionGoneAt is when the last policy stopped granting it. While some
	// still do, it is left out, and the sessions are those of principals that no
	// policy grants it to any more.
	// +optional
	PermissionGoneAt metav1.Time `json:"permissionGoneAt,omitzero"`

	// sessions says what became of the open sessions.
	// +required
	Sessions SessionsOutcome `json:"sessions,omitempty"`

	// sessionsEnded counts the sessions that were seen ended.
	// +required
	// +kubebuilder:validation:Minimum=0
	SessionsEnded *int32 `json:"sessionsEnded,omitempty"`

	// ending are the ids of sessions that were told to end and are still open.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=500
	// +kubebuilder:validation:items:MaxLength=128
	Ending []string `json:"ending,omitempty"`

	// incomplete lists the regions in which open sessions could not be listed,
	// judged or ended. Everything else has been done.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=40
	Incomplete []IncompleteRegion `json:"incomplete,omitempty"`

	// completedAt is when nothing was left to do.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`
}

// ResolvedGrant is an access with every reference resolved: nothing else is
// needed to render it into a policy, to take it away, or to tell whether it
// covered a session.
type ResolvedGrant struct {
	// accountID is the account that it was granted in.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	AccountID string `json:"accountID,omitempty"`

	// principals that it was granted to; more than a spec holds where former
	// grants were merged.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	Principals []Principal `json:"principals,omitempty"`

	// principalIDs are the unique ids that IAM had for the principals when they
	// were granted: a name may pass to another principal, an id never does. One
	// that was not seen yet is missing, and so are permission sets, which have none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10000
	PrincipalIDs []PrincipalID `json:"principalIDs,omitempty"`

	// targets with every reference resolved; more than a spec holds where former
	// grants were merged.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	Targets []ResolvedTarget `json:"targets,omitempty"`

	// excludedTags are tags that no node may carry, each key once.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	ExcludedTags []ExcludedTag `json:"excludedTags,omitempty"`

	// documents with every reference resolved: once for each key that a document
	// has in the regions.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	Documents []ResolvedDocument `json:"documents,omitempty"`

	// documentBounds are the guardrails that bound with which documents its nodes
	// may be used. IAM allows a node of one grant with a document of another, so
	// they also decide which grants may stand side by side.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	DocumentBounds []DocumentBound `json:"documentBounds,omitempty"`

	// regions in which it holds; more than a spec holds where former grants were
	// merged.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Regions []Region `json:"regions,omitempty"`

	// clients whose read permissions come with it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=3
	Clients []Client `json:"clients,omitempty"`

	// sessionScope says how own sessions are recognised.
	// +optional
	SessionScope SessionScope `json:"sessionScope,omitempty"`

	// dataChannelScope of the account when it was granted.
	// +optional
	DataChannelScope DataChannelScope `json:"dataChannelScope,omitempty"`

	// notBefore is when it begins.
	// +optional
	NotBefore *metav1.Time `json:"notBefore,omitempty"`

	// notAfter is when it ends.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`

	// requireMFA asks for multi-factor authentication.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// sourceCIDRs from which AWS must be called.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	SourceCIDRs []CIDR `json:"sourceCIDRs,omitempty"`

	// onRevoke says what happens to open sessions when it ends.
	// +optional
	OnRevoke OnRevoke `json:"onRevoke,omitempty"`

	// since is when it was recorded first: a session that began before has nothing
	// to do with it. What was added later is in added. Absent where it is not known,
	// as in records of earlier versions.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// added lists what was added after since, the earliest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Added []CoverageStart `json:"added,omitempty"`

	// inherited lists since when other grants covered whose sessions passed to this
	// one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Inherited []InheritedStart `json:"inherited,omitempty"`
}

// PrincipalID is the unique id of a principal in IAM.
type PrincipalID struct {
	// kind of the principal.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal, as principals has it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// id that IAM gave it, such as AIDACKCEVSQ6C2EXAMPLE.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
}

// ResolvedTarget is a set of nodes, by ids or by tags.
type ResolvedTarget struct {
	// instanceIDs of the nodes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=300
	InstanceIDs []InstanceID `json:"instanceIDs,omitempty"`

	// tags that a node must carry, all of them; with instanceIDs on top of the id.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=1100
	Tags map[string]string `json:"tags,omitempty"`

	// hybridRegion limits it to the hybrid nodes of one region, which are those of
	// an activation.
	// +optional
	HybridRegion Region `json:"hybridRegion,omitempty"`
}

// ResolvedDocument is a session document by its name in AWS.
type ResolvedDocument struct {
	// name of the document.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// kmsKeyARN is the key that sessions with this document are encrypted with.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	KMSKeyARN string `json:"kmsKeyARN,omitempty"`
}

// DocumentBound is what one guardrail says of documents.
type DocumentBound struct {
	// guardrail is the name of the rule.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Guardrail string `json:"guardrail,omitempty"`

	// documents that it allows.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Documents []NamePattern `json:"documents,omitempty"`
}
