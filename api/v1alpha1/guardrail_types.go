package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Guardrail bounds what namespaces may declare in an account. Where several
// match a namespace, all of them hold.
type Guardrail struct {
	// name of the rule, for messages.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// namespaceSelector says which namespaces it bounds, by their labels; the
	// empty selector means all.
	// +required
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// principals that may be granted access, any of at most 100; all when left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Principals []PrincipalPattern `json:"principals,omitempty"`

	// requiredTags that every node must carry. They become a condition of every
	// statement, also for instances that are given by id.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	RequiredTags map[string]string `json:"requiredTags,omitempty"`

	// excludedNodes on which no session may be granted, whatever else a grant says.
	// +optional
	ExcludedNodes *NodeExclusion `json:"excludedNodes,omitempty"`

	// documents that may be used, by name; a * stands for any characters. All
	// when left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@*-]+$')",message="a pattern holds letters, digits, _+=,.@- and * for any characters"
	Documents []NamePattern `json:"documents,omitempty"`

	// maxValidity is the longest time between notBefore (or the creation of the
	// object) and notAfter, which must then be given. For example 720h.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(\\\\.[0-9]+)?(h|m|s))+$') && duration(self) > duration('0s')",message="maxValidity is a time longer than 0s in h, m and s, for example 720h for 30 days"
	MaxValidity *metav1.Duration `json:"maxValidity,omitempty"`

	// requireMFA asks that every access has requireMFA.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// forbidLeaveSessions asks that every access has onRevoke: TerminateSessions.
	// +optional
	ForbidLeaveSessions bool `json:"forbidLeaveSessions,omitempty"`

	// sessionDocuments bounds the SessionDocuments. Without a rule that speaks of
	// it, a namespace may not adopt or share documents, nor name keys.
	// +optional
	SessionDocuments *DocumentRule `json:"sessionDocuments,omitempty"`

	// activations bounds the HybridActivations. Without a rule that has it, a
	// namespace may create none.
	// +optional
	Activations *ActivationRule `json:"activations,omitempty"`
}

// DocumentRule bounds SessionDocuments. Where several rules speak of the same
// thing, all of them must allow it.
//
// +kubebuilder:validation:MinProperties=1
type DocumentRule struct {
	// namePrefix is how the names of the documents in AWS must begin; the name of
	// a document that adopt allows need not.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_.-]+$')",message="namePrefix holds letters, digits and _.- only, without wildcards"
	NamePrefix string `json:"namePrefix,omitempty"`

	// adopt are the existing documents that may be taken over, by name; a * stands
	// for any characters.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_.*-]+$')",message="a pattern holds letters, digits, _.- and * for any characters"
	Adopt []NamePattern `json:"adopt,omitempty"`

	// shareWith are the accounts that documents may be shared with, at most 100.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:XValidation:rule="self.all(x, self.exists_one(y, x == y))",message="shareWith holds one entry twice; keep one of them"
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[0-9]{12}$')",message="an account is given by its 12 digits, in quotes, for example \"488821267897\""
	ShareWith []AccountID `json:"shareWith,omitempty"`

	// keys that documents may name as kmsKeyId, as they must be written there; a *
	// stands for any characters.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_:/.*-]+$')",message="a pattern holds letters, digits, _:/.- and * for any characters, for example arn:aws:kms:ap-northeast-1:488821267897:key/*"
	Keys []KeyPattern `json:"keys,omitempty"`
}

// ActivationRule bounds HybridActivations. Where several rules match, all of
// them must allow one.
type ActivationRule struct {
	// roles that nodes may be given, by name, any of at most 100; a * stands for
	// any characters.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@*-]+$')",message="a pattern holds letters, digits, _+=,.@- and * for any characters"
	Roles []NamePattern `json:"roles,omitempty"`

	// maxRegistrations is how many machines of a HybridActivation may be registered,
	// over all of its activations. It also bounds registrationLimit.
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

	// requiredTags are put on every activation, and so on its nodes.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) >= 1 && size(k) <= 128 && size(self[k]) <= 256)",message="a tag key has 1 to 128 characters and a value at most 256"
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(l, l.lowerAscii() == k.lowerAscii()))",message="tag keys that differ only in case are the same key to IAM; keep one of them"
	RequiredTags map[string]string `json:"requiredTags,omitempty"`

	// tagKeys that an activation may set besides; a * stands for any characters.
	// All when left out. A node's tags decide who may open sessions on it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	TagKeys []NamePattern `json:"tagKeys,omitempty"`
}

// AccountID is the id of an AWS account, 12 digits.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=32
type AccountID string

// KeyPattern is the ARN, id or alias of a KMS key in which * stands for any
// characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
type KeyPattern string

// PrincipalPattern matches principals by kind and name.
type PrincipalPattern struct {
	// kind of the principal.
	// +required
	Kind PrincipalKind `json:"kind,omitempty"`

	// name of the principal; a * stands for any characters. IAM ignores case.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@*-]+$')",message="a pattern holds letters, digits, _+=,.@- and * for any characters"
	Name NamePattern `json:"name,omitempty"`
}

// NamePattern is a name in which * stands for any characters.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=128
type NamePattern string
