package authz

import "fmt"

// Outcome is the result of an evaluation. The zero value is ImplicitDeny, so
// that a forgotten decision denies.
type Outcome int

// The three outcomes of IAM's evaluation logic.
const (
	// ImplicitDeny: no statement allows the request where one had to.
	ImplicitDeny Outcome = iota
	// ExplicitDeny: a Deny statement matches; nothing can override it.
	ExplicitDeny
	// Allowed: every kind of policy that applies allows the request and none denies
	// it.
	Allowed
)

// String returns the outcome as the IAM policy simulator spells it: "allowed",
// "explicitDeny" or "implicitDeny".
func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allowed"
	case ExplicitDeny:
		return "explicitDeny"
	default:
		return "implicitDeny"
	}
}

// Source is the kind of policy that decided a request.
type Source int

// The kinds of policy that can decide a request.
const (
	// IdentitySource: the policies attached to the user, its groups or the role.
	IdentitySource Source = iota
	// BoundarySource: the permissions boundary.
	BoundarySource
	// SessionSource: the session policies passed to AssumeRole.
	SessionSource
	// TrustSource: the trust policy of the role to be assumed.
	TrustSource
	// ResourceSource: the policy of the resource itself.
	ResourceSource
	// OrganizationSource: the service control policies of the organisation.
	OrganizationSource
)

// String names the kind of policy as AWS's access denied messages do.
func (s Source) String() string {
	switch s {
	case BoundarySource:
		return "permissions boundary"
	case SessionSource:
		return "session policy"
	case TrustSource:
		return "role trust policy"
	case ResourceSource:
		return "resource-based policy"
	case OrganizationSource:
		return "service control policy"
	default:
		return "identity-based policy"
	}
}

// article is the one that AWS puts before the name of the kind.
func (s Source) article() string {
	switch s {
	case IdentitySource:
		return "an"
	case TrustSource:
		return "the" // a role has but one
	default:
		return "a"
	}
}

// Decision is the answer to a [Request] and the reasons for it.
type Decision struct {
	// Outcome is the answer.
	Outcome Outcome
	// Source is the kind of policy that decided: the one that allows, that
	// denies, or, for an implicit deny, the one in which an Allow is missing.
	Source Source
	// Policy is the Name of the policy whose statement decided; empty for an
	// implicit deny.
	Policy string
	// Sid is the deciding statement's Sid; empty when it has none, and for an
	// implicit deny.
	Sid string
	// Statement is the deciding statement's position in its document, from 0;
	// -1 for an implicit deny.
	Statement int
}

// Allowed reports whether the request may go ahead.
func (d Decision) Allowed() bool { return d.Outcome == Allowed }

// Message is the sentence that AWS puts into an AccessDenied error for this
// decision, given the caller's ARN. It is empty for an allowed request.
func (d Decision) Message(callerARN string, r Request) string {
	if d.Allowed() {
		return ""
	}
	head := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", callerARN, r.Action, r.Resource)
	if d.Outcome == ExplicitDeny {
		return fmt.Sprintf("%s with an explicit deny in %s %s", head, d.Source.article(), d.Source)
	}
	return fmt.Sprintf("%s because no %s allows the %s action", head, d.Source, r.Action)
}

// implicitDeny is the decision that no policy of the given kind allows the request.
func implicitDeny(source Source) Decision {
	return Decision{Outcome: ImplicitDeny, Source: source, Statement: -1}
}
