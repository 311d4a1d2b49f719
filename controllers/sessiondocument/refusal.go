package sessiondocument

import (
	"context"
	"errors"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// refuse reports why an object is not allowed to have what it asks for. What it has in AWS
// stays, except shares that are not allowed: they are access that the platform, or the
// object's author, has withdrawn.
func (r *Reconciler) refuse(ctx context.Context, p *pass, problem *refusal) error {
	failures := r.withdraw(ctx, p, problem)
	if len(failures) > 0 {
		problem.Message += " Shares that it has are to be taken away, and could not be: " + cloud.Sentence(failures[0])
	}
	if err := r.report(ctx, p, problem.Verdict); err != nil {
		return err
	}
	for i, err := range failures {
		failures[i] = reconcile.Retry(err)
	}
	return errors.Join(failures...)
}

// withdraw removes the shares of the object's documents that are not allowed. A region
// that fails keeps those of no other.
func (r *Reconciler) withdraw(ctx context.Context, p *pass, problem *refusal) (failures []error) {
	entry, ok := r.Accounts.Get(p.doc.Status.AccountID)
	if !ok || !problem.withdraws || entry.Mode == v1alpha1.ModeObserve {
		return nil
	}
	p.account, p.want.shares = entry, problem.allowed
	for i := range p.doc.Status.Regions {
		if err := r.withdrawIn(ctx, p.site(&p.doc.Status.Regions[i])); err != nil {
			failures = append(failures, fmt.Errorf("take shares away: %w", err))
		}
	}
	return failures
}

func (r *Reconciler) withdrawIn(ctx context.Context, s *site) error {
	ok, err := r.describe(ctx, s)
	if err != nil || !ok {
		return err
	}
	if its, err := r.isOurs(ctx, s); err != nil || !its {
		return err
	}
	have, err := s.account.Cloud.DocumentShares(ctx, s.region, s.name)
	if err != nil {
		return err
	}
	// An adopted document keeps the shares that it had, as always.
	return r.unshare(ctx, s, s.removable(have))
}
