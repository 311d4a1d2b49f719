package sessiondocument

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// report writes the status with a verdict, where it changed.
func (r *Reconciler) report(ctx context.Context, p *pass, v reconcile.Verdict) error {
	status := &p.doc.Status
	status.ObservedGeneration, status.UID = p.doc.Generation, string(p.doc.UID)
	if status.Name == "" {
		status.Name = p.doc.DocumentName()
	}
	status.Summary = summarize(status.Regions)
	return reconcile.Report(ctx, r.Client, r.Recorder, p.before, p.doc, &status.Conditions, v)
}

// reportUnlessHidden reports. It keeps the conditions as they are where the only failures
// are those that resolve themselves.
func (r *Reconciler) reportUnlessHidden(ctx context.Context, p *pass, all *findings, v reconcile.Verdict) error {
	ready := meta.FindStatusCondition(p.doc.Status.Conditions, v1alpha1.ConditionReady)
	if len(all.hidden) == 0 || v.Progress != reconcile.Settled {
		return r.report(ctx, p, v)
	}
	if ready == nil || ready.ObservedGeneration != p.doc.Generation || !v1alpha1.IsOwnRecord(p.doc.Status.UID, p.doc) {
		return r.report(ctx, p, applying(p.want.name))
	}
	p.doc.Status.Summary = summarize(p.doc.Status.Regions)
	_, err := reconcile.WriteStatus(ctx, r.Client, p.before, p.doc)
	return err
}

func summarize(regions []v1alpha1.DocumentRegion) *v1alpha1.DocumentSummary {
	ready := 0
	var versions []string
	for _, at := range regions {
		if at.State == v1alpha1.DocumentActive {
			ready++
		}
		if text := fmt.Sprint(at.DefaultVersion); at.DefaultVersion > 0 && !slices.Contains(versions, text) {
			versions = append(versions, text)
		}
	}
	return &v1alpha1.DocumentSummary{Regions: fmt.Sprintf("%d/%d", ready, len(regions)), Version: strings.Join(versions, ",")}
}

func inPlace(p *pass) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Settled, Reason: v1alpha1.ReasonInPlace,
		Message: fmt.Sprintf("Document %q is in place in %s.", p.want.name, join(p.want.regions)),
	}
}

func applying(name string) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonApplying,
		Message: fmt.Sprintf("Document %q is being written.", name),
	}
}

func accountNotReady(doc *v1alpha1.SessionDocument) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonAccountNotReady,
		Message: fmt.Sprintf("AWSAccount %q is not ready, so nothing is written to AWS; its own condition Ready tells why.", doc.AccountName()),
	}
}

// reportNotReady reports that the account is not ready. An object that was found in place
// keeps that condition: after a start every account is read first.
func (r *Reconciler) reportNotReady(ctx context.Context, p *pass) error {
	ready := meta.FindStatusCondition(p.doc.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == p.doc.Generation {
		return nil
	}
	return r.report(ctx, p, accountNotReady(p.doc))
}

func claimedBy(name string, other *v1alpha1.SessionDocument) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonConflict,
		Message: fmt.Sprintf("%s declares document %q in the same account and region, and is older; delete one of the two, or give this one another name in a new object.", queue.Named("SessionDocument", other), name),
	}
}

// setPromotionPending reports the first region where a version waits.
func setPromotionPending(p *pass) {
	message := ""
	for _, at := range p.doc.Status.Regions {
		if at.PendingVersion > 0 && p.want.in(at.Region) {
			message = fmt.Sprintf("Version %d of document %q in %s holds what is declared and waits; set defaultVersion: %d to have sessions use it. They use version %d.", at.PendingVersion, p.want.name, at.Region, at.PendingVersion, at.DefaultVersion)
			break
		}
	}
	reconcile.Notice(&p.doc.Status.Conditions, p.doc.Generation, v1alpha1.ConditionPromotionPending, v1alpha1.ReasonVersionWaits, message)
}

func join(regions []v1alpha1.Region) string {
	texts := make([]string, len(regions))
	for i, region := range regions {
		texts[i] = string(region)
	}
	return strings.Join(texts, ", ")
}
