package sessiondocument

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// narrow does what needs no further record, where the API server rejects that of
// what is declared now: it removes the shares and cleans up in the regions that
// are no longer declared. Nothing is added.
func (r *Reconciler) narrow(ctx context.Context, p *pass, cause error) (time.Duration, error) {
	reconcile.ReportRejected(ctx, r.Client, r.Recorder, p.doc, cause)
	r.Memory.forget(p.doc.UID)
	p.doc.Status = *p.before.Status.DeepCopy()
	var all findings
	r.leaveRegions(ctx, p, &all)
	for i := range p.doc.Status.Regions {
		at := &p.doc.Status.Regions[i]
		if p.observing() || !p.want.in(at.Region) {
			continue
		}
		if err := r.withdrawIn(ctx, p.site(at)); err != nil {
			all.add(at, failed(err))
		}
	}
	if err := r.report(ctx, p, notRecorded(p.want.name)); err != nil {
		return 0, err
	}
	if retry := all.retry(); retry != nil {
		return 0, retry
	}
	if all.after > 0 {
		return all.after, nil
	}
	return reconcile.RejectedDelay, nil
}

func notRecorded(name string) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonRecordTooLarge,
		Message: fmt.Sprintf("The API server does not store what the operator has to remember of document %q, so only what is no longer declared is removed from AWS. Use fewer tags and regions, shorten annotations and labels, or install the CRDs of the operator's version.", name),
	}
}
