package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AppliedAccess is the operator's record of the access that it grants and of the
// access that it still has to revoke. The operator writes it before the first AWS
// call of a change, so no restart and no later edit can lose an access.
type AppliedAccess struct {
	// serial increases with each change of granted. It ties the result for a
	// principal to the grant that the result belongs to.
	// +required
	// +kubebuilder:validation:Minimum=1
	Serial int64 `json:"serial,omitempty"`

	// generation of the spec from which the operator resolved granted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Generation int64 `json:"generation,omitempty"`

	// uid of the object from whose spec the operator resolved granted. A record with
	// the uid of another object was restored from a backup: it grants no access until
	// the operator has evaluated this object. Absent in a record that an earlier
	// version wrote.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid,omitempty"`

	// declaredAt is when the first object with this record was created. A restore
	// does not change it, so it decides which of two SessionAccesses is older.
	// +optional
	DeclaredAt *metav1.Time `json:"declaredAt,omitempty"`

	// granted is the current access. Absent when there is none.
	// +optional
	Granted *ResolvedGrant `json:"granted,omitempty"`

	// revoking lists former grants that the operator has not proven to be revoked
	// yet. When there are many, one entry may combine several.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Revoking []ResolvedGrant `json:"revoking,omitempty"`

	// principalIDs are the unique IAM ids, as of their last grant, of principals that
	// the spec names and granted does not name now. Another principal that gets the
	// name later is not granted the access without confirmation.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10000
	PrincipalIDs []PrincipalID `json:"principalIDs,omitempty"`
}

// SessionsOutcome is the state of the open sessions of a revoked access.
//
// +kubebuilder:validation:Enum=Ending;Ended;Left;NotChecked
type SessionsOutcome string

const (
	// SessionsEnding: the operator is ending the sessions, or lists them once more.
	SessionsEnding SessionsOutcome = "Ending"
	// SessionsEnded: no session is open any more.
	SessionsEnded SessionsOutcome = "Ended"
	// SessionsLeft: the operator left the sessions open, because of onRevoke:
	// LeaveSessions or mode Observe.
	SessionsLeft SessionsOutcome = "Left"
	// SessionsNotChecked: the operator could never list the sessions, and the account
	// has sessionTermination: BestEffort.
	SessionsNotChecked SessionsOutcome = "NotChecked"
)

