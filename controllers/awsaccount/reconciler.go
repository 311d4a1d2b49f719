// Package awsaccount reconciles AWSAccount: it verifies who the operator is in an
// account, reads its quotas and what IAM holds, and lets the other controllers
// work on it only then.
package awsaccount

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// resyncJitter spreads the resyncs of several accounts: each comes up to this
// share later than the interval.
const resyncJitter = 0.1

// Reconciler verifies one AWSAccount at a time.
type Reconciler struct {
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Pool     *cloud.Pool
	Accounts *accounts.Registry
	// OwnerID is in the names of our policies.
	OwnerID string
	// ResyncInterval is how often an account is verified and read again.
	ResyncInterval time.Duration
	// Scope says which AWSAccounts are this manager's.
	Scope accounts.Shard
	// Judged is called with the name of each AWSAccount that was verified or found
	// unusable. It must not block.
	Judged func(account string)
	// Contention knows the policies that something else changes again and again.
	Contention *contention.Tracker

	// pins are the policies that only unrecorded declarations keep.
	pins pins
	// restores are what a restore brought back.
	restores restores
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=awsaccounts,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=awsaccounts/status,verbs=patch

// Reconcile verifies an account and registers it, or removes it from the registry. An
// account that is being deleted keeps working while other objects need it.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	account := &v1alpha1.AWSAccount{}
	if err := r.Client.Get(ctx, req.NamespacedName, account); err != nil {
		if client.IgnoreNotFound(err) == nil {
			r.Accounts.Remove(ctx, req.Name)
		}
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !r.Scope.Selects(account) {
		r.handOver(ctx, account)
		return ctrl.Result{}, nil
	}
	deleting := !account.DeletionTimestamp.IsZero()
	var dependents []string
	if deleting {
		// Only then: an account is woken by every new policy, and may have thousands.
		var err error
		if dependents, err = r.dependents(ctx, account); err != nil {
			return ctrl.Result{}, err
		}
	}
	if deleting && len(dependents) == 0 && len(account.Status.Owed) == 0 {
		r.Accounts.Remove(ctx, account.Name)
		return reconcile.Finish(ctx, r.Client, r.Recorder, account, queue.PriorityGrant, 0, reconcile.RemoveFinalizer(ctx, r.Client, account))
	}
	if !deleting {
		if err := reconcile.EnsureFinalizer(ctx, r.Client, account); err != nil {
			return reconcile.Finish(ctx, r.Client, r.Recorder, account, queue.PriorityGrant, 0, err)
		}
	}
	return r.reconcileAccount(ctx, account, dependents)
}

// handOver leaves an account of this manager to the manager that selects it now. Writes
// in progress are refused from here on. Should the account come back, this manager does
// not rely on what it knew.
func (r *Reconciler) handOver(ctx context.Context, account *v1alpha1.AWSAccount) {
	if entry, ok := r.Accounts.Get(account.Spec.AccountID); ok && entry.Name == account.Name {
		log.FromContext(ctx).Info("Leaving the account to another manager", "account", entry.AccountID)
		r.Accounts.Remove(ctx, account.Name)
		r.Pool.Forget(entry.AccountID)
	}
}

func (r *Reconciler) reconcileAccount(ctx context.Context, account *v1alpha1.AWSAccount, dependents []string) (ctrl.Result, error) {
	before := account.DeepCopy()
	// A rival that a restore brings back may end what was verified already.
	rival, err := accounts.Older(ctx, r.Client, account)
	if err != nil {
		return ctrl.Result{}, err
	}
	if entry, ok := r.fresh(account); ok && rival == "" {
		showUsage(account, entry)
		_, err := reconcile.WriteStatus(ctx, r.Client, before, account)
		return reconcile.Finish(ctx, r.Client, r.Recorder, account, queue.PriorityGrant, entry.NextResync.Sub(r.Clock.Now()), err)
	}
	verdict, retry := r.verify(ctx, account)
	if !account.DeletionTimestamp.IsZero() {
		verdict = staying(account, verdict, dependents)
	}
	if verdict.Reason != v1alpha1.ReasonVerifying {
		r.Judged(account.Name) // A reader of the status must find the operator ready.
	}
	account.Status.ObservedGeneration = account.Generation
	transition := verdict.Apply(&account.Status.Conditions, account.Generation)
	var written bool
	written, err = reconcile.WriteStatus(ctx, r.Client, before, account)
	if err == nil && written && transition {
		reconcile.Announce(r.Recorder, account, verdict)
	}
	if err == nil {
		err = retry
	}
	return reconcile.Finish(ctx, r.Client, r.Recorder, account, queue.PriorityGrant, wait.Jitter(r.ResyncInterval, resyncJitter), err)
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
		(ready.Reason == v1alpha1.ReasonVerified || ready.Reason == v1alpha1.ReasonInUse)
}

// verify checks the account in the order in which trouble is likely. It registers the
// account when all is well, and removes it from the registry when this operator must not
// write to it. retry is an error to back off with.
func (r *Reconciler) verify(ctx context.Context, account *v1alpha1.AWSAccount) (v reconcile.Verdict, retry error) {
	ctx = cloud.WithPriority(ctx, cloud.Resync)
	other, err := accounts.Older(ctx, r.Client, account)
	if err != nil {
		return verifying(account), err
	}
	if other != "" {
		r.Accounts.Remove(ctx, account.Name)
		return conflict(account, other), nil
	}
	entry := accounts.Entry{
		Name: account.Name, Generation: account.Generation, ConfirmedRemoval: account.Annotations[v1alpha1.AnnotationConfirmRemoval],
		Mode: account.Spec.Mode, SessionTermination: account.Spec.SessionTermination,
		RecreatedPrincipals: account.Spec.RecreatedPrincipals, Cloud: r.Pool.Account(configOf(account)),
	}
	lived := livedBefore(account)
	if err := r.read(ctx, account, &entry); err != nil {
		return r.lost(ctx, account, err)
	}
	account.Status.UnreachableSince = nil
	r.restores.note(account, lived, len(entry.Cloud.Mirror().OurNames()), r.Clock.Now())
	entry.NeverListed = r.listSessions(ctx, account, entry.Cloud)
	entry.Since = r.Clock.Now()
	entry.NextResync = entry.Since.Add(r.ResyncInterval)
	r.Accounts.Put(ctx, entry)
	if err := r.removeOrphans(ctx, account, entry); err != nil {
		showUsage(account, entry)
		return refusal(account, err), reconcile.Retry(err)
	}
	dropOldVersions(ctx, entry)
	showUsage(account, entry)
	log.FromContext(ctx).V(1).Info("Verified the account", "account", entry.AccountID, "policies", entry.Cloud.Mirror().PolicyCount())
	return verified(account), nil
}

func configOf(account *v1alpha1.AWSAccount) cloud.Config {
	config := cloud.Config{AccountID: account.Spec.AccountID, Region: string(account.Spec.Regions[0])}
	if role := account.Spec.AssumeRole; role != nil {
		config.RoleARN, config.ExternalID = role.RoleARN, role.ExternalID
	}
	return config
}

// read asks AWS who we are, what the quotas are, and what IAM holds.
func (r *Reconciler) read(ctx context.Context, account *v1alpha1.AWSAccount, entry *accounts.Entry) error {
	identity, err := entry.Cloud.Identity(ctx)
	if err != nil {
		return fmt.Errorf("verify the identity in account %s: %w", account.Spec.AccountID, err)
	}
	if identity.AccountID != account.Spec.AccountID {
		return &cloud.WrongAccountError{Want: account.Spec.AccountID, Got: identity.AccountID}
	}
	account.Status.Identity = &v1alpha1.Identity{ARN: identity.ARN, Partition: identity.Partition}
	entry.AccountID, entry.Partition = identity.AccountID, identity.Partition
	if entry.Quotas, err = entry.Cloud.Quotas(ctx); err != nil {
		return fmt.Errorf("read the quotas of account %s: %w", account.Spec.AccountID, err)
	}
	if _, err := entry.Cloud.Mirror().Refresh(ctx); err != nil {
		return fmt.Errorf("read the IAM of account %s: %w", account.Spec.AccountID, err)
	}
	r.showContended(account)
	return nil
}

// lost judges why an account cannot be worked on. Where AWS merely does not
// answer, an account that was verified before stays registered.
func (r *Reconciler) lost(ctx context.Context, account *v1alpha1.AWSAccount, err error) (reconcile.Verdict, error) {
	log.FromContext(ctx).Info("The account cannot be verified", "account", account.Spec.AccountID, "error", err.Error())
	verdict := refusal(account, err)
	if account.Status.UnreachableSince == nil && verdict.Progress != reconcile.Working {
		now := metav1.NewTime(r.Clock.Now()).Rfc3339Copy()
		account.Status.UnreachableSince = &now
	}
	if verdict.Progress == reconcile.Stuck {
		r.Accounts.Remove(ctx, account.Name)
		return verdict, nil
	}
	return verdict, err
}
