package awsclient

import (
	"fmt"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// Guard reports whether writes to an account are allowed at this moment: nil, or
// why not. It is called before each request that writes, and must not block.
type Guard func(accountID string) error

// WriteRefusedError means that a write was not sent, because a guard forbade it.
// It had no effect.
type WriteRefusedError struct {
	// Action as IAM spells it, such as "iam:CreatePolicy".
	Action string
	Err    error
}

// Error implements error.
func (e *WriteRefusedError) Error() string {
	return fmt.Sprintf("the operator did not send %s: %v", e.Action, e.Err)
}

// Unwrap returns the guard's reason.
func (e *WriteRefusedError) Unwrap() error { return e.Err }

// Class implements awserr.Classified.
func (*WriteRefusedError) Class() awserr.Class { return awserr.Waiting }

// RetryableError keeps the SDK from asking again in the same call.
func (*WriteRefusedError) RetryableError() bool { return false }

// readPrefixes begin the names of the operations that change nothing. An
// operation that is not known to read counts as one that writes.
var readPrefixes = []string{"Get", "List", "Describe", "Simulate"}

// writes reports whether an operation changes anything in an account. What STS
// does, it does for the caller alone.
func writes(service, operation string) bool {
	if service == serviceSTS {
		return false
	}
	for _, prefix := range readPrefixes {
		if strings.HasPrefix(operation, prefix) {
			return false
		}
	}
	return true
}

// mayWrite asks the guards before a write.
func (i instruments) mayWrite(operation string) error {
	if !writes(i.service, operation) {
		return nil
	}
	for _, guard := range i.guards {
		if err := guard(i.accountID); err != nil {
			return &WriteRefusedError{Action: i.service + ":" + operation, Err: err}
		}
	}
	return nil
}
