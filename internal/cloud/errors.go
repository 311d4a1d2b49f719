package cloud

import "fmt"

// Error is a failed call: what was attempted, where and as whom. Its text is
// for logs; Sentence makes one for people out of it.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// finding is an error that this package found out by itself: its text is a
// stable sentence, but for the capital and the full stop.
type finding interface {
	error
	class() Class
}

// CredentialsError tells that there are no credentials to sign a request with.
type CredentialsError struct{ Err error }

// Error implements error.
func (e *CredentialsError) Error() string { return "getting credentials: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// NotOursError refuses a write to a policy outside of our path.
type NotOursError struct{ Name string }

// Error implements error.
func (e *NotOursError) Error() string {
	return fmt.Sprintf("policy %q is not one of ours and is never written", e.Name)
}

func (*NotOursError) class() Class { return Invalid }

// WrongAccountError tells that the credentials belong to another account.
type WrongAccountError struct{ Want, Got string }

// Error implements error.
func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("the credentials belong to account %s, not to %s", e.Got, e.Want)
}

func (*WrongAccountError) class() Class { return Refused }

// NameTakenError tells that a policy outside of our path bears a name of ours.
type NameTakenError struct{ Name, ARN string }

// Error implements error.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the policy name %q is taken by %s, which is not ours: rename or remove that policy", e.Name, e.ARN)
}

func (*NameTakenError) class() Class { return Conflict }

// MissingPrincipalError tells that a principal does not exist.
type MissingPrincipalError struct{ Principal Principal }

// Error implements error.
func (e *MissingPrincipalError) Error() string {
	return fmt.Sprintf("%s does not exist", e.Principal)
}

func (*MissingPrincipalError) class() Class { return Missing }

// PolicyGoneError tells that a policy of ours is not there (any more) to be
// written to. The mirror knows by the time this is returned: reconcile again.
type PolicyGoneError struct{ Name string }

// Error implements error.
func (e *PolicyGoneError) Error() string {
	return fmt.Sprintf("policy %q is gone and is to be created anew", e.Name)
}

func (*PolicyGoneError) class() Class { return Waiting }

// SettlingError tells that IAM does not yet show everywhere what was written a
// moment ago: try again.
type SettlingError struct{ Name string }

// Error implements error.
func (e *SettlingError) Error() string {
	return fmt.Sprintf("IAM does not show policy %q everywhere yet", e.Name)
}

func (*SettlingError) class() Class { return Waiting }

// ImplausibleAnswerError tells that IAM answered what cannot be so; it is not
// believed.
type ImplausibleAnswerError struct{ Answer string }

// Error implements error.
func (e *ImplausibleAnswerError) Error() string {
	return "IAM answers " + e.Answer + ": that is not believed, and tried again"
}

func (*ImplausibleAnswerError) class() Class { return Transport }
