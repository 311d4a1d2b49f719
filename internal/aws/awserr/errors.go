package awserr

import (
	"fmt"
	"time"
)

// Error is a failed call: what was attempted, where and with which identity.
// Its text is for logs; UserMessage derives one for people from it.
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

// Classified is an error that the operator found out by itself. Its text is a
// stable sentence for people, except for the capital and the full stop.
type Classified interface {
	error
	Class() Class
}

// CredentialsError means that there are no credentials to sign a request with.
type CredentialsError struct{ Err error }

// Error implements error.
func (e *CredentialsError) Error() string { return "getting credentials: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// WrongAccountError means that the credentials belong to another account.
type WrongAccountError struct{ Want, Got string }

// Error implements error.
func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("the credentials belong to account %s, not to %s", e.Got, e.Want)
}

// Class implements Classified.
func (*WrongAccountError) Class() Class { return Refused }

// TimeoutError means that one request got no answer within the ceiling.
type TimeoutError struct{ After time.Duration }

// Error implements error.
func (e *TimeoutError) Error() string { return fmt.Sprintf("no answer within %s", e.After) }

// RetryableError keeps the SDK from repeating the request in the same call: the
// caller backs off instead.
func (e *TimeoutError) RetryableError() bool { return false }
