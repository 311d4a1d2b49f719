package authz

import (
	"errors"
	"fmt"
)

// Principal is who asks to assume a role.
type Principal struct {
	// ARN of an IAM user, of an account's root, or of an assumed role session
	// (arn:aws:sts::ACCOUNT:assumed-role/Role/Session). Empty for a service.
	ARN string
	// RoleARN is the IAM ARN, path included, of the role behind an assumed role
	// session; empty for the others.
	RoleARN string
	// Service is a service principal such as "ssm.amazonaws.com"; empty when an
	// identity asks.
	Service string
}

// TrustDecision is what a trust policy says about a principal.
type TrustDecision struct {
	Decision
	// Delegated is set on an allowed decision when the principal's own policies
	// must allow the action too: the statement names its account and not the
	// principal, or the role belongs to another account.
	Delegated bool
}

// EvaluateTrust decides by a role's trust policy alone. The request's Action is
// "sts:AssumeRole" or one of its kin, its Resource the ARN of the role. It
// fails as [Evaluate] does, and for a principal that is none.
func EvaluateTrust(who Principal, r Request, trust Policy) (TrustDecision, error) {
	t, err := newTrustQuery(who, r, trust)
	if err != nil {
		return TrustDecision{Decision: implicitDeny(TrustSource)}, err
	}
	d, by := t.decide()
	return TrustDecision{Decision: d, Delegated: d.Allowed() && t.isDelegated(by)}, nil
}

// EvaluateAssumeRole decides an AssumeRole as STS does: the trust policy must
// allow it, no policy may deny it, and the caller's own policies must allow it
// too, unless caller and role are of one account and the trust policy names the
// caller itself (of a caller whose role is named, the boundary and the session
// policies must still allow it). The caller's policies are ignored for a
// service principal. An account's root user can assume no role.
func EvaluateAssumeRole(who Principal, r Request, caller Policies, trust Policy) (Decision, error) {
	t, err := newTrustQuery(who, r, trust)
	if err == nil {
		err = caller.check()
	}
	if err != nil {
		return implicitDeny(TrustSource), err
	}
	d, by := t.decide()
	if d.Outcome == ExplicitDeny || t.who.service != "" {
		return d, nil
	}
	if denied, found := caller.findDeny(t.query); found {
		return denied, nil
	}
	if !d.Allowed() || t.who.isRoot() {
		return implicitDeny(TrustSource), nil
	}
	if t.isDelegated(by) {
		if own := caller.findAllow(t.query); !own.Allowed() {
			return own, nil
		}
	}
	if by == grantRole {
		if missing, capped := caller.findCap(t.query); capped {
			return missing, nil
		}
	}
	return d, nil
}

// trustQuery is a checked question to a trust policy.
type trustQuery struct {
	*query
	who         identity
	roleAccount string
	trust       Policy
	source      Source
}

func newTrustQuery(who Principal, r Request, trust Policy) (*trustQuery, error) {
	fail := func(err error) (*trustQuery, error) {
		return nil, fmt.Errorf("evaluate %s on %s: %w", r.Action, r.Resource, err)
	}
	q, err := newQuery(r)
	if err != nil {
		return fail(err)
	}
	if !trustActions[q.action] {
		return fail(errors.New("a trust policy does not decide this action"))
	}
	role := callerRole.FindStringSubmatch(r.Resource)
	if role == nil {
		return fail(errors.New("the resource is not the ARN of a role"))
	}
	id, err := identify(who)
	if err != nil {
		return fail(err)
	}
	if err := trust.check(trustGrammar); err != nil {
		return fail(err)
	}
	return &trustQuery{query: q, who: id, roleAccount: role[2], trust: trust, source: TrustSource}, nil
}

// isDelegated reports whether a grant leaves the decision to the caller's own policies.
func (t *trustQuery) isDelegated(by grant) bool {
	return t.who.service == "" && (by == grantAccount || t.who.account != t.roleAccount)
}

// decide looks for a Deny that applies, then for the Allow that names the
// caller most closely.
func (t *trustQuery) decide() (Decision, grant) {
	best, by := implicitDeny(t.source), grantNone
	for i := range t.trust.Document.statements {
		s := &t.trust.Document.statements[i]
		g := s.grant(t.who)
		if g == grantNone || !s.applies(t.query) {
			continue
		}
		if s.deny {
			return s.decision(t.source, t.trust.Name, i), grantNone
		}
		if g > by {
			best, by = s.decision(t.source, t.trust.Name, i), g
		}
	}
	return best, by
}

// grant says how closely the statement names the caller. A service is let in
// by its own name only, never by "*"; a Deny to "*" is meant for services too.
func (s *statement) grant(who identity) grant {
	switch {
	case s.notPrincipal:
	case who.service != "" && !s.deny && !s.principals.services[who.service]:
		return grantNone
	default:
		return s.principals.grant(who)
	}
	if s.principals.exempts(who) {
		return grantNone
	}
	return grantDirect
}
