package reconcile

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Failed is the result of an error of AWS. shown is false for an error that resolves
// itself, such as throttling: the object keeps its conditions, and the caller returns the
// error for a retry.
func Failed(err error) (r Result, shown bool) {
	switch cloud.Classify(err) {
	case cloud.Refused:
		return Result{Phase: Stalled, Reason: v1alpha1.ReasonAccessDenied, Message: cloud.Sentence(err)}, true
	case cloud.Invalid, cloud.Missing, cloud.Conflict:
		return Result{Phase: Stalled, Reason: v1alpha1.ReasonInvalid, Message: cloud.Sentence(err)}, true
	case cloud.Transport:
		return Result{Phase: Retrying, Reason: v1alpha1.ReasonAWSUnavailable, Message: cloud.Sentence(err)}, true
	default:
		return Result{}, false
	}
}

// Retry returns an error of AWS for the work queue to retry with backoff. It returns nil
// for an error that stays until a user acts or the next resync runs.
func Retry(err error) error {
	switch cloud.Classify(err) {
	case cloud.None, cloud.Refused, cloud.Invalid, cloud.Missing, cloud.Conflict:
		return nil
	default:
		return err
	}
}