// RevocationStatus reports the last revocation of access.
type RevocationStatus struct {
	// serial of the record that the revocation belongs to, plus one once the object
	// is being deleted. When further access is lost, a new revocation starts.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Serial int64 `json:"serial,omitempty"`

	// permissionGoneAt is when the operator knew that no policy grants the access any
	// more. Absent while some policies still grant it; the operator then ends only
	// the sessions of principals whose policies no longer do.
	// +optional
	PermissionGoneAt metav1.Time `json:"permissionGoneAt,omitzero"`

	// sessions is the state of the open sessions: Ending, Ended, Left or NotChecked.
	// +required
	Sessions SessionsOutcome `json:"sessions,omitempty"`

	// sessionsEnded is the number of sessions that the operator terminated and then
	// observed to have ended.
	// +required
	// +kubebuilder:validation:Minimum=0
	SessionsEnded *int32 `json:"sessionsEnded,omitempty"`

	// ending lists the ids of sessions that the operator terminates and that are
	// still open.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=500
	// +kubebuilder:validation:items:MaxLength=128
	Ending []string `json:"ending,omitempty"`

	// incomplete lists the regions in which the operator could not list, judge or end
	// open sessions. The revocation is complete everywhere else.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=40
	Incomplete []IncompleteRegion `json:"incomplete,omitempty"`

	// completedAt is when the revocation was complete.
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`
}

// ResolvedGrant is an access with every reference resolved. It holds all that the
// operator needs to render the access into a policy, to revoke it, or to decide
// whether it covered a session.
type ResolvedGrant struct {
	// accountID is the 12-digit id of the AWS account in which the access is granted.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=12
	AccountID string `json:"accountID,omitempty"`

	// principals that have the access. There may be more than a spec can hold, where
	// former grants were merged.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	Principals []Principal `json:"principals,omitempty"`

	// principalIDs are the unique IAM ids of the principals when they were granted. A
	// name may pass to another principal, an id never does. A principal that the
	// operator has not read yet has no entry, and neither has a permission set,
	// because it has no such id.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10000
	PrincipalIDs []PrincipalID `json:"principalIDs,omitempty"`

	// targets with every reference resolved. There may be more than a spec can hold,
	// where former grants were merged.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	Targets []ResolvedTarget `json:"targets,omitempty"`

	// excludedTags are tags that exclude a node from the access, each key once.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	ExcludedTags []ExcludedTag `json:"excludedTags,omitempty"`

	// documents with every reference resolved: one entry for each KMS key that a
	// document has in the regions.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10000
	Documents []ResolvedDocument `json:"documents,omitempty"`

	// documentBounds are the guardrails that restrict which documents may be used on
	// the nodes. IAM allows a node of one grant with a document of another one, so
	// the bounds also decide which grants may exist side by side.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	DocumentBounds []DocumentBound `json:"documentBounds,omitempty"`

	// regions of the access. There may be more than a spec can hold, where former
	// grants were merged.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Regions []Region `json:"regions,omitempty"`

	// clients whose read permissions the access includes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=3
	Clients []Client `json:"clients,omitempty"`

	// sessionScope defines how IAM recognises a principal's own sessions.
	// +optional
	SessionScope SessionScope `json:"sessionScope,omitempty"`

	// dataChannelScope of the account when the access was granted.
	// +optional
	DataChannelScope DataChannelScope `json:"dataChannelScope,omitempty"`

	// notBefore is when the access begins. When absent, it begins at once.
	// +optional
	NotBefore *metav1.Time `json:"notBefore,omitempty"`

	// notAfter is when the access ends. When absent, it does not expire.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`

	// requireMFA requires multi-factor authentication.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// sourceCIDRs are the address ranges from which AWS must be called.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	SourceCIDRs []CIDR `json:"sourceCIDRs,omitempty"`

	// onRevoke defines what happens to open sessions when the access ends.
	// +optional
	OnRevoke OnRevoke `json:"onRevoke,omitempty"`

	// since is when the operator first recorded the access. The access does not cover
	// sessions that began earlier. Parts that were added later are in added. Absent
	// when the operator does not know it, as in records of earlier versions.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// added lists the parts that were added after since, the earliest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Added []CoverageStart `json:"added,omitempty"`

	// ungranted lists the parts that were recorded while the operator wrote nothing to
	// the account: in mode Observe, or while the account was not verified. They are named
	// as in added. The operator has not asked AWS to allow them, so they cover no session.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=6200
	// +kubebuilder:validation:items:MaxLength=192
	Ungranted []string `json:"ungranted,omitempty"`

	// inherited lists the start times of former grants whose open sessions this grant
	// now covers.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Inherited []InheritedStart `json:"inherited,omitempty"`
}

// PrincipalID is the unique id of a principal in IAM.
type PrincipalID struct {
	// kind of the principal: User, Group or Role.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal, as in principals.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Name string `json:"name,omitempty"`

	// id that IAM assigned to the principal, such as AIDACKCEVSQ6C2EXAMPLE.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ID string `json:"id,omitempty"`
}

// ResolvedTarget is a set of nodes, selected by ids or by tags.
type ResolvedTarget struct {
	// instanceIDs are the ids of the nodes.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=300
	InstanceIDs []InstanceID `json:"instanceIDs,omitempty"`

	// tags that a node must carry, all of them. With instanceIDs, a node must match
	// both.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=1100
	Tags map[string]string `json:"tags,omitempty"`

	// hybridRegion restricts the target to the hybrid nodes of one region: that of
	// the HybridActivation that the target refers to.
	// +optional
	HybridRegion Region `json:"hybridRegion,omitempty"`
}

// ResolvedDocument is a session document by its name in AWS.
type ResolvedDocument struct {
	// name of the document in AWS, or its ARN where another account shares it.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`

	// kmsKeyARN is the ARN of the KMS key that encrypts sessions with this document.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	KMSKeyARN string `json:"kmsKeyARN,omitempty"`
}

// DocumentBound lists the documents that one guardrail allows.
type DocumentBound struct {
	// guardrail is the name of the guardrail.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Guardrail string `json:"guardrail,omitempty"`

	// documents that the guardrail allows.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Documents []NamePattern `json:"documents,omitempty"`
}
