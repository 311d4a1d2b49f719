package hybridactivation

import (
	"context"
	"errors"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// withdraw deletes activations of an object. What is gone already is fine. One that
// cannot be deleted keeps none of the others.
func (r *Reconciler) withdraw(ctx context.Context, account accounts.Entry, region string, of types.UID, ids []string) error {
	ctx = cloud.WithPriority(ctx, cloud.Revocation)
	var failures []error
	for _, id := range ids {
		log.FromContext(ctx).Info("Deleting an activation", "activation", id)
		if err := account.Cloud.DeleteActivation(ctx, region, id); err != nil {
			failures = append(failures, err)
			continue
		}
		r.Listings.deleted(place{account.AccountID, region}, id, of)
	}
	return errors.Join(failures...)
}

// takeBack deletes every activation of an object, those that AWS shows and those
// that are known otherwise, and the Secret, whether or not the activations could be
// deleted: no reader of Secrets may learn their code. The status remembers that they were.
func (s *scope) takeBack(ctx context.Context, shown []string) error {
	status := &s.Object.Status
	ids := append(slices.Clone(shown), known(status)...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	err := s.withdraw(ctx, s.account, s.region(), s.Object.UID, ids)
	if failure := s.dropSecrets(ctx, s.secrets); failure != nil || err != nil {
		return errors.Join(err, failure)
	}
	for _, id := range ids {
		if !slices.Contains(status.Record.Former, id) {
			status.Record.Former = append(status.Record.Former, id)
		}
	}
	status.Record.Former, status.Record.Previous = bounded(status.Record.Former), nil
	status.ActivationID, status.ExpiresAt, status.Registered = "", nil, ""
	return nil
}

// known are the activations that the status names. What the Secret names proves
// nothing: a user who may write it can name another owner's activation, with a
// matching digest. An activation of the object is in the status or carries its tag.
func known(status *v1alpha1.HybridActivationStatus) []string {
	var ids []string
	if status.ActivationID != "" {
		ids = append(ids, status.ActivationID)
	}
	if status.Record != nil {
		for _, p := range status.Record.Previous {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// withdrawDenied deletes what the object had when it is not allowed any more. Nodes stay:
// SessionAccesses decide what may be done on them.
func (s *scope) withdrawDenied(ctx context.Context, denied reconcile.Result) (reconcile.Result, error) {
	record := s.Object.Status.Record
	if record == nil {
		return denied, nil
	}
	var ok bool
	if s.account, ok = s.Accounts.Get(record.AccountID); !ok || s.account.Mode == v1alpha1.ModeObserve {
		return denied, nil
	}
	var err error
	if s.secrets, err = s.readSecrets(ctx, s.Object); err != nil {
		return reconcile.Result{}, err
	}
	seen, err := s.Listings.of(ctx, s.account, s.region(), s.Object.UID, freshness(s.Clock.Now(), s.started, record, s.secrets.stored))
	if err != nil {
		return failed(err)
	}
	if err := s.takeBack(ctx, slices.Collect(maps.Keys(seen.activations))); err != nil {
		return failed(err)
	}
	if record.Pending != nil && !seen.begun.Before(pendingSettled(*record.Pending, s.started)) {
		record.Pending = nil
	}
	return denied, nil
}
