package authz

import "errors"

// Policy is a document and the name to report it by, an ARN or the name of an
// inline policy.
type Policy struct {
	Name     string
	Document *Document
}

// Policies are those in force for a caller.
type Policies struct {
	// Identity are the policies attached to the caller, inline and managed: of a
	// user and its groups, or of a role.
	Identity []Policy
	// Boundary is the permissions boundary; nil when there is none.
	Boundary *Policy
	// Session are the session policies passed when the role was assumed; empty
	// when none were. What any one of them allows, they allow together.
	Session []Policy
}

// Evaluate decides a request by the caller's policies: an explicit Deny in any
// of them wins; otherwise the identity policies must allow it, and so must the
// boundary and the session policies where there are any.
//
// It fails, and denies, when the request itself makes no sense: an action or
// resource out of form, a condition key that the package does not know, a value
// that is not of its key's type, or several values for a single-valued key.
func Evaluate(r Request, p Policies) (Decision, error) {
	return implicitDeny(IdentitySource), errors.New("not implemented")
}
