package sessionaccess

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
)

// write completes the status with a verdict and writes it where it changed.
func (r *Reconciler) write(ctx context.Context, before, access *v1alpha1.SessionAccess, v lifecycle.Verdict) error {
	status := &access.Status
	status.ObservedGeneration = access.Generation
	news := r.setReachable(access)
	status.Summary = summaryOf(access)
	transition := v.Apply(&status.Conditions, access.Generation)
	r.setNotices(access)
	setActive(access, r.Clock.Now())
	written, err := lifecycle.WriteStatus(ctx, r.Client, before, access)
	if err == nil && written && transition {
		lifecycle.Announce(r.Recorder, access, v)
	}
	if err == nil && written && news != nil {
		r.announceReachable(access, news)
	}
	return err
}

// setNotices shows what the principals should be known for although their
// access is in place: of each sort the first.
func (r *Reconciler) setNotices(access *v1alpha1.SessionAccess) {
	var first outcome.Notices
	for _, key := range outcome.KeysOf(access.Status.Applied) {
		o, _ := r.Outcomes.Get(key)
		n := o.Saw[access.UID].Notices
		first.Widened = cmp.Or(first.Widened, n.Widened)
		first.PrefixHazard = cmp.Or(first.PrefixHazard, n.PrefixHazard)
		first.GrantedElsewhere = cmp.Or(first.GrantedElsewhere, n.GrantedElsewhere)
	}
	conditions, generation := &access.Status.Conditions, access.Generation
	lifecycle.Notice(conditions, generation, v1alpha1.ConditionWidened, v1alpha1.ReasonNodeAndDocument, first.Widened)
	lifecycle.Notice(conditions, generation, v1alpha1.ConditionPrefixHazard, v1alpha1.ReasonSharedPrefix, first.PrefixHazard)
	lifecycle.Notice(conditions, generation, v1alpha1.ConditionGrantedElsewhere, v1alpha1.ReasonOtherOwner, first.GrantedElsewhere)
}

// writeIfNew writes a verdict where there is none for this generation yet, or
// the status has something else to tell.
func (r *Reconciler) writeIfNew(ctx context.Context, before, access *v1alpha1.SessionAccess, v lifecycle.Verdict) error {
	ready := meta.FindStatusCondition(access.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.ObservedGeneration == access.Generation && equality.Semantic.DeepEqual(before.Status, access.Status) {
		return nil
	}
	return r.write(ctx, before, access, v)
}

func accountNotReady(access *v1alpha1.SessionAccess) lifecycle.Verdict {
	return lifecycle.Verdict{
		Progress: lifecycle.Working, Reason: v1alpha1.ReasonAccountNotReady,
		Message: fmt.Sprintf("AWSAccount %q is not ready, so nothing is written to AWS; its own condition Ready tells why.", access.Spec.AccountRef.Name),
	}
}
