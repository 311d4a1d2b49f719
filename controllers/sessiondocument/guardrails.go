package sessiondocument

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// nothing is the effect of a violation.
const nothing = "Nothing is written, and shares that are not allowed are taken away."

// demand is something that a document asks for and that only a guardrail allows.
type demand struct {
	// field of the rule that covers it.
	field string
	// what is asked for, as in "share documents with account 111122223333".
	what string
	// instead is what to change in the object.
	instead string
	// speaks reports whether a rule covers it, and allows whether the rule allows it.
	speaks, allows func(*v1alpha1.DocumentRule) bool
}

// guard checks an object against the guardrails; nil when all of it is allowed.
func guard(in accounts.Inputs, doc *v1alpha1.SessionDocument) *refusal {
	if slices.Contains(doc.Spec.SharedWith, v1alpha1.AccountID(in.Account.Spec.AccountID)) {
		return refusef(v1alpha1.ReasonInvalidSpec, "sharedWith names account %s, in which the document itself is; remove it there. %s", in.Account.Spec.AccountID, nothing)
	}
	rules := rulesOf(in)
	for _, d := range demandsOf(doc) {
		if violation := d.judge(in, rules); violation != nil {
			return violation
		}
	}
	return namePrefixAllows(in, rules, doc)
}

// allowedShares are the accounts in sharedWith that the guardrails allow: none
// where the namespace is refused. It does not matter what else is wrong with the
// object, or its author could keep a share by making a mistake. known is false where
// no AWSAccount declares the account that contains the document.
func allowedShares(in accounts.Inputs, doc *v1alpha1.SessionDocument) (allowed []string, known bool) {
	if in.Account == nil || in.Rival != "" || madeElsewhere(in, doc) {
		return nil, false
	}
	// Regions are left out: they say nothing about whom to share with.
	if in.Check(nil) != nil {
		return nil, true
	}
	rules := rulesOf(in)
	for _, account := range doc.Spec.SharedWith {
		if shareDemand(account).judge(in, rules) == nil {
			allowed = append(allowed, string(account))
		}
	}
	return allowed, true
}

// rulesOf are the guardrails that cover documents and bound the namespace.
func rulesOf(in accounts.Inputs) []*v1alpha1.Guardrail {
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
			speaks: func(r *v1alpha1.DocumentRule) bool { return len(r.Adopt) > 0 },
			allows: func(r *v1alpha1.DocumentRule) bool { return grants.MatchesAny(r.Adopt, name) },
		})
	}
	for _, account := range doc.Spec.SharedWith {
		demands = append(demands, shareDemand(account))
	}
	if doc.Spec.Inputs != nil && doc.Spec.Inputs.KMSKeyID != "" {
		key := doc.Spec.Inputs.KMSKeyID
		demands = append(demands, demand{
			field: "keys", what: fmt.Sprintf("name key %q", key), instead: "remove inputs.kmsKeyId, or write the key as the rule does",
			speaks: func(r *v1alpha1.DocumentRule) bool { return len(r.Keys) > 0 },
			allows: func(r *v1alpha1.DocumentRule) bool {
				return slices.ContainsFunc(r.Keys, func(s v1alpha1.KeyPattern) bool { return matchesKey(string(s), key) })
			},
		})
	}
	return demands
}

func shareDemand(account v1alpha1.AccountID) demand {
	return demand{
		field: "shareWith", what: fmt.Sprintf("share documents with account %s", account), instead: "remove that account from sharedWith",
		speaks: func(r *v1alpha1.DocumentRule) bool { return len(r.ShareWith) > 0 },
		allows: func(r *v1alpha1.DocumentRule) bool { return slices.Contains(r.ShareWith, account) },
	}
}

// judge checks the demand against the rules. All that cover it must allow it, and at least
// one must.
func (d demand) judge(in accounts.Inputs, rules []*v1alpha1.Guardrail) *refusal {
	spoken := false
	for _, rule := range rules {
		if !d.speaks(rule.SessionDocuments) {
			continue
		}
		spoken = true
		if !d.allows(rule.SessionDocuments) {
			return &refusal{Result: reconcile.Denied(in.Violated(rule, fmt.Sprintf("a SessionDocument may not %s; %s, or extend sessionDocuments.%s of the rule.", d.what, d.instead, d.field), nothing))}
		}
	}
	if spoken {
		return nil
	}
	return refusef(v1alpha1.ReasonGuardrailViolated,
		"No guardrail of AWSAccount %q lets namespace %q %s; %s, or add a guardrail with sessionDocuments.%s to the account. %s", in.Account.Name, in.NamespaceName, d.what, d.instead, d.field, nothing)
}

// namePrefixAllows checks the name against the prefixes of all rules. One that
// may be adopted is named by others, and is free: adopt was allowed before.
func namePrefixAllows(in accounts.Inputs, rules []*v1alpha1.Guardrail, doc *v1alpha1.SessionDocument) *refusal {
	if doc.Spec.Adopt {
		return nil
	}
	for _, rule := range rules {
		if prefix := rule.SessionDocuments.NamePrefix; !strings.HasPrefix(doc.DocumentName(), prefix) {
			return &refusal{Result: reconcile.Denied(in.Violated(rule, fmt.Sprintf("the name of document %q does not begin with %q; choose another name in a new object.", doc.DocumentName(), prefix), nothing))}
		}
	}
	return nil
}

// matchesKey matches a key against a pattern in which * stands for any
// characters, slashes too.
func matchesKey(pattern, key string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("^" + strings.Join(parts, ".*") + "$").MatchString(key)
}
