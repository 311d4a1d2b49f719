package reconcile

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// Failed is the result of an error of AWS. shown is false for an error that resolves
// itself, such as throttling: the object keeps its conditions, and the caller returns the
// error for a retry.
func Failed(err error) (r Result, shown bool) {
	switch awserr.Classify(err) {
	case awserr.Refused:
		return Result{Phase: Stalled, Reason: v1alpha1.ReasonAccessDenied, Message: awserr.UserMessage(err)}, true
	case awserr.Invalid, awserr.Missing, awserr.Conflict:
		return Result{Phase: Stalled, Reason: v1alpha1.ReasonInvalid, Message: awserr.UserMessage(err)}, true
	case awserr.Transport:
		return Result{Phase: Retrying, Reason: v1alpha1.ReasonAWSUnavailable, Message: awserr.UserMessage(err)}, true
	default:
		return Result{}, false
	}
}

// Retry returns an error of AWS for the work queue to retry with backoff. It returns nil
// for an error that stays until a user acts or the next resync runs.
func Retry(err error) error {
	switch awserr.Classify(err) {
	case awserr.None, awserr.Refused, awserr.Invalid, awserr.Missing, awserr.Conflict:
		return nil
	default:
		return err
	}
}
