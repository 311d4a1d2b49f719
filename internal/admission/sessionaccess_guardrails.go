package admission

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// nothingGranted is the effect of a violation.
const nothingGranted = "Nothing is granted."

// guard holds a resolved grant against the guardrails that match its namespace,
// and puts the tags that they require on its targets. All violations are named.
func (in SessionAccess) guard(grant *v1alpha1.ResolvedGrant) *Denial {
	required, found := map[string]string{}, violations{in: in.AccountAccess}
	for _, rule := range in.Rules() {
		for _, check := range []func(*v1alpha1.Guardrail, *v1alpha1.SessionAccess, *v1alpha1.ResolvedGrant) string{
			principalsAllowed, documentsAllowed, validityAllowed, mfaAllowed, leavingAllowed,
		} {
			found.add(rule, check(rule, in.Object, grant))
		}
		if len(rule.Documents) > 0 {
			grant.DocumentBounds = append(grant.DocumentBounds, v1alpha1.DocumentBound{Guardrail: rule.Name, Documents: rule.Documents})
		}
		contradiction := uniteRequired(required, rule.RequiredTags)
		found.add(rule, contradiction)
		if contradiction == "" {
			found.add(rule, requireOnTargets(grant, rule.RequiredTags))
		}
	}
	if denial := found.denial(nothingGranted); denial != nil {
		return denial
	}
	return in.exclude(grant)
}

func principalsAllowed(rule *v1alpha1.Guardrail, _ *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if len(rule.Principals) == 0 {
		return ""
	}
	var others []string
	for _, p := range grant.Principals {
		if !slices.ContainsFunc(rule.Principals, func(pattern v1alpha1.PrincipalPattern) bool {
			return pattern.Kind == p.Kind && Matches(strings.ToLower(string(pattern.Name)), strings.ToLower(p.Name))
		}) {
			others = append(others, string(p.Kind)+"/"+p.Name)
		}
	}
	allowed := make([]string, len(rule.Principals))
	for i, p := range rule.Principals {
		allowed[i] = string(p.Kind) + "/" + string(p.Name)
	}
	return notAmong(others, "principal", "principals", allowed)
}

func documentsAllowed(rule *v1alpha1.Guardrail, _ *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if len(rule.Documents) == 0 {
		return ""
	}
	var others []string
	for _, d := range grant.Documents {
		if !MatchesDocument(rule.Documents, d.Name) && !slices.Contains(others, "document "+d.Name) {
			others = append(others, "document "+d.Name)
		}
	}
	return notAmong(others, "document", "documents", texts(rule.Documents))
}

// notAmong says that names are not among those in a field of a rule, and which are; "" where
// there are no such names.
func notAmong(names []string, noun, field string, allowed []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s is not among its %s; remove that %s or extend the rule, which allows %s.", names[0], field, noun, some(allowed))
	}
	return fmt.Sprintf("%s are not among its %s; remove them or extend the rule, which allows %s.", some(names), field, some(allowed))
}

// validityAllowed measures from notBefore, or from the object's creation where
// that is later: a begin in the past does not stretch what is allowed.
func validityAllowed(rule *v1alpha1.Guardrail, access *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if rule.MaxValidity == nil {
		return ""
	}
	if grant.NotAfter == nil {
		return fmt.Sprintf("an access may be valid for %s at most; set notAfter.", ShortDuration(rule.MaxValidity.Duration))
	}
	begin := access.CreationTimestamp.Time
	if grant.NotBefore != nil && grant.NotBefore.After(begin) {
		begin = grant.NotBefore.Time
	}
	if grant.NotAfter.Sub(begin) > rule.MaxValidity.Duration {
		return fmt.Sprintf("an access may be valid for %s at most; set an earlier notAfter.", ShortDuration(rule.MaxValidity.Duration))
	}
	return ""
}

func mfaAllowed(rule *v1alpha1.Guardrail, _ *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if rule.RequireMFA && !grant.RequireMFA {
		return "multi-factor authentication is required; set requireMFA: true."
	}
	return ""
}

func leavingAllowed(rule *v1alpha1.Guardrail, _ *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if rule.ForbidLeaveSessions && grant.OnRevoke == v1alpha1.RevokeLeaveSessions {
		return "open sessions must end with the access; set onRevoke: TerminateSessions."
	}
	return ""
}

// uniteRequired unites the tags of several rules, which must not contradict.
func uniteRequired(all, tags map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if spelling, value, ok := FindTag(all, key); ok && value != tags[key] {
			return fmt.Sprintf("it requires tag %s=%s and another matching rule %s=%s, so no node can match; change one of the rules.", key, tags[key], spelling, value)
		}
		all[key] = tags[key]
	}
	return ""
}

// requireOnTargets puts tags on every target, ids and tags alike: AWS checks
// them at every session, so a tag that goes takes the access with it.
func requireOnTargets(grant *v1alpha1.ResolvedGrant, tags map[string]string) string {
	for i := range grant.Targets {
		target := &grant.Targets[i]
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			spelling, value, ok := FindTag(target.Tags, key)
			switch {
			case ok && value != tags[key]:
				return fmt.Sprintf("it requires tag %s=%s and a target asks for %s=%s; correct the target.", key, tags[key], spelling, value)
			case !ok:
				target.Tags = with(target.Tags, key, tags[key])
			}
		}
	}
	return ""
}

func with(tags map[string]string, key, value string) map[string]string {
	out := maps.Clone(tags)
	if out == nil {
		out = map[string]string{}
	}
	out[key] = value
	return out
}
