// Package accounttier reconciles AccountTier: it keeps the instances tier of an
// account's hybrid nodes at the declared value, region by region, and reports its cost.
package accounttier

import (
	"context"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Reconciler converges one AccountTier at a time. It is a reconcile.Kind.
type Reconciler struct {
	reconcile.Options
	Caches *awscache.Caches
}

// frameScope is what the frame keeps of one reconcile.
type frameScope = reconcile.Scope[*v1alpha1.AccountTier]

// +kubebuilder:rbac:groups=ssm-access.dev,resources=accounttiers,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=accounttiers/status,verbs=patch

// Reconcile brings the tiers of an account a step further.
func (r *Reconciler) Reconcile(ctx context.Context, s *frameScope) (reconcile.Result, error) {
	return r.reconcile(ctx, s, planFor)
}

// Narrow restores the tiers of regions that are no longer declared.
func (r *Reconciler) Narrow(ctx context.Context, s *frameScope) (reconcile.Result, error) {
	return r.reconcile(ctx, s, planToLeave)
}

func (r *Reconciler) reconcile(ctx context.Context, s *frameScope, planner planner) (reconcile.Result, error) {
	in, err := r.gather(ctx, s)
	if err != nil {
		return reconcile.Result{}, err
	}
	account, denied := r.usable(in, s.Object.Spec.Regions)
	var result reconcile.Result
	if denied != nil {
		result = *denied
	} else if result, err = r.converge(ctx, s, in, account, planner); err != nil {
		return reconcile.Result{}, err
	}
	if !changedAny(&s.Object.Status) {
		return result, nil
	}
	// A value that has to be restored later may come from another AccountTier, without a
	// change by this one.
	return result, s.EnsureFinalizer(ctx)
}

// usable is the verified account, or why nothing may be written to it.
func (r *Reconciler) usable(in inputs, regions []v1alpha1.Region) (account accounts.Entry, denied *reconcile.Result) {
	if denial := in.Check(regions); denial != nil {
		return accounts.Entry{}, new(reconcile.Denied(denial))
	}
	return r.VerifiedAccount(in.Account)
}

// changedAny reports whether some region was changed, so that its former tier is on
// record.
func changedAny(status *v1alpha1.AccountTierStatus) bool {
	return slices.ContainsFunc(status.Regions, func(r v1alpha1.RegionTier) bool { return r.Before != nil })
}
