package authz

import "errors"

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
	// Delegated is set on an allowed decision when the statement names the
	// principal's account and not the principal: then the principal's own
	// policies must allow the action too.
	Delegated bool
}

// EvaluateTrust decides by a role's trust policy alone. The request's Action is
// "sts:AssumeRole" or one of its kin, its Resource the ARN of the role. It
// fails as [Evaluate] does.
func EvaluateTrust(who Principal, r Request, trust Policy) (TrustDecision, error) {
	return TrustDecision{Decision: implicitDeny(TrustSource)}, errors.New("not implemented")
}

// EvaluateAssumeRole decides an AssumeRole as STS does: the trust policy must
// allow it, no policy may deny it, and the caller's own policies must allow it
// too, unless caller and role are of one account and the trust policy names the
// caller itself. The caller's policies are ignored for a service principal.
func EvaluateAssumeRole(who Principal, r Request, caller Policies, trust Policy) (Decision, error) {
	return implicitDeny(TrustSource), errors.New("not implemented")
}
