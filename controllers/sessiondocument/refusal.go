package sessiondocument

import (
	"context"
	"fmt"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// refuse tells why an object may not have what it asks for. What it has in AWS
// stays, but for shares that are forbidden: they are access that the platform
// took away.
func (r *Reconciler) refuse(ctx context.Context, p *pass, problem *refusal) error {
	err := r.withdraw(ctx, p, problem.forbidden)
	if err != nil {
		problem.Message += " Shares that it has are to be taken away, and could not be: " + cloud.Sentence(err)
	}
	if err := r.report(ctx, p, problem.Verdict); err != nil {
		return err
	}
	return lifecycle.Retry(err)
}

// withdraw takes away the shares that the object's documents have with these
// accounts.
func (r *Reconciler) withdraw(ctx context.Context, p *pass, accounts []string) error {
	entry, ok := r.Accounts.Get(p.doc.Status.AccountID)
	if !ok || len(accounts) == 0 || entry.Mode == v1alpha1.ModeObserve {
		return nil
	}
	p.account = entry
	for i := range p.doc.Status.Regions {
		if err := r.withdrawIn(ctx, p.site(&p.doc.Status.Regions[i]), accounts); err != nil {
			return fmt.Errorf("take shares away: %w", err)
		}
	}
	return nil
}

func (r *Reconciler) withdrawIn(ctx context.Context, s *site, accounts []string) error {
	ok, err := r.describe(ctx, s)
	if err != nil || !ok {
		return err
	}
	if c, _ := claimOf(s.latest.Tags, s.doc.UID, r.OwnerID); c != ours {
		return nil
	}
	have, err := s.account.Cloud.DocumentShares(ctx, s.region, s.name)
	if err != nil {
		return err
	}
	// A document that was taken over keeps what it had, as always.
	return r.unshare(ctx, s, slices.DeleteFunc(s.removable(have), func(account string) bool { return !slices.Contains(accounts, account) }))
}
