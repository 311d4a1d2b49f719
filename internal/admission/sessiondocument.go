package admission

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/utils/ptr"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// nothingWritten is the effect of a violation.
const nothingWritten = "Nothing is written, and shares that are not allowed are removed."

// demand is something that a document asks for and that only a guardrail allows.
type demand struct {
	// field of the rule that covers it.
	field string
	// what is asked for, as in "share documents with account 111122223333".
	what string
	// instead is what to change in the object.
	instead string
	// allowed is what the field of a rule lists.
	allowed func(*v1alpha1.DocumentRule) []string
	// allows reports whether a rule that lists anything allows it.
	allows func(*v1alpha1.DocumentRule) bool
}

// CheckSessionDocument checks an object against the guardrails; nil when all of it is
// allowed. The account has to exist.
func (in AccountAccess) CheckSessionDocument(doc *v1alpha1.SessionDocument) *Denial {
	if slices.Contains(doc.Spec.SharedWith, v1alpha1.ShareTarget(in.Account.Spec.AccountID)) {
		return refuse(v1alpha1.ReasonInvalidSpec, "sharedWith names account %s, in which the document itself is; remove it there. %s", in.Account.Spec.AccountID, nothingWritten)
	}
	rules := in.documentRules()
	found := violations{in: in}
	for _, d := range demandsOf(doc) {
		d.check(&found, rules)
	}
	namePrefixAllows(&found, rules, doc)
	return found.denial(nothingWritten)
}

// AllowedShares are the entries of sharedWith that the guardrails allow: none
// where the namespace is refused. It does not matter what else is wrong with the
// object, or its author could keep a share by making a mistake. known is false where
// no AWSAccount declares the account that contains the document.
func (in AccountAccess) AllowedShares(doc *v1alpha1.SessionDocument) (allowed []v1alpha1.ShareTarget, known bool) {
	if in.Account == nil || in.Rival != "" || in.MadeElsewhere(doc) {
		return nil, false
	}
	// Regions are left out: they say nothing about whom to share with.
	if in.Check(nil) != nil {
		return nil, true
	}
	rules := in.documentRules()
	for _, target := range doc.Spec.SharedWith {
		if found := (violations{in: in}); shareDemand(target).check(&found, rules) {
			allowed = append(allowed, target)
		}
	}
	return allowed, true
}

// MadeElsewhere reports whether the AWSAccount declares another account than the one that
// contains the document.
func (in AccountAccess) MadeElsewhere(doc *v1alpha1.SessionDocument) bool {
	return doc.Status.AccountID != "" && doc.Status.AccountID != in.Account.Spec.AccountID
}

// documentRules are the guardrails that cover documents and bound the namespace.
func (in AccountAccess) documentRules() []*v1alpha1.Guardrail {
	var rules []*v1alpha1.Guardrail
	for _, rule := range in.Rules() {
		if rule.SessionDocuments != nil {
			rules = append(rules, rule)
		}
	}
	return rules
}

func demandsOf(doc *v1alpha1.SessionDocument) []demand {
	var demands []demand
	if doc.Spec.Adopt {
		name := doc.DocumentName()
		demands = append(demands, demand{
			field: "adopt", what: fmt.Sprintf("adopt document %q", name), instead: "remove adopt: true, or choose another name",
			allowed: func(r *v1alpha1.DocumentRule) []string { return texts(r.Adopt) },
			allows:  func(r *v1alpha1.DocumentRule) bool { return MatchesAny(r.Adopt, name) },
		})
	}
	for _, target := range doc.Spec.SharedWith {
		demands = append(demands, shareDemand(target))
	}
	if key := keyOf(doc); key != "" {
		demands = append(demands, demand{
			field: "keys", what: fmt.Sprintf("name key %q", key), instead: "remove inputs.kmsKeyId, or write the key as the rule does",
			allowed: func(r *v1alpha1.DocumentRule) []string { return texts(r.Keys) },
			allows: func(r *v1alpha1.DocumentRule) bool {
				return slices.ContainsFunc(r.Keys, func(s v1alpha1.KeyPattern) bool { return matchesText(string(s), key) })
			},
		})
	}
	return demands
}

// keyOf is the key that the spec names; "" for none.
func keyOf(doc *v1alpha1.SessionDocument) string {
	if doc.Spec.Inputs == nil {
		return ""
	}
	return ptr.Deref(doc.Spec.Inputs.KMSKeyID, "")
}

// shareDemand is the demand to share with a target. A rule that names an organization
// allows its units as well: an organizational unit is a part of it.
func shareDemand(target v1alpha1.ShareTarget) demand {
	what := fmt.Sprintf("share documents with %s", target)
	if target.IsAccount() {
		what = fmt.Sprintf("share documents with account %s", target)
	}
	return demand{
		field: "shareWith", what: what, instead: "remove that from sharedWith",
		allowed: func(r *v1alpha1.DocumentRule) []string { return texts(r.ShareWith) },
		allows: func(r *v1alpha1.DocumentRule) bool {
			return slices.Contains(r.ShareWith, target) || slices.Contains(r.ShareWith, target.Organization())
		},
	}
}

// check checks the demand against the rules, and reports whether they allow it. All that
// cover it must allow it, and at least one must.
func (d demand) check(found *violations, rules []*v1alpha1.Guardrail) bool {
	spoken, allowed := false, true
	for _, rule := range rules {
		list := d.allowed(rule.SessionDocuments)
		if len(list) == 0 {
			continue
		}
		spoken = true
		if !d.allows(rule.SessionDocuments) {
			found.add(rule, fmt.Sprintf("a SessionDocument may not %s; %s, or extend sessionDocuments.%s of the rule, which allows %s.", d.what, d.instead, d.field, some(list)))
			allowed = false
		}
	}
	if !spoken {
		found.addUnruled(fmt.Sprintf("No guardrail of AWSAccount %q lets namespace %q %s; %s, or add a guardrail with sessionDocuments.%s to the account.", found.in.Account.Name, found.in.NamespaceName, d.what, d.instead, d.field))
	}
	return spoken && allowed
}

// namePrefixAllows checks the name against the prefixes of all rules. One that
// may be adopted is named by others, and is free: adopt was allowed before.
func namePrefixAllows(found *violations, rules []*v1alpha1.Guardrail, doc *v1alpha1.SessionDocument) {
	if doc.Spec.Adopt {
		return
	}
	for _, rule := range rules {
		if prefix := rule.SessionDocuments.NamePrefix; !strings.HasPrefix(doc.DocumentName(), prefix) {
			found.add(rule, fmt.Sprintf("the name of document %q does not begin with %q; choose another name in a new object.", doc.DocumentName(), prefix))
		}
	}
}
