package awsaccount

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

// verify checks the account in the order in which trouble is likely. It registers the
// account when all is well, and removes it from the registry when this operator must not
// write to it. retry is an error to back off with.
func (r *Reconciler) verify(ctx context.Context, account *v1alpha1.AWSAccount) (_ reconcile.Result, retry error) {
	ctx = awsclient.WithPriority(ctx, awsclient.Resync)
	begun := r.Clock.Now()
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
		RecreatedPrincipals: account.Spec.RecreatedPrincipals, IAM: r.Pool.Account(configOf(account)),
	}
	lived := livedBefore(account)
	unread, err := r.read(ctx, account, &entry)
	if err != nil {
		return r.lost(ctx, account, err)
	}
	account.Status.UnreachableSince = nil
	r.restores.note(account, lived, len(entry.IAM.Cache().OwnedPolicies()), r.Clock.Now())
	entry.Restored = accounts.Restored(account)
	entry.NeverListed = r.listSessions(ctx, account, entry.AWS())
	entry.Since = r.Clock.Now()
	entry.NextResync = r.nextResync(begun, r.ResyncInterval)
	r.Accounts.Put(ctx, entry)
	if err := r.removeOrphans(ctx, account, entry); err != nil {
		showUsage(account, entry)
		return refusal(account, err), reconcile.Retry(err)
	}
	dropOldVersions(ctx, entry)
	r.showApprovals(ctx, account, entry)
	showUsage(account, entry)
	if unread != nil {
		return refusal(account, unread), nil
	}
	log.FromContext(ctx).V(1).Info("Verified the account", "account", entry.AccountID, "policies", entry.IAM.Cache().PolicyCount())
	return verified(account), nil
}

func configOf(account *v1alpha1.AWSAccount) awsclient.Config {
	config := awsclient.Config{AccountID: account.Spec.AccountID, Region: string(account.Spec.Regions[0])}
	if role := account.Spec.AssumeRole; role != nil {
		config.RoleARN, config.ExternalID = role.RoleARN, role.ExternalID
	}
	return config
}

// read asks AWS who we are, what the quotas are, and what IAM holds. unread is why the
// quotas could not be read, which keeps nothing from being revoked: those read last count,
// or the defaults of AWS.
func (r *Reconciler) read(ctx context.Context, account *v1alpha1.AWSAccount, entry *accounts.Entry) (unread, err error) {
	identity, err := entry.AWS().Identity(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify the identity in account %s: %w", account.Spec.AccountID, err)
	}
	if identity.AccountID != account.Spec.AccountID {
		return nil, &awserr.WrongAccountError{Want: account.Spec.AccountID, Got: identity.AccountID}
	}
	account.Status.Identity = &v1alpha1.Identity{ARN: identity.ARN, Partition: identity.Partition}
	entry.AccountID, entry.Partition = identity.AccountID, identity.Partition
	if entry.Quotas, err = entry.IAM.Quotas(ctx); err != nil {
		unread = fmt.Errorf("read the quotas of account %s: %w", account.Spec.AccountID, err)
		if awserr.Classify(err) != awserr.Refused {
			return nil, unread
		}
		entry.Quotas = entry.IAM.KnownQuotas()
	}
	if _, err := entry.IAM.Cache().Refresh(ctx); err != nil {
		return nil, fmt.Errorf("read the IAM of account %s: %w", account.Spec.AccountID, err)
	}
	r.showContended(account)
	return unread, nil
}

// lost judges why an account cannot be worked on. Where AWS merely does not
// answer, or refuses to let IAM be read, an account that was verified before stays
// registered: what was read last is enough to revoke access.
func (r *Reconciler) lost(ctx context.Context, account *v1alpha1.AWSAccount, err error) (reconcile.Result, error) {
	log.FromContext(ctx).Info("The account cannot be verified", "account", account.Spec.AccountID, "error", err.Error())
	result := refusal(account, err)
	if account.Status.UnreachableSince == nil && result.Phase != reconcile.Reconciling {
		now := metav1.NewTime(r.Clock.Now()).Rfc3339Copy()
		account.Status.UnreachableSince = &now
	}
	if result.Phase != reconcile.Stalled {
		return result, err
	}
	if result.Reason != v1alpha1.ReasonAccessDenied {
		r.Accounts.Remove(ctx, account.Name)
	}
	return result, nil
}
