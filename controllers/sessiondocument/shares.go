package sessiondocument

import (
	"context"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// withdrawShares removes the shares of the object's document that the spec does not
// declare, before anything else is written that may fail. What fails here, share
// reports.
func (r *Reconciler) withdrawShares(ctx context.Context, s *site) (*finding, error) {
	if s.latest.Tags[uidTag] == string(s.doc.UID) {
		s.readShares(ctx, r)
	}
	return nil, nil
}

// readShares reads the shares, and removes those that the spec does not declare.
func (s *site) readShares(ctx context.Context, r *Reconciler) {
	s.sharesRead = true
	if s.created {
		return
	}
	if s.shared, s.sharesErr = s.account.Cloud.DocumentShares(ctx, s.region, s.name); s.sharesErr == nil {
		s.sharesErr = r.unshare(ctx, s, s.removable(s.shared))
	}
}

// share shares the document with the declared accounts. An adopted document keeps the
// shares that it had; any other one has exactly those that are declared. Shares are
// removed before others are added.
func (r *Reconciler) share(ctx context.Context, s *site) (*finding, error) {
	if !s.sharesRead {
		s.readShares(ctx, r)
	}
	if s.sharesErr != nil {
		return nil, s.sharesErr
	}
	missing := without(s.want.shares, s.shared)
	if len(missing) == 0 {
		return nil, nil
	}
	if err := r.recordShares(ctx, s, missing); err != nil {
		return nil, err
	}
	_, err := r.do(s, "share it with "+strings.Join(missing, ", "), func() error {
		return s.account.Cloud.ShareDocument(ctx, s.region, s.name, missing)
	})
	return nil, err
}

// removable are the shares that are not declared and that the operator may remove.
func (s *site) removable(have []string) []string {
	extra := without(have, s.want.shares)
	if s.at.Adopted == nil {
		return extra
	}
	return slices.DeleteFunc(extra, func(account string) bool {
		return !slices.Contains(s.at.Adopted.SharedWith, v1alpha1.AccountID(account))
	})
}

func (r *Reconciler) unshare(ctx context.Context, s *site, accounts []string) error {
	if len(accounts) == 0 {
		return nil
	}
	_, err := r.do(s, "no longer share it with "+strings.Join(accounts, ", "), func() error {
		return s.account.Cloud.UnshareDocument(ctx, s.region, s.name, accounts)
	})
	return err
}

// recordShares records which shares of an adopted document the operator makes, before it
// makes them.
func (r *Reconciler) recordShares(ctx context.Context, s *site, accounts []string) error {
	if s.at.Adopted == nil || s.observing() {
		return nil
	}
	record := slices.DeleteFunc(s.at.Adopted.SharedWith, func(a v1alpha1.AccountID) bool { return !slices.Contains(s.want.shares, string(a)) })
	for _, account := range accounts {
		if !slices.Contains(record, v1alpha1.AccountID(account)) {
			record = append(record, v1alpha1.AccountID(account))
		}
	}
	slices.Sort(record)
	s.at.Adopted.SharedWith = record
	return r.persist(ctx, s.pass)
}

// without are the texts of one list that another does not have, sorted.
func without(list, other []string) []string {
	var rest []string
	for _, text := range list {
		if !slices.Contains(other, text) {
			rest = append(rest, text)
		}
	}
	slices.Sort(rest)
	return rest
}
