package awsaccount

import (
	"errors"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
)

func verified(account *v1alpha1.AWSAccount) reconcile.Result {
	message := fmt.Sprintf("Account %s is verified and its IAM has been read.", account.Spec.AccountID)
	if account.Spec.Mode == v1alpha1.ModeObserve {
		message += " Mode Observe: nothing is written to it."
	}
	return reconcile.Readyf(v1alpha1.ReasonVerified, "%s", message)
}

func verifying(account *v1alpha1.AWSAccount) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonVerifying,
		"Account %s is being verified.", account.Spec.AccountID)
}

func conflict(account *v1alpha1.AWSAccount, other string) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonConflict,
		"AWSAccount %q declares account %s as well, and this one is not used: the other was in use first, or nothing shows which of them was, as after a restore. Delete one of the two.", other, account.Spec.AccountID)
}

// refusal is why an account cannot be worked on, and what to do.
func refusal(account *v1alpha1.AWSAccount, err error) reconcile.Result {
	if wrong, ok := errors.AsType[*awserr.WrongAccountError](err); ok {
		return reconcile.Stalledf(v1alpha1.ReasonWrongAccount,
			"The operator's credentials belong to account %s, not to %s; correct accountID in a new AWSAccount, or set assumeRole to a role of account %s. Nothing is written to either.", wrong.Got, wrong.Want, wrong.Want)
	}
	switch awserr.Classify(err) {
	case awserr.Refused:
		return reconcile.Stalledf(refusedReason(err), "%s", awserr.UserMessage(err)+roleOf(account, err))
	case awserr.Invalid, awserr.Missing, awserr.Conflict:
		return reconcile.Stalledf(v1alpha1.ReasonInvalid, "%s", awserr.UserMessage(err))
	case awserr.Throttled, awserr.Waiting, awserr.Canceled:
		return verifying(account)
	default:
		return reconcile.Result{Phase: reconcile.Retrying, Reason: v1alpha1.ReasonAWSUnavailable, Message: awserr.UserMessage(err)}
	}
}

// roleOf names the role that cannot be assumed.
func roleOf(account *v1alpha1.AWSAccount, err error) string {
	if role := account.Spec.AssumeRole; role != nil && refusedReason(err) == v1alpha1.ReasonCredentialsInvalid {
		return fmt.Sprintf(" The role to assume is %s.", role.RoleARN)
	}
	return ""
}

// refusedReason distinguishes missing permissions from unusable credentials: a refusal
// by STS concerns the credentials.
func refusedReason(err error) string {
	switch awserr.Action(err) {
	case "sts:AssumeRole", "sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity", "":
		return v1alpha1.ReasonCredentialsInvalid
	default:
		return v1alpha1.ReasonAccessDenied
	}
}

// showUsage puts the use of the policy quota into the status.
func showUsage(account *v1alpha1.AWSAccount, entry accounts.Entry) {
	cache := entry.IAM.Cache()
	account.Status.Policies = &v1alpha1.PolicyUsage{
		Used:  count(cache.PolicyCount()),
		Quota: count(entry.Quotas.Policies),
		Ours:  count(len(cache.OwnedPolicies())),
	}
	reconcile.SetConditionWhile(&account.Status.Conditions, account.Generation, v1alpha1.ConditionPolicyQuotaNearlyExhausted, v1alpha1.ReasonNearQuota,
		nearQuota(cache.PolicyCount(), entry.Quotas.Policies))
}

// quotaWarning is the share of the policy quota, in percent, from which an
// account says that it is nearly used up.
const quotaWarning = 80

// nearQuota is the sentence for an account that is near its policy quota. It
// names no counts, which would change with every policy; the status has them.
func nearQuota(used, quota int) string {
	if quota == 0 || used*100 < quota*quotaWarning {
		return ""
	}
	return fmt.Sprintf("%d %% or more of the account's %d customer managed policies are used; ask AWS for a higher quota, or remove policies that are not needed. Access is still revoked when the quota is reached.", quotaWarning, quota)
}

func count(n int) *int32 {
	c := int32(min(n, 1<<30))
	return &c
}
