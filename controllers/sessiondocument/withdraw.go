package sessiondocument

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// refuse reports why an object is not allowed to have what it asks for. What it has in AWS
// stays, except shares that are not allowed: they are access that the platform, or the
// object's author, has withdrawn.
func (r *Reconciler) refuse(ctx context.Context, s *scope, refused *refusal) reconcile.Result {
	result := refused.Result
	failures := r.withdraw(ctx, s, refused)
	if len(failures) > 0 {
		result.Message += " Shares that it has are to be removed, and could not be: " + awserr.UserMessage(failures[0])
	}
	for _, err := range failures {
		result.Retry = errors.Join(result.Retry, reconcile.Retry(err))
	}
	return result
}

// withdraw removes the shares of the object's documents that are not allowed. A region
// that fails keeps those of no other.
func (r *Reconciler) withdraw(ctx context.Context, s *scope, refused *refusal) (failures []error) {
	entry, ok := r.Accounts.Get(s.Object.Status.AccountID)
	if !ok || !refused.withdraws || entry.Mode == v1alpha1.ModeObserve {
		return nil
	}
	s.account = entry
	s.desired.setShares(refused.allowed)
	for i := range s.Object.Status.Regions {
		if err := r.withdrawIn(ctx, s.inRegion(&s.Object.Status.Regions[i])); err != nil {
			failures = append(failures, fmt.Errorf("take shares away: %w", err))
		}
	}
	return failures
}

func (r *Reconciler) withdrawIn(ctx context.Context, rs *regionScope) error {
	ok, err := r.describe(ctx, rs)
	if err != nil || !ok {
		return err
	}
	if its, err := r.isOurs(ctx, rs); err != nil || !its {
		return err
	}
	have, err := rs.account.SSM(rs.region).DocumentShares(ctx, rs.name)
	if err == nil {
		// An adopted document keeps the shares that it had, as always.
		err = r.unshare(ctx, rs, rs.removable(have))
	}
	return errors.Join(err, r.withdrawOrganizations(ctx, rs))
}

// narrowUnrecorded narrows where the API server rejects the record of what is declared.
func (r *Reconciler) narrowUnrecorded(ctx context.Context, s *scope, cause error) reconcile.Result {
	reconcile.ReportRejected(ctx, r.Client, r.Recorder, s.Object, cause)
	r.Memory.forget(s.Object.UID)
	s.Reset()
	result := r.narrow(ctx, s, notRecorded(s.desired.name))
	if result.Retry == nil {
		result.RequeueAfter = cmp.Or(result.RequeueAfter, reconcile.RejectedDelay)
	}
	return result
}

// narrow does what needs no further record: it removes the shares and cleans up in the
// regions that are no longer declared. Nothing is added. The result is the given one, with
// what happens next.
func (r *Reconciler) narrow(ctx context.Context, s *scope, result reconcile.Result) reconcile.Result {
	var all regionResults
	r.leaveRegions(ctx, s, &all)
	for i := range s.Object.Status.Regions {
		at := &s.Object.Status.Regions[i]
		if s.isObserving() || !s.desired.in(at.Region) {
			continue
		}
		if err := r.withdrawIn(ctx, s.inRegion(at)); err != nil {
			all.add(at, failed(err))
		}
	}
	result.RequeueAfter, result.Retry = all.after, all.retry()
	return result
}

func notRecorded(name string) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonRecordTooLarge,
		"The API server does not store what the operator has to remember of document %q, so only what is no longer declared is removed from AWS. Use fewer tags and regions, shorten annotations and labels, or install the CRDs of the operator's version.", name)
}
