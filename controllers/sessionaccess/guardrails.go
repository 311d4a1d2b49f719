package sessionaccess

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// guard holds a resolved grant against the guardrails that match its namespace,
// and puts the tags that they require on its targets. The first violation wins.
func guard(in inputs, grant *v1alpha1.ResolvedGrant) *reconcile.Verdict {
	required := map[string]string{}
	for _, rule := range in.Rules() {
		for _, check := range []func(*v1alpha1.Guardrail, *v1alpha1.SessionAccess, *v1alpha1.ResolvedGrant) string{
			principalAllowed, documentsAllowed, validityAllowed, mfaAllowed, leavingAllowed,
		} {
			if violation := check(rule, in.access, grant); violation != "" {
				return violated(in, rule, violation)
			}
		}
		if len(rule.Documents) > 0 {
			grant.DocumentBounds = append(grant.DocumentBounds, v1alpha1.DocumentBound{Guardrail: rule.Name, Documents: rule.Documents})
		}
		if violation := require(required, rule.RequiredTags); violation != "" {
			return violated(in, rule, violation)
		}
		if violation := requireOnTargets(grant, rule.RequiredTags); violation != "" {
			return violated(in, rule, violation)
		}
	}
	return exclude(in, grant)
}

func violated(in inputs, rule *v1alpha1.Guardrail, violation string) *reconcile.Verdict {
	v := reconcile.VerdictOf(in.Violated(rule, violation, "Nothing is granted."))
	return &v
}

func principalAllowed(rule *v1alpha1.Guardrail, _ *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if len(rule.Principals) == 0 {
		return ""
	}
	for _, p := range grant.Principals {
		if !slices.ContainsFunc(rule.Principals, func(pattern v1alpha1.PrincipalPattern) bool {
			return pattern.Kind == p.Kind && grants.Matches(strings.ToLower(string(pattern.Name)), strings.ToLower(p.Name))
		}) {
			return fmt.Sprintf("%s is not among its principals; remove that principal or extend the rule.", nameOf(p))
		}
	}
	return ""
}

func documentsAllowed(rule *v1alpha1.Guardrail, _ *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if len(rule.Documents) == 0 {
		return ""
	}
	for _, d := range grant.Documents {
		if !grants.MatchesAny(rule.Documents, d.Name) {
			return fmt.Sprintf("document %s is not among its documents; remove that document or extend the rule.", d.Name)
		}
	}
	return ""
}

// validityAllowed measures from notBefore, or from the object's creation where
// that is later: a begin in the past does not stretch what is allowed.
func validityAllowed(rule *v1alpha1.Guardrail, access *v1alpha1.SessionAccess, grant *v1alpha1.ResolvedGrant) string {
	if rule.MaxValidity == nil {
		return ""
	}
	if grant.NotAfter == nil {
		return fmt.Sprintf("an access may be valid for %s at most; set notAfter.", reconcile.ShortDuration(rule.MaxValidity.Duration))
	}
	begin := access.CreationTimestamp.Time
	if grant.NotBefore != nil && grant.NotBefore.After(begin) {
		begin = grant.NotBefore.Time
	}
	if grant.NotAfter.Sub(begin) > rule.MaxValidity.Duration {
		return fmt.Sprintf("an access may be valid for %s at most; set an earlier notAfter.", reconcile.ShortDuration(rule.MaxValidity.Duration))
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

// require unites the tags of several rules, which must not contradict.
func require(all, tags map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if spelling, value, ok := grants.FindTag(all, key); ok && value != tags[key] {
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
			spelling, value, ok := grants.FindTag(target.Tags, key)
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
