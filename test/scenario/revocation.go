package scenario

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// AllowForceDeletion lets the deletion of the account's SessionAccesses be forced.
func AllowForceDeletion(a *v1alpha1.AWSAccount) { a.Spec.ForceDeletion = v1alpha1.ForceDeletionAllowed }

// AwaitPendingRevocations waits until an account has n pending revocations.
func (w World) AwaitPendingRevocations(n int) *v1alpha1.AWSAccount {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, Account(), func(a *v1alpha1.AWSAccount) bool { return len(a.Status.PendingRevocations) == n })
	w.Must(err)
	return got
}
