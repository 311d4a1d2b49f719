package cloud

import "fmt"

// Error is a failed call: what was attempted, where and with which identity.
// Its text is for logs; Sentence derives one for people from it.
type Error struct {
	// Attempted in words, such as `attaching policy "x" to User "y"`.
	Attempted string
	AccountID string
	// Identity is the ARN that acts, without session name; "" when not known.
	Identity string
	Err      error
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s in account %s: %v", e.Attempted, e.AccountID, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// finding is an error that this package found out by itself: its text is a
// stable sentence, but for the capital and the full stop.
type finding interface {
	error
	class() Class
}

// CredentialsError means that there are no credentials to sign a request with.
type CredentialsError struct{ Err error }

// Error implements error.
func (e *CredentialsError) Error() string { return "getting credentials: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// NotOursError refuses a write to a policy outside the operator's path.
type NotOursError struct{ Name string }

// Error implements error.
func (e *NotOursError) Error() string {
	return fmt.Sprintf("policy %q is not one of ours and is never written", e.Name)
}

func (*NotOursError) class() Class { return Invalid }

// WrongAccountError means that the credentials belong to another account.
type WrongAccountError struct{ Want, Got string }

// Error implements error.
func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("the credentials belong to account %s, not to %s", e.Got, e.Want)
}

func (*WrongAccountError) class() Class { return Refused }

// NameTakenError means that a policy outside the operator's path has the name
// of one of its policies.
type NameTakenError struct{ Name, ARN string }

// Error implements error.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the policy name %q is taken by %s, which is not ours: rename or remove that policy", e.Name, e.ARN)
}

func (*NameTakenError) class() Class { return Conflict }

// MissingPrincipalError means that a principal does not exist.
type MissingPrincipalError struct{ Principal Principal }

// Error implements error.
func (e *MissingPrincipalError) Error() string {
	return fmt.Sprintf("%s does not exist", e.Principal)
}

func (*MissingPrincipalError) class() Class { return Missing }

// PolicyGoneError means that the policy to write to does not exist, or no
// longer. The mirror already reflects that when this is returned: reconcile
// again.
type PolicyGoneError struct{ Name string }

// Error implements error.
func (e *PolicyGoneError) Error() string {
	return fmt.Sprintf("policy %q is gone and is to be created anew", e.Name)
}

func (*PolicyGoneError) class() Class { return Waiting }

// SettlingError means that IAM does not yet show a recent write everywhere:
// retry.
type SettlingError struct{ Name string }

// Error implements error.
func (e *SettlingError) Error() string {
	return fmt.Sprintf("IAM does not show policy %q everywhere yet", e.Name)
}

func (*SettlingError) class() Class { return Waiting }

// ImplausibleAnswerError means that IAM gave an answer that cannot be true. The
// operator does not use it.
type ImplausibleAnswerError struct{ Answer string }

// Error implements error.
func (e *ImplausibleAnswerError) Error() string {
	return "IAM answers " + e.Answer + ": that is not believed, and tried again"
}

func (*ImplausibleAnswerError) class() Class { return Transport }
