package reconcile

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
)

// VerifiedAccount is the account that an AWSAccount declares. notReady is the result while
// that was not verified in this process.
func (o Options) VerifiedAccount(account *v1alpha1.AWSAccount) (entry accounts.Entry, notReady *Result) {
	entry, ok := o.Accounts.Get(account.Spec.AccountID)
	if !ok || entry.Name != account.Name {
		return accounts.Entry{}, new(AccountNotReady(account.Name))
	}
	return entry, nil
}

// AccountNotReady is the result for an object whose account is not verified.
func AccountNotReady(account string) Result {
	return Reconcilingf(v1alpha1.ReasonAccountNotReady,
		"AWSAccount %q is not ready, so nothing is written to AWS; its own condition Ready says why.", account)
}
