package awsaccount

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// verify checks the account in the order in which trouble is likely. It registers the
// account when all is well, and removes it from the registry when this operator must not
// write to it. retry is an error to back off with.
func (r *Reconciler) verify(ctx context.Context, account *v1alpha1.AWSAccount) (_ reconcile.Result, retry error) {
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
	entry.Restored = accounts.Restored(account)
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
func (r *Reconciler) lost(ctx context.Context, account *v1alpha1.AWSAccount, err error) (reconcile.Result, error) {
	log.FromContext(ctx).Info("The account cannot be verified", "account", account.Spec.AccountID, "error", err.Error())
	result := refusal(account, err)
	if account.Status.UnreachableSince == nil && result.Phase != reconcile.Reconciling {
		now := metav1.NewTime(r.Clock.Now()).Rfc3339Copy()
		account.Status.UnreachableSince = &now
	}
	if result.Phase == reconcile.Stalled {
		r.Accounts.Remove(ctx, account.Name)
		return result, nil
	}
	return result, err
}
