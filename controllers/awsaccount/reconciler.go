// Package awsaccount reconciles AWSAccount: it verifies who the operator is in an
// account, reads its quotas and its IAM, and registers the account for the other
// controllers. None of them writes to an account that is not registered.
package awsaccount

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

// resyncJitter spreads the resyncs of several accounts: each comes up to this
// share later than the interval.
const resyncJitter = 0.1

// Reconciler verifies one AWSAccount at a time. It is a reconcile.Kind.
type Reconciler struct {
	reconcile.Options
	Pool *iam.Pool
	// OwnerID is in the names of our policies.
	OwnerID string
	// ResyncInterval is how often an account is verified and read again.
	ResyncInterval time.Duration
	// Judged is called with the name of each AWSAccount that was verified or found
	// unusable. It must not block.
	Judged func(account string)
	// Contention knows the policies that something else changes again and again.
	Contention *contention.Tracker

	// pins are the policies that only unrecorded declarations keep.
	pins pins
	// approvals are where accounts have approval policies.
	approvals approvals
	// restores are what a restore brought back.
	restores restores
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=awsaccounts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=awsaccounts/status,verbs=patch

// scope is one reconcile of one AWSAccount.
type scope = reconcile.Scope[*v1alpha1.AWSAccount]

// Reconcile verifies an account and registers it, or removes it from the registry.
func (r *Reconciler) Reconcile(ctx context.Context, s *scope) (reconcile.Result, error) {
	if err := s.EnsureFinalizer(ctx); err != nil {
		return reconcile.Result{}, err
	}
	return r.reconcile(ctx, s.Object, nil)
}

// Narrow verifies an account as Reconcile does: that adds nothing to it.
func (r *Reconciler) Narrow(ctx context.Context, s *scope) (reconcile.Result, error) {
	return r.Reconcile(ctx, s)
}

// Gone removes an account from the registry whose AWSAccount is gone.
func (r *Reconciler) Gone(ctx context.Context, key client.ObjectKey) {
	r.Accounts.Remove(ctx, key.Name)
}

// HandOver leaves an account of this manager to the manager that selects it now. Writes
// in progress are refused from here on. Should the account come back, this manager does
// not rely on what it knew.
func (r *Reconciler) HandOver(ctx context.Context, account *v1alpha1.AWSAccount) {
	if entry, ok := r.Accounts.Get(account.Spec.AccountID); ok && entry.Name == account.Name {
		log.FromContext(ctx).Info("Leaving the account to another manager", "account", entry.AccountID)
		r.Accounts.Remove(ctx, account.Name)
		r.Pool.Forget(entry.AccountID)
	}
}

// reconcile verifies an account again when it is due. dependents are the objects that
// keep one that is being deleted.
func (r *Reconciler) reconcile(ctx context.Context, account *v1alpha1.AWSAccount, dependents []string) (reconcile.Result, error) {
	// A rival that a restore brings back may end what was verified already.
	rival, err := accounts.Older(ctx, r.Client, account)
	if err != nil {
		return reconcile.Result{}, err
	}
	if entry, ok := r.fresh(account); ok && rival == "" {
		showUsage(account, entry)
		return reconcile.Result{RequeueAfter: entry.NextResync.Sub(r.Clock.Now())}, nil
	}
	begun := r.Clock.Now()
	result, retry := r.verify(ctx, account)
	if !account.DeletionTimestamp.IsZero() {
		result = staying(account, result, dependents)
	}
	if result.Reason != v1alpha1.ReasonVerifying {
		r.Judged(account.Name) // A reader of the status must find the operator ready.
	}
	result.RequeueAfter = r.nextResync(begun, wait.Jitter(r.ResyncInterval, resyncJitter)).Sub(r.Clock.Now())
	result.Retry = retry
	return result, nil
}

// nextResync is when an account is read again after a resync that began at a time and has
// just ended. The interval counts from begin to begin, because a resync takes long where
// revocations of the account are before it, and half of it is left at least.
func (r *Reconciler) nextResync(begun time.Time, interval time.Duration) time.Time {
	next, earliest := begun.Add(interval), r.Clock.Now().Add(interval/2)
	if next.Before(earliest) {
		return earliest
	}
	return next
}

// fresh reports whether this generation was verified and the next resync is ahead.
func (r *Reconciler) fresh(account *v1alpha1.AWSAccount) (accounts.Entry, bool) {
	entry, ok := r.Accounts.Get(account.Spec.AccountID)
	ok = ok && entry.Name == account.Name && entry.Generation == account.Generation && shown(account) &&
		entry.ConfirmedRemoval == account.Annotations[v1alpha1.AnnotationConfirmRemoval] && r.Clock.Now().Before(entry.NextResync)
	return entry, ok
}

// shown reports whether the status says that this generation was verified. It does
// not where the status write hit a conflict.
func shown(account *v1alpha1.AWSAccount) bool {
	ready := meta.FindStatusCondition(account.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == account.Generation &&
		slices.Contains([]string{v1alpha1.ReasonVerified, v1alpha1.ReasonInUse, v1alpha1.ReasonSuspended}, ready.Reason)
}
