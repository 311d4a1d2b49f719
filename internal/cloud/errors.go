package cloud

import "fmt"

// Class says how a failed call is to be handled.
type Class string

// The classes of errors.
const (
	// None: there is no error.
	None Class = ""
	// Waiting: nothing is wrong; what is needed is not there yet.
	Waiting Class = "Waiting"
	// Throttled: AWS asks for patience; the limiter has taken note.
	Throttled Class = "Throttled"
	// Refused: the operator's identity lacks a permission or its credentials
	// are not accepted.
	Refused Class = "Refused"
	// Invalid: AWS does not accept what was asked, a quota included.
	Invalid Class = "Invalid"
	// Missing: what the call names does not exist.
	Missing Class = "Missing"
	// Conflict: it exists already, or is in use.
	Conflict Class = "Conflict"
	// Transport: no answer, or a failure on AWS's side.
	Transport Class = "Transport"
	// Canceled: the caller's context ended.
	Canceled Class = "Canceled"
	// Internal: not an error of AWS: a bug or a misuse of this package.
	Internal Class = "Internal"
)

// NotOursError refuses a write to a policy outside of our path.
type NotOursError struct{ Name string }

// Error implements error.
func (e *NotOursError) Error() string {
	return fmt.Sprintf("policy %q is not one of ours and is never written", e.Name)
}

// WrongAccountError tells that the credentials belong to another account.
type WrongAccountError struct{ Want, Got string }

// Error implements error.
func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("the credentials belong to account %s, not to %s", e.Got, e.Want)
}

// NameTakenError tells that a policy outside of our path bears a name of ours.
type NameTakenError struct{ Name, ARN string }

// Error implements error.
func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the policy name %q is taken by %s, which is not ours", e.Name, e.ARN)
}

// MissingPrincipalError tells that a principal does not exist.
type MissingPrincipalError struct{ Principal Principal }

// Error implements error.
func (e *MissingPrincipalError) Error() string {
	return fmt.Sprintf("%s does not exist", e.Principal)
}

// PolicyGoneError tells that a policy of ours is not there (any more) to be
// written to. The mirror knows by the time this is returned: reconcile again.
type PolicyGoneError struct{ Name string }

// Error implements error.
func (e *PolicyGoneError) Error() string {
	return fmt.Sprintf("policy %q is gone and is to be created anew", e.Name)
}
