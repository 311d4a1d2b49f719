package iam

import (
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// NotOwnedError refuses a write to a policy outside the operator's path.
type NotOwnedError struct{ Name string }

// Error implements error.
func (e *NotOwnedError) Error() string {
	return fmt.Sprintf("policy %q is not owned by this operator and is never written", e.Name)
}

// Class implements awserr.Classified.
func (*NotOwnedError) Class() awserr.Class { return awserr.Invalid }

// NameTakenError means that a policy outside the operator's path has the name
// of one of its policies.
type NameTakenError struct{ Name, ARN string }

// Error implements error.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the policy name %q is taken by %s, which is not ours: rename or remove that policy", e.Name, e.ARN)
}

// Class implements awserr.Classified.
func (*NameTakenError) Class() awserr.Class { return awserr.Conflict }

// MissingPrincipalError means that a principal does not exist.
type MissingPrincipalError struct{ Principal Principal }

// Error implements error.
func (e *MissingPrincipalError) Error() string {
	return fmt.Sprintf("%s does not exist", e.Principal)
}

// Class implements awserr.Classified.
func (*MissingPrincipalError) Class() awserr.Class { return awserr.Missing }

// PolicyGoneError means that the policy to write to does not exist, or no
// longer. The cache already reflects that when this is returned: reconcile
// again.
type PolicyGoneError struct{ Name string }

// Error implements error.
func (e *PolicyGoneError) Error() string {
	return fmt.Sprintf("policy %q is gone and is to be created again", e.Name)
}

// Class implements awserr.Classified.
func (*PolicyGoneError) Class() awserr.Class { return awserr.Waiting }

// SettlingError means that IAM does not yet show a recent write everywhere:
// retry.
type SettlingError struct{ Name string }

// Error implements error.
func (e *SettlingError) Error() string {
	return fmt.Sprintf("IAM does not show policy %q everywhere yet", e.Name)
}

// Class implements awserr.Classified.
func (*SettlingError) Class() awserr.Class { return awserr.Waiting }

// ImplausibleAnswerError means that IAM gave an answer that cannot be true. The
// operator does not use it.
type ImplausibleAnswerError struct{ Answer string }

// Error implements error.
func (e *ImplausibleAnswerError) Error() string {
	return "IAM answers " + e.Answer + ": that is not believed, and tried again"
}

// Class implements awserr.Classified.
func (*ImplausibleAnswerError) Class() awserr.Class { return awserr.Transport }
