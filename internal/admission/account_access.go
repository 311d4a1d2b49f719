package admission

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// AccountAccess is everything that decides whether an object may use its AWSAccount, and
// within which guardrails.
type AccountAccess struct {
	// Name is what accountRef says.
	Name string
	// Account of that name; nil when there is none.
	Account *v1alpha1.AWSAccount
	// Rival is the AWSAccount that declares the same account id and keeps this one
	// from being used; empty when there is none.
	Rival string
	// NamespaceName of the object; empty for a kind without namespaces.
	NamespaceName string
	// Namespace of the object; nil when it is gone.
	Namespace *corev1.Namespace
}

// Denial is why an object does not get what it declares.
type Denial struct {
	// Reason and Message of condition Ready. The message is a stable sentence that says
	// what to change.
	Reason, Message string
	// Waiting: there is nothing wrong with the object; what it has stays.
	Waiting bool
}

// IsOpen reports whether the namespace of the object may use the account, regardless of
// the object's spec.
func (in AccountAccess) IsOpen() bool { return in.Check(nil) == nil }

// Check returns why the object is not allowed to use its account in these regions,
// and nil when it is allowed. The first reason wins: whether the account allows the
// namespace is checked before anything in the spec.
func (in AccountAccess) Check(regions []v1alpha1.Region) *Denial {
	if in.Account == nil {
		return wait(v1alpha1.ReasonAccountNotFound,
			"No AWSAccount is named %q; create it, or correct accountRef in a new object.", in.Name)
	}
	if in.Rival != "" {
		return wait(v1alpha1.ReasonConflict,
			"AWSAccount %q is not used: AWSAccount %q declares the same account and was in use first, or nothing shows which of them was. Delete one of the two, or name the one that is used in a new object.", in.Account.Name, in.Rival)
	}
	if in.NamespaceName != "" {
		if denial := in.checkNamespace(); denial != nil {
			return denial
		}
	}
	return in.CheckRegions(regions)
}

// checkNamespace checks that the account lets the namespace use it.
func (in AccountAccess) checkNamespace() *Denial {
	allowed := in.Account.Spec.AllowedNamespaces
	switch allowed.From {
	case v1alpha1.NamespacesAll:
		return nil
	case v1alpha1.NamespacesSelector:
		selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
		if err != nil {
			return refuse(v1alpha1.ReasonNamespaceNotAllowed,
				"AWSAccount %q has an allowedNamespaces.selector that Kubernetes cannot read, so no namespace is allowed; correct the selector.", in.Account.Name)
		}
		if in.Namespace != nil && selector.Matches(labels.Set(in.Namespace.Labels)) {
			return nil
		}
		return refuse(v1alpha1.ReasonNamespaceNotAllowed,
			"AWSAccount %q does not allow namespace %q; label the namespace so that it matches %q, or widen allowedNamespaces.", in.Account.Name, in.NamespaceName, selector.String())
	default:
		return refuse(v1alpha1.ReasonNamespaceNotAllowed,
			"AWSAccount %q allows no namespace; set allowedNamespaces.from to Selector or All to let %q use it.", in.Account.Name, in.NamespaceName)
	}
}

// CheckRegions checks that the regions of the object are among the account's.
func (in AccountAccess) CheckRegions(regions []v1alpha1.Region) *Denial {
	for _, region := range regions {
		if !slices.Contains(in.Account.Spec.Regions, region) {
			return refuse(v1alpha1.ReasonRegionNotAllowed,
				"Region %s is not among the regions of AWSAccount %q (%s); add it to the AWSAccount, or declare one of these, in a new object where the region cannot change.", region, in.Account.Name, join(in.Account.Spec.Regions))
		}
	}
	return nil
}

// Rules are the guardrails of the account that bound the namespace. A selector
// that cannot be read bounds every namespace, and every rule bounds a namespace
// that is not known.
func (in AccountAccess) Rules() []*v1alpha1.Guardrail {
	var rules []*v1alpha1.Guardrail
	for i := range in.Account.Spec.Guardrails {
		rule := &in.Account.Spec.Guardrails[i]
		selector, err := metav1.LabelSelectorAsSelector(rule.NamespaceSelector)
		if err != nil || in.Namespace == nil || rule.NamespaceSelector == nil || selector.Matches(labels.Set(in.Namespace.Labels)) {
			rules = append(rules, rule)
		}
	}
	return rules
}

// Violated is the denial of an object that a guardrail does not allow.
// violation is a sentence that says what to change. nothing is a sentence that says
// what the violation causes, such as "Nothing is granted.".
func (in AccountAccess) Violated(rule *v1alpha1.Guardrail, violation, nothing string) *Denial {
	return refuse(v1alpha1.ReasonGuardrailViolated, "Guardrail %q of AWSAccount %q does not allow this: %s %s", rule.Name, in.Account.Name, violation, nothing)
}

func refuse(reason, format string, args ...any) *Denial {
	return &Denial{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func wait(reason, format string, args ...any) *Denial {
	return &Denial{Reason: reason, Message: fmt.Sprintf(format, args...), Waiting: true}
}

func join(regions []v1alpha1.Region) string {
	texts := make([]string, len(regions))
	for i, r := range regions {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}
