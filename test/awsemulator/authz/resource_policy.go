package authz

import (
	"errors"
	"fmt"
)

// ResourceRule is how the policy of a resource combines with the policies of a
// caller. The zero value is EitherAllows.
type ResourceRule int

const (
	// EitherAllows is the rule within one account: what the caller's policies or
	// the resource's allow is allowed.
	EitherAllows ResourceRule = iota
	// ResourceAllows is the rule of KMS: the key policy must allow, by naming the
	// caller, or by naming its account, which leaves it to the caller's policies.
	ResourceAllows
	// BothAllow is the rule between accounts.
	BothAllow
)

// EvaluateResource decides a request on a resource that has a policy. A
// service principal is judged by the resource's policy alone. It fails as
// [Evaluate] does, and for a principal that is none.
func EvaluateResource(who Principal, r Request, caller Policies, resource Policy, rule ResourceRule) (Decision, error) {
	t, err := newResourceQuery(who, r, resource)
	if err == nil {
		err = caller.check()
	}
	if err != nil {
		return implicitDeny(ResourceSource), fmt.Errorf("evaluate %s on %s: %w", r.Action, r.Resource, err)
	}
	d, by := t.decide()
	if d.Outcome == ExplicitDeny || t.who.service != "" {
		return d, nil
	}
	if denied, found := caller.findDeny(t.query); found {
		return denied, nil
	}
	switch {
	case by == grantNone && rule != EitherAllows:
		return implicitDeny(ResourceSource), nil
	case by <= grantAccount, rule == BothAllow:
		return caller.findAllow(t.query), nil
	case by == grantRole:
		if missing, capped := caller.findCap(t.query); capped {
			return missing, nil
		}
	}
	return d, nil
}

func newResourceQuery(who Principal, r Request, resource Policy) (*trustQuery, error) {
	q, err := newQuery(r)
	if err != nil {
		return nil, err
	}
	if q.resource == "*" {
		return nil, errors.New("a policy of a resource is asked about its resource")
	}
	id, err := identify(who)
	if err != nil {
		return nil, err
	}
	if err := resource.check(resourceGrammar); err != nil {
		return nil, err
	}
	return &trustQuery{query: q, who: id, trust: resource, source: ResourceSource}, nil
}
