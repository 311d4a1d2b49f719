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

	// documents that may be used, by name; a * stands for any characters. All
	// when left out.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[A-Za-z0-9_+=,.@*-]+$')",message="a pattern holds letters, digits, _+=,.@- and * for any characters"
	Documents []NamePattern `json:"documents,omitempty"`

	// maxValidity is the longest time between notBefore (or the creation of the
	// object) and notAfter, which must then be given. For example 720h.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s')",message="maxValidity is a time longer than 0s in h, m and s, for example 720h for 30 days"
	MaxValidity *metav1.Duration `json:"maxValidity,omitempty"`

	// requireMFA asks that every access has requireMFA.
	// +optional
	RequireMFA bool `json:"requireMFA,omitempty"`

	// forbidLeaveSessions asks that every access has onRevoke: TerminateSessions.
	// +optional
	ForbidLeaveSessions bool `json:"forbidLeaveSessions,omitempty"`
}

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
