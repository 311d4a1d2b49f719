// Package accounttier reconciles AccountTier: it keeps the instances tier of an
// account's hybrid nodes at the declared value, region by region, and reports its cost.
package accounttier

import (
	"context"
	"slices"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Reconciler converges one AccountTier at a time.
type Reconciler struct {
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Accounts *accounts.Registry
	Readings *awscache.Caches
	// Scope says which objects are this manager's.
	Scope accounts.Shard

	departed reconcile.Departed[*v1alpha1.AccountTier]
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=accounttiers,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=accounttiers/status,verbs=patch

// Reconcile brings the tiers of an account a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if done, result, err := r.departed.CleanUp(ctx, req.NamespacedName, r.reconcileTier); !done || err != nil {
		return result, err
	}
	tier := &v1alpha1.AccountTier{}
	if err := r.Client.Get(ctx, req.NamespacedName, tier); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !tier.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(tier, v1alpha1.Finalizer) {
		return ctrl.Result{}, nil
	}
	return r.reconcileTier(ctx, tier)
}

func (r *Reconciler) reconcileTier(ctx context.Context, tier *v1alpha1.AccountTier) (ctrl.Result, error) {
	in, err := r.gather(ctx, tier)
	if err != nil {
		return ctrl.Result{}, err
	}
	after, err := r.reconcile(ctx, in)
	return reconcile.Finish(ctx, r.Client, r.Recorder, tier, queue.PriorityGrant, after, err)
}

func (r *Reconciler) reconcile(ctx context.Context, in inputs) (time.Duration, error) {
	w := &work{Reconciler: r, in: in, before: in.tier.DeepCopy()}
	account, closed := r.workable(in)
	if closed != nil {
		if in.deleting() && in.nothingToRestore() {
			return 0, r.release(ctx, in.tier)
		}
		return 0, w.report(ctx, *closed)
	}
	w.account = account
	goals, verdict := in.goals(account.Mode == v1alpha1.ModeObserve)
	after, verdict, err := w.converge(ctx, goals, verdict)
	if err != nil {
		return 0, err
	}
	if in.deleting() && len(in.tier.Status.Regions) == 0 {
		return 0, r.release(ctx, in.tier)
	}
	return after, w.finish(ctx, verdict)
}

// workable is the verified account, or why it cannot be worked on.
func (r *Reconciler) workable(in inputs) (accounts.Entry, *reconcile.Verdict) {
	regions := in.tier.Spec.Regions
	if in.deleting() {
		regions = nil // What was changed is put back wherever it was.
	}
	if closed := in.Check(regions); closed != nil {
		return accounts.Entry{}, &closed.Verdict
	}
	account, ok := r.Accounts.Get(in.Account.Spec.AccountID)
	if !ok || account.Name != in.Account.Name {
		v := accountNotReady(in.Account.Name)
		return account, &v
	}
	return account, nil
}

// nothingToRestore reports whether the object can go without AWS.
func (in inputs) nothingToRestore() bool {
	return in.tier.Spec.OnDelete == v1alpha1.TierKeep || nothingBefore(&in.tier.Status)
}

// nothingBefore reports whether no region was ever changed.
func nothingBefore(status *v1alpha1.AccountTierStatus) bool {
	return !slices.ContainsFunc(status.Regions, func(r v1alpha1.RegionTier) bool { return r.Before != nil })
}

func (r *Reconciler) release(ctx context.Context, tier *v1alpha1.AccountTier) error {
	log.FromContext(ctx).Info("Letting the object go: the tiers are as its onDelete says", "onDelete", tier.Spec.OnDelete)
	return reconcile.RemoveFinalizer(ctx, r.Client, tier)
}
