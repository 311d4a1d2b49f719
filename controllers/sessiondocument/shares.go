package sessiondocument

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// withdrawShares removes the shares of the object's document that the spec does not
// declare, before anything else is written that may fail. What fails here, share
// reports.
func (r *Reconciler) withdrawShares(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if rs.latest.Tags[uidTag] == string(rs.Object.UID) {
		rs.readShares(ctx, r)
	}
	return nil, nil
}

// readShares reads the shares, and removes those that the spec does not declare.
func (rs *regionScope) readShares(ctx context.Context, r *Reconciler) {
	rs.sharesRead = true
	if rs.created {
		return
	}
	if rs.shared, rs.sharesErr = rs.account.SSM(rs.region).DocumentShares(ctx, rs.name); rs.sharesErr == nil {
		rs.sharesErr = r.unshare(ctx, rs, rs.removable(rs.shared))
	}
	rs.sharesErr = errors.Join(rs.sharesErr, r.withdrawOrganizations(ctx, rs))
}

// share shares the document with the declared accounts. An adopted document keeps the
// shares that it had; any other one has exactly those that are declared. Shares are
// removed before others are added.
func (r *Reconciler) share(ctx context.Context, rs *regionScope) (*regionResult, error) {
	if !rs.sharesRead {
		rs.readShares(ctx, r)
	}
	if rs.sharesErr != nil {
		return nil, rs.sharesErr
	}
	missing := without(rs.desired.shares, rs.shared)
	if len(missing) == 0 {
		return nil, nil
	}
	if err := r.recordShares(ctx, rs, missing); err != nil {
		return nil, err
	}
	_, err := r.do(rs, "share it with "+strings.Join(missing, ", "), func() error {
		return rs.account.SSM(rs.region).ShareDocument(ctx, rs.name, missing)
	})
	return nil, err
}

// removable are the shares that are not declared and that the operator may remove.
func (rs *regionScope) removable(have []string) []string {
	extra := without(have, rs.desired.shares)
	if rs.at.Adopted == nil {
		return extra
	}
	return slices.DeleteFunc(extra, func(account string) bool {
		return !slices.Contains(rs.at.Adopted.SharedWith, v1alpha1.AccountID(account))
	})
}

func (r *Reconciler) unshare(ctx context.Context, rs *regionScope, accounts []string) error {
	if len(accounts) == 0 {
		return nil
	}
	_, err := r.do(rs, "no longer share it with "+strings.Join(accounts, ", "), func() error {
		return rs.account.SSM(rs.region).UnshareDocument(ctx, rs.name, accounts)
	})
	return err
}

// recordShares records which shares of an adopted document the operator makes, before it
// makes them.
func (r *Reconciler) recordShares(ctx context.Context, rs *regionScope, accounts []string) error {
	if rs.at.Adopted == nil || rs.isObserving() {
		return nil
	}
	record := slices.DeleteFunc(rs.at.Adopted.SharedWith, func(a v1alpha1.AccountID) bool { return !slices.Contains(rs.desired.shares, string(a)) })
	for _, account := range accounts {
		if !slices.Contains(record, v1alpha1.AccountID(account)) {
			record = append(record, v1alpha1.AccountID(account))
		}
	}
	slices.Sort(record)
	rs.at.Adopted.SharedWith = record
	return rs.persist(ctx)
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
