package authz

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Policy is a document and the name to report it by, an ARN or the name of an
// inline policy.
type Policy struct {
	Name     string
	Document *Document
}

// Policies are those that apply to a caller. An account's root user has none
// and may do everything in its account: do not evaluate its requests.
type Policies struct {
	// Identity are the policies attached to the caller, inline and managed: of a
	// user and its groups, or of a role.
	Identity []Policy
	// Boundary is the permissions boundary; nil when there is none.
	Boundary *Policy
	// Session are the session policies passed when the role was assumed; empty
	// when none were. What any one of them allows, they allow together.
	Session []Policy
	// Organization are the service control policies on the way from the root of the
	// organisation to the account, level by level. Each level has to allow. Empty: the
	// account is in no organisation.
	Organization [][]Policy
}

// Evaluate decides a request by the caller's policies: an explicit Deny in any
// of them wins; otherwise the identity policies must allow it, and so must the
// boundary and the session policies where there are any.
//
// It fails, and denies, when what it is asked makes no sense: an action or
// resource out of form, a context key that the package does not know, a value
// that is not of its key's type, several values for a single-valued key, or a
// policy without a document from [Parse].
func Evaluate(r Request, p Policies) (Decision, error) {
	q, err := newQuery(r)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return implicitDeny(IdentitySource), fmt.Errorf("evaluate %s on %s: %w", r.Action, r.Resource, err)
	}
	if d, denied := p.findDeny(q); denied {
		return d, nil
	}
	return p.findAllow(q), nil
}

// EvaluateOrganization decides a request by the service control policies alone, which
// grant nothing: an allowed request still needs the others.
func EvaluateOrganization(r Request, levels [][]Policy) (Decision, error) {
	allowed := Decision{Outcome: Allowed, Source: OrganizationSource, Statement: -1}
	for _, level := range levels {
		d, err := Evaluate(r, Policies{Identity: level})
		if err != nil || !d.Allowed() {
			d.Source = OrganizationSource
			return d, err
		}
	}
	return allowed, nil
}

// layer is the policies of one kind; each layer has to allow.
type layer struct {
	source   Source
	policies []Policy
}

// limits are the layers that cap what the identity policies grant.
func (p Policies) limits() []layer {
	var out []layer
	for _, level := range p.Organization {
		out = append(out, layer{OrganizationSource, level})
	}
	if p.Boundary != nil {
		out = append(out, layer{BoundarySource, []Policy{*p.Boundary}})
	}
	if len(p.Session) > 0 {
		out = append(out, layer{SessionSource, p.Session})
	}
	return out
}

// layers are all layers in the order in which AWS names them in a denial.
func (p Policies) layers() []layer {
	return append([]layer{{IdentitySource, p.Identity}}, p.limits()...)
}

// check rejects policies that were not parsed for this use.
func (p Policies) check() error {
	for _, l := range p.layers() {
		for _, policy := range l.policies {
			if err := policy.check(identityGrammar); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p Policy) check(g grammar) error {
	if p.Document == nil || p.Document.grammar != g {
		return fmt.Errorf("policy %q has no document of the kind that is needed here", p.Name)
	}
	return nil
}

// findDeny looks for an explicit deny in any layer.
func (p Policies) findDeny(q *query) (Decision, bool) {
	for _, l := range p.layers() {
		if d, found := l.find(q, true); found {
			return d, true
		}
	}
	return Decision{}, false
}

// findAllow wants an allow in every layer and reports that of the identity
// policies. It does not look for denials.
func (p Policies) findAllow(q *query) Decision {
	allow, found := layer{IdentitySource, p.Identity}.find(q, false)
	if !found {
		return implicitDeny(IdentitySource)
	}
	if missing, capped := p.findCap(q); capped {
		return missing
	}
	return allow
}

// findCap looks for a boundary or session policy that does not allow.
func (p Policies) findCap(q *query) (Decision, bool) {
	for _, l := range p.limits() {
		if _, found := l.find(q, false); !found {
			return implicitDeny(l.source), true
		}
	}
	return Decision{}, false
}

// find looks for the layer's first statement of the given effect that applies.
func (l layer) find(q *query, deny bool) (Decision, bool) {
	for _, policy := range l.policies {
		for i := range policy.Document.statements {
			s := &policy.Document.statements[i]
			if s.deny == deny && s.applies(q) {
				return s.decision(l.source, policy.Name, i), true
			}
		}
	}
	return Decision{}, false
}

// decision is that of the statement.
func (s *statement) decision(source Source, policy string, index int) Decision {
	outcome := Allowed
	if s.deny {
		outcome = ExplicitDeny
	}
	return Decision{Outcome: outcome, Source: source, Policy: policy, Sid: s.sid, Statement: index}
}

// query is a checked request in the form in which statements compare it.
type query struct {
	action   string // lower case
	resource string
	context  *Context
}

// requestAction is the action of a request: no wildcards.
var requestAction = regexp.MustCompile(`^[A-Za-z0-9.-]+:[A-Za-z0-9_-]+$`)

// newQuery checks a request.
func newQuery(r Request) (*query, error) {
	if !requestAction.MatchString(r.Action) {
		return nil, errors.New("the action is not of the form service:Name")
	}
	if r.Resource != "*" {
		if _, err := splitARN(r.Resource); err != nil {
			return nil, err
		}
	}
	if err := r.Context.check(); err != nil {
		return nil, err
	}
	return &query{action: strings.ToLower(r.Action), resource: r.Resource, context: &r.Context}, nil
}

// check makes sure of what conditions rely on: known keys, as many values as
// the key can have, each of the key's type.
func (c Context) check() error {
	for key, values := range c.values {
		spec, known := lookupKey(key)
		if !known {
			return fmt.Errorf("the condition key %q is not known", key)
		}
		if len(values) > 1 && !spec.multivalued {
			return fmt.Errorf("the condition key %q has %d values but takes one", key, len(values))
		}
		for _, value := range values {
			if err := spec.kind.check(value); err != nil {
				return fmt.Errorf("the condition key %q: %w", key, err)
			}
		}
	}
	return nil
}
