package wire

import "fmt"

// Error is an error as an AWS service answers it: a code, a message and an
// HTTP status. Each protocol writes it into its own error document.
type Error struct {
	Code    string
	Message string
	Status  int
	// Header, where S3 says something in one.
	Header map[string]string
}

// Error implements error in the form "Code: message".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an Error whose message is formatted.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// errorType is the query protocol's word for whose fault an error is.
func (e *Error) errorType() string {
	if e.Status >= 500 {
		return "Receiver"
	}
	return "Sender"
}
