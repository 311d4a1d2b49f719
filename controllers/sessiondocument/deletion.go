package sessiondocument

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// reconcileDeletion cleans up in every region on record, and lets the object go
// when nothing is left.
func (r *Reconciler) reconcileDeletion(ctx context.Context, doc *v1alpha1.SessionDocument) (time.Duration, error) {
	if len(doc.Status.Regions) == 0 {
		r.Memory.drop(doc.UID)
		return 0, reconcile.RemoveFinalizer(ctx, r.Client, doc)
	}
	p := &pass{doc: doc, before: doc.DeepCopy()}
	entry, ok := r.Accounts.Get(doc.Status.AccountID)
	if !ok {
		return 0, r.report(ctx, p, stays(doc))
	}
	p.account = entry
	var all findings
	r.leaveRegions(ctx, p, &all) // None is wanted.
	if len(doc.Status.Regions) == 0 {
		r.Memory.drop(doc.UID)
		return 0, reconcile.RemoveFinalizer(ctx, r.Client, p.before)
	}
	if err := r.report(ctx, p, all.verdict(cleaningUp(doc))); err != nil {
		return 0, err
	}
	return all.after, all.retry()
}

// stays reports why an object that is being deleted still exists.
func stays(doc *v1alpha1.SessionDocument) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonAccountNotReady,
		Message: fmt.Sprintf("No verified AWSAccount gives access to account %s, so document %q cannot be cleaned up there, and this object stays; see condition Ready of AWSAccount %q, or create it again.", doc.Status.AccountID, doc.Status.Name, doc.AccountName()),
	}
}

func cleaningUp(doc *v1alpha1.SessionDocument) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonCleaningUp,
		Message: fmt.Sprintf("Document %q is being cleaned up in AWS.", doc.Status.Name),
	}
}
