package accounts

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Inputs are everything that decides it.
type Inputs struct {
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

// Gather reads the inputs. namespace is empty for a kind without namespaces.
func Gather(ctx context.Context, c client.Reader, account, namespace string) (Inputs, error) {
	in := Inputs{Name: account, NamespaceName: namespace}
	found := &v1alpha1.AWSAccount{}
	switch err := c.Get(ctx, client.ObjectKey{Name: account}, found); {
	case err == nil:
		in.Account = found
		if in.Rival, err = Older(ctx, c, found); err != nil {
			return in, err
		}
	case client.IgnoreNotFound(err) != nil:
		return in, fmt.Errorf("read AWSAccount %q: %w", account, err)
	}
	if namespace == "" {
		return in, nil
	}
	home := &corev1.Namespace{}
	switch err := c.Get(ctx, client.ObjectKey{Name: namespace}, home); {
	case err == nil:
		in.Namespace = home
	case client.IgnoreNotFound(err) != nil:
		return in, fmt.Errorf("read namespace %q: %w", namespace, err)
	}
	return in, nil
}

// Denial is why an object is not allowed to use its account.
type Denial struct {
	// Reason and Message of condition Ready.
	Reason, Message string
	// Waiting: there is nothing wrong with the object; what it has stays.
	Waiting bool
}

// Check returns why the object is not allowed to use its account in these regions,
// and nil when it is allowed. The first reason wins: whether the account allows the
// namespace is checked before anything in the spec.
func (in Inputs) Check(regions []v1alpha1.Region) *Denial {
	if in.Account == nil {
		return wait(v1alpha1.ReasonAccountNotFound,
			"No AWSAccount is named %q; create it, or correct accountRef in a new object.", in.Name)
	}
	if in.Rival != "" {
		return wait(v1alpha1.ReasonConflict,
			"AWSAccount %q is not used: AWSAccount %q declares the same account and was in use first, or nothing shows which of them was. Delete one of the two, or name the one that is used in a new object.", in.Account.Name, in.Rival)
	}
	if in.NamespaceName != "" {
		if closed := in.judgeNamespace(); closed != nil {
			return closed
		}
	}
	return in.CheckRegions(regions)
}

// judgeNamespace checks that the account lets the namespace use it.
func (in Inputs) judgeNamespace() *Denial {
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
func (in Inputs) CheckRegions(regions []v1alpha1.Region) *Denial {
	for _, region := range regions {
		if !slices.Contains(in.Account.Spec.Regions, region) {
			return refuse(v1alpha1.ReasonRegionNotAllowed,
				"Region %s is not among the regions of AWSAccount %q (%s); remove it here or add it there.", region, in.Account.Name, join(in.Account.Spec.Regions))
		}
	}
	return nil
}

// Rules are the guardrails of the account that bound the namespace. A selector
// that cannot be read bounds every namespace, and every rule bounds a namespace
// that is not known.
func (in Inputs) Rules() []*v1alpha1.Guardrail {
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
func (in Inputs) Violated(rule *v1alpha1.Guardrail, violation, nothing string) *Denial {
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
