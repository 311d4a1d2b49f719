package v1alpha1

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Guardrail restricts what namespaces may declare in an account. If several
// guardrails match a namespace, all of them apply.
type Guardrail struct {
	// name of the guardrail, which messages show.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// namespaceSelector selects, by label, the namespaces that the guardrail
	// restricts. The empty selector selects all namespaces.
	// +required
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// principals that may be granted access, at most 100 patterns. When omitted, all
	// may.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Principals []PrincipalPattern `json:"principals,omitempty"`

	// requiredTags are tags that every node must carry. They become a condition of
	// every statement that allows nodes, including nodes that are given by id.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	RequiredTags map[string]string `json:"requiredTags,omitempty"`

	// excludedNodes are nodes on which no session may be granted, regardless of the
	// rest of a grant.
	// +optional
	ExcludedNodes *NodeExclusion `json:"excludedNodes,omitempty"`

	// documents that may be used, by name; a * matches any characters. A document that
	// another account shares is matched by patterns of its ARN only. When omitted, all
	// may be used.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@:/*-]+$')",message="a pattern holds letters, digits, _+=,.@:/- and * for any characters"
	Documents []NamePattern `json:"documents,omitempty"`

	// maxValidity is the longest time from notBefore, or from the creation of the
	// object if that is later, to notAfter, for example 720h. notAfter is then
	// required.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$') && duration(self) > duration('0s')",message="maxValidity is a time longer than 0s in h, m and s, for example 720h for 30 days"
	MaxValidity *metav1.Duration `json:"maxValidity,omitempty"`

	// requireMFA requires requireMFA: true on every SessionAccess. Defaults to false.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// forbidLeaveSessions requires onRevoke: TerminateSessions on every
	// SessionAccess. Defaults to false.
	// +optional
	ForbidLeaveSessions bool `json:"forbidLeaveSessions,omitempty"`

	// sessionDocuments restricts SessionDocuments. A namespace cannot adopt or share
	// documents, or name KMS keys, unless a guardrail allows it here.
	// +optional
	SessionDocuments *DocumentRule `json:"sessionDocuments,omitempty"`

	// activations restricts HybridActivations. A namespace cannot create any unless a
	// guardrail that matches the namespace has this field.
	// +optional
	Activations *ActivationRule `json:"activations,omitempty"`
}

// DocumentRule restricts SessionDocuments. If several guardrails restrict the same
// aspect, all of them must allow it.
//
// +kubebuilder:validation:MinProperties=1
type DocumentRule struct {
	// namePrefix is the required prefix of the names of documents in AWS. Documents
	// that adopt allows are exempt.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.-]+$')",message="namePrefix holds letters, digits and _.- only, without wildcards"
	NamePrefix string `json:"namePrefix,omitempty"`

	// adopt lists the existing documents that may be adopted, by name; a * matches
	// any characters. When omitted, none may be adopted.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_.*-]+$')",message="a pattern holds letters, digits, _.- and * for any characters"
	Adopt []NamePattern `json:"adopt,omitempty"`

	// shareWith lists whom documents may be shared with, at most 100: accounts by their
	// 12 digits, and organizations and organizational units by their ARNs. An
	// organization allows all of its units. When omitted, no document may be shared.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^([0-9]{12}|arn:aws[a-z-]*:organizations::[0-9]{12}:(organization/o-[a-z0-9]+|ou/o-[a-z0-9]+/ou-[0-9a-z]+-[0-9a-z]+))$')",message="an account is given by its 12 digits, in quotes, for example \"488821267897\", an organization by its ARN, such as arn:aws:organizations::488821267897:organization/o-a1b2c3d4e5, and a unit by its ARN with ou/ and both ids"
	ShareWith []ShareTarget `json:"shareWith,omitempty"`

	// keys lists the values that kmsKeyId of a document may have, as they are written
	// there; a * matches any characters. When omitted, a document cannot name a key.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_:/.*-]+$')",message="a pattern holds letters, digits, _:/.- and * for any characters, for example arn:aws:kms:ap-northeast-1:488821267897:key/*"
	Keys []KeyPattern `json:"keys,omitempty"`
}

// ActivationRule restricts HybridActivations. If several guardrails match, all of
// them must allow an activation.
type ActivationRule struct {
	// roles that nodes may get, by name, at most 100; a * matches any characters.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@*-]+$')",message="a pattern holds letters, digits, _+=,.@- and * for any characters"
	Roles []NamePattern `json:"roles,omitempty"`

	// maxRegistrations is how many machines of a HybridActivation may be registered,
	// over all of its activations. It is also the upper limit of registrationLimit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxRegistrations *int32 `json:"maxRegistrations,omitempty"`

	// maxValidity is the longest validFor, for example 24h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$') && duration(self) > duration('0s')",message="maxValidity is a time longer than 0s in h, m and s, for example 24h"
	MaxValidity *metav1.Duration `json:"maxValidity,omitempty"`

	// requiredTags are tags that the operator adds to every activation, and so to its
	// nodes.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	RequiredTags map[string]string `json:"requiredTags,omitempty"`

	// tagKeys are the keys of further tags that an activation may set; a * matches
	// any characters. When omitted, an activation may set any key. The tags of a node
	// decide who may open sessions on it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	TagKeys []NamePattern `json:"tagKeys,omitempty"`
}

// AccountID is the 12-digit id of an AWS account.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
type AccountID string

// ShareTarget is whom a document is shared with: the 12-digit id of an AWS account, or the
// ARN of an organization or an organizational unit.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=160
type ShareTarget string

// IsAccount reports whether it is an account, and not an ARN.
func (t ShareTarget) IsAccount() bool { return !strings.HasPrefix(string(t), "arn:") }

// Organization returns the ARN of the organization that an organizational unit belongs to;
// "" for anything else.
func (t ShareTarget) Organization() ShareTarget {
	before, ids, ok := strings.Cut(string(t), ":ou/")
	if !ok {
		return ""
	}
	organization, _, _ := strings.Cut(ids, "/")
	return ShareTarget(before + ":organization/" + organization)
}

// KeyPattern is the ARN, id or alias of a KMS key in which * matches any characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
type KeyPattern string

// PrincipalPattern matches principals by kind and name.
type PrincipalPattern struct {
	// kind of the principal.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal; a * matches any characters. IAM ignores case.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@*-]+$')",message="a pattern holds letters, digits, _+=,.@- and * for any characters"
	Name NamePattern `json:"name,omitempty"`
}

// NamePattern is a name in which * matches any characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
type NamePattern string
