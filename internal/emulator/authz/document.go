package authz

import "errors"

// Document is a parsed and compiled policy document. It is immutable and safe
// for concurrent use.
type Document struct {
	// Version is "2012-10-17" or "2008-10-17" (the default). Policy variables
	// are substituted only in the former.
	Version string
	// ID is the Id element, or empty.
	ID string
}

// ParseError says what is wrong with a policy document. AWS answers such a
// document with MalformedPolicyDocument.
type ParseError struct {
	// Path leads to the offending element, as in "Statement[0].Condition";
	// empty when the whole document is meant.
	Path string
	// Reason is what is wrong and what would be right.
	Reason string
}

// Error is "path: reason".
func (e *ParseError) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return e.Path + ": " + e.Reason
}

// Parse reads a policy document that is attached to, or bounds, an identity:
// managed and inline policies, permissions boundaries and session policies. It
// rejects Principal and NotPrincipal, and whatever else IAM would reject at
// CreatePolicy. A rejection is a *[ParseError].
//
// Size is not its concern: compare [MinifiedSize] with the quota.
func Parse(raw []byte) (*Document, error) { return nil, errors.New("not implemented") }

// ParseTrust reads the trust policy of a role (AssumeRolePolicyDocument):
// Principal is required, Resource is not allowed, and the actions are those of
// STS that assume or tag a role session. A rejection is a *[ParseError].
func ParseTrust(raw []byte) (*Document, error) { return nil, errors.New("not implemented") }

// MinifiedSize is the number of characters that count towards IAM's policy
// size quotas (PolicySizeQuota and the like).
func MinifiedSize(raw []byte) int { return len(raw) }
