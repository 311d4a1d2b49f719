package grants

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// PendingRevocations returns the pending revocations of an AWSAccount, in the order of its
// status. The status of each is a copy.
func PendingRevocations(account *v1alpha1.AWSAccount) []Revocation {
	all := make([]Revocation, len(account.Status.PendingRevocations))
	for i := range account.Status.PendingRevocations {
		item := &account.Status.PendingRevocations[i]
		all[i] = Revocation{
			Record: pendingRecord(account, item), Lost: item.Grants, Status: item.Revocation.DeepCopy(),
			AccountName: account.Name, WasGranted: true, CanBeTakenOver: true, EndsAtOnce: maxEndingPending,
		}
	}
	return all
}

// pendingRecord is the record of one item. It grants nothing, and all of it is revoked.
func pendingRecord(account *v1alpha1.AWSAccount, item *v1alpha1.PendingRevocation) Record {
	return Record{
		UID: types.UID(item.UID), Origin: types.NamespacedName{Namespace: item.Namespace, Name: item.Name}, Object: account,
		Serial: item.Serial, DeclaredAt: item.ForcedAt.Time, Deleting: true, Former: item.Grants,
	}
}

func pendingRecords(account *v1alpha1.AWSAccount) []Record {
	records := make([]Record, len(account.Status.PendingRevocations))
	for i := range account.Status.PendingRevocations {
		records[i] = pendingRecord(account, &account.Status.PendingRevocations[i])
	}
	return records
}

// IsPending reports whether an account has a pending revocation of the SessionAccess with
// this UID.
func IsPending(account *v1alpha1.AWSAccount, uid types.UID) bool {
	return slices.ContainsFunc(account.Status.PendingRevocations, func(item v1alpha1.PendingRevocation) bool { return item.UID == string(uid) })
}

// PendingInAccount lists the records of the pending revocations in an account id.
func PendingInAccount(ctx context.Context, c client.Reader, accountID string) ([]Record, error) {
	var accounts v1alpha1.AWSAccountList
	if err := c.List(ctx, &accounts, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the pending revocations of the AWSAccounts: %w", err)
	}
	var all []Record
	for i := range accounts.Items {
		if accounts.Items[i].Spec.AccountID == accountID {
			all = append(all, pendingRecords(&accounts.Items[i])...)
		}
	}
	return all, nil
}

// PendingOfPrincipal lists the records of the pending revocations that name a principal.
func PendingOfPrincipal(ctx context.Context, c client.Reader, key PrincipalKey) ([]Record, error) {
	all, err := PendingInAccount(ctx, c, key.AccountID)
	return slices.DeleteFunc(all, func(r Record) bool { return !slices.Contains(r.Keys(), key) }), err
}

// PendingPrincipals lists the principals that the pending revocations of an account name.
func PendingPrincipals(account *v1alpha1.AWSAccount) []PrincipalKey {
	var keys []PrincipalKey
	for _, r := range pendingRecords(account) {
		keys = append(keys, r.Keys()...)
	}
	return keys
}

// Waiting are records of pending revocations while these wait for a SessionAccess that may
// grant the same: what IAM holds of their grants stays, and nothing is added. Each grant is
// a record of its own.
func Waiting(pending []Record) []Record {
	var all []Record
	for i := range pending {
		for n := range pending[i].Former {
			r := pending[i]
			r.UID = types.UID(fmt.Sprintf("%s/%d", r.UID, n))
			r.Deleting, r.HeldOnly, r.Granted, r.Former = false, true, &pending[i].Former[n], nil
			all = append(all, r)
		}
	}
	return all
}
