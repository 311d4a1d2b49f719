package sessionaccess

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// write completes the status with a verdict and writes it where it changed. Where
// the API server rejects it, it writes what must not be lost, with the verdict or,
// where there is no room for that either, without.
func (r *Reconciler) write(ctx context.Context, before, access *v1alpha1.SessionAccess, v reconcile.Verdict) error {
	err := r.writeWhole(ctx, before, access, v)
	if !reconcile.Rejected(err) {
		return err
	}
	reconcile.ReportRejected(ctx, r.Client, r.Recorder, access, err)
	slim := slimStatus(&access.Status)
	if v.Apply(&slim.Conditions, access.Generation); len(v.Message) > maxSlimMessage {
		v.Message = strings.ToValidUTF8(v.Message[:maxSlimMessage], "") + " …"
		v.Apply(&slim.Conditions, access.Generation)
	}
	bare := v1alpha1.SessionAccessStatus{Applied: slim.Applied, Revocation: slim.Revocation}
	for _, less := range []v1alpha1.SessionAccessStatus{slim, bare} {
		access.Status = less
		if _, err = reconcile.WriteStatus(ctx, r.Client, before, access); !reconcile.Rejected(err) {
			return err
		}
	}
	return err
}

// maxSlimMessage bounds the message of a condition where there is little room.
const maxSlimMessage = 200

// slimStatus is what of a status must not be lost: what is granted, what has to
// be revoked, and how far that is. The rest is found out again.
func slimStatus(status *v1alpha1.SessionAccessStatus) v1alpha1.SessionAccessStatus {
	slim := v1alpha1.SessionAccessStatus{ObservedGeneration: status.ObservedGeneration, Revocation: status.Revocation, Applied: status.Applied}
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		slim.Conditions = []metav1.Condition{*ready}
	}
	return slim
}

func (r *Reconciler) writeWhole(ctx context.Context, before, access *v1alpha1.SessionAccess, v reconcile.Verdict) error {
	status := &access.Status
	status.ObservedGeneration = access.Generation
	news := r.setReachable(access)
	status.Summary = summaryOf(access)
	transition := v.Apply(&status.Conditions, access.Generation)
	r.setNotices(access)
	setActive(access, r.Clock.Now())
	written, err := reconcile.WriteStatus(ctx, r.Client, before, access)
	if err == nil && written && transition {
		reconcile.Announce(r.Recorder, access, v)
	}
	if err == nil && written && news != nil {
		r.announceReachable(access, news)
	}
	return err
}

// setNotices shows what the principals should be known for although their
// access is in place: of each sort the first.
func (r *Reconciler) setNotices(access *v1alpha1.SessionAccess) {
	var first grants.Notices
	for _, key := range grants.PrincipalKeysOf(access.Status.Applied) {
		o, _ := r.Outcomes.Get(key)
		n := o.Saw[access.UID].Notices
		first.Widened = cmp.Or(first.Widened, n.Widened)
		first.PrefixHazard = cmp.Or(first.PrefixHazard, n.PrefixHazard)
		first.GrantedElsewhere = cmp.Or(first.GrantedElsewhere, n.GrantedElsewhere)
	}
	conditions, generation := &access.Status.Conditions, access.Generation
	reconcile.Notice(conditions, generation, v1alpha1.ConditionWidened, v1alpha1.ReasonNodeAndDocument, first.Widened)
	reconcile.Notice(conditions, generation, v1alpha1.ConditionPrefixHazard, v1alpha1.ReasonSharedPrefix, first.PrefixHazard)
	reconcile.Notice(conditions, generation, v1alpha1.ConditionGrantedElsewhere, v1alpha1.ReasonOtherOwner, first.GrantedElsewhere)
}

// writeIfNew writes a verdict where there is none for this generation yet, or where
// another part of the status has changed.
func (r *Reconciler) writeIfNew(ctx context.Context, before, access *v1alpha1.SessionAccess, v reconcile.Verdict) error {
	ready := meta.FindStatusCondition(access.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.ObservedGeneration == access.Generation && equality.Semantic.DeepEqual(before.Status, access.Status) {
		return nil
	}
	return r.write(ctx, before, access, v)
}

func accountNotReady(account string) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonAccountNotReady,
		Message: fmt.Sprintf("AWSAccount %q is not ready, so nothing is written to AWS; its own condition Ready tells why.", account),
	}
}
