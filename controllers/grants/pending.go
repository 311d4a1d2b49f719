package grants

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// PendingRevocations puts the pending revocations of an account into the form of the objects that left them.
// They are named after the AWSAccount and have no namespace: it is the object to
// wake for them. Their records must not be changed.
func PendingRevocations(account *v1alpha1.AWSAccount) []v1alpha1.SessionAccess {
	accesses := make([]v1alpha1.SessionAccess, len(account.Status.Owed))
	for i := range account.Status.Owed {
		accesses[i] = PendingRevocation(account, &account.Status.Owed[i])
	}
	return accesses
}

// PendingRevocation is the form of one item.
func PendingRevocation(account *v1alpha1.AWSAccount, item *v1alpha1.OwedAccess) v1alpha1.SessionAccess {
	return v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{
			Name: account.Name, UID: types.UID(item.UID),
			CreationTimestamp: item.AbandonedAt, DeletionTimestamp: &item.AbandonedAt,
		},
		Spec: v1alpha1.SessionAccessSpec{AccountRef: v1alpha1.AccountReference{Name: account.Name}},
		Status: v1alpha1.SessionAccessStatus{
			Applied:    &v1alpha1.AppliedAccess{Serial: item.Serial, Revoking: item.Grants},
			Revocation: item.Revocation.DeepCopy(),
		},
	}
}

// OriginOf is the namespace of the object that left a pending revocation with an
// account; "" where the account has none of it.
func OriginOf(account *v1alpha1.AWSAccount, pending *v1alpha1.SessionAccess) string {
	for i := range account.Status.Owed {
		if account.Status.Owed[i].UID == string(pending.UID) {
			return account.Status.Owed[i].Namespace
		}
	}
	return ""
}

// Waiting puts pending revocations that wait into the form of restored objects: they
// add nothing, and what IAM holds of them stays.
func Waiting(pending []v1alpha1.SessionAccess) []v1alpha1.SessionAccess {
	var all []v1alpha1.SessionAccess
	for i := range pending {
		for n := range pending[i].Status.Applied.Revoking {
			access := pending[i]
			access.UID = types.UID(fmt.Sprintf("%s/%d", access.UID, n))
			access.DeletionTimestamp = nil
			access.Status.Applied = &v1alpha1.AppliedAccess{
				Serial: pending[i].Status.Applied.Serial, UID: string(pending[i].UID), Granted: &pending[i].Status.Applied.Revoking[n],
			}
			all = append(all, access)
		}
	}
	return all
}

// PendingRevocationOf records what an object leaves. That its sessions end counts as soon as it is
// declared; the spec goes with the object.
func PendingRevocationOf(access *v1alpha1.SessionAccess, grants []v1alpha1.ResolvedGrant, now metav1.Time) v1alpha1.OwedAccess {
	item := v1alpha1.OwedAccess{
		UID: string(access.UID), Namespace: access.Namespace, Name: access.Name, AbandonedAt: now,
		Grants: grants, Revocation: access.Status.Revocation.DeepCopy(),
	}
	if access.Status.Applied != nil {
		item.Serial = access.Status.Applied.Serial
	}
	if access.Spec.OnRevoke == v1alpha1.RevokeTerminateSessions {
		item.Grants = slices.Clone(grants)
		for i := range item.Grants {
			item.Grants[i].OnRevoke = v1alpha1.RevokeTerminateSessions
		}
	}
	return item
}

// IsPending reports whether an account has a pending revocation of an object.
func IsPending(account *v1alpha1.AWSAccount, access *v1alpha1.SessionAccess) bool {
	return slices.ContainsFunc(account.Status.Owed, func(item v1alpha1.OwedAccess) bool { return item.UID == string(access.UID) })
}

// PendingRevocationsOfAccount lists the pending revocations in an account id.
func PendingRevocationsOfAccount(ctx context.Context, c client.Reader, accountID string) ([]v1alpha1.SessionAccess, error) {
	var accounts v1alpha1.AWSAccountList
	if err := c.List(ctx, &accounts, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list what the AWSAccounts owe: %w", err)
	}
	var all []v1alpha1.SessionAccess
	for i := range accounts.Items {
		if accounts.Items[i].Spec.AccountID == accountID {
			all = append(all, PendingRevocations(&accounts.Items[i])...)
		}
	}
	return all, nil
}

// PendingRevocationsOfPrincipal lists the pending revocations of a principal.
func PendingRevocationsOfPrincipal(ctx context.Context, c client.Reader, key PrincipalKey) ([]v1alpha1.SessionAccess, error) {
	all, err := PendingRevocationsOfAccount(ctx, c, key.AccountID)
	return slices.DeleteFunc(all, func(a v1alpha1.SessionAccess) bool {
		return !slices.Contains(PrincipalKeysOf(a.Status.Applied), key)
	}), err
}

// PendingPrincipals lists the principals that the pending revocations of an account name.
func PendingPrincipals(account *v1alpha1.AWSAccount) []PrincipalKey {
	var keys []PrincipalKey
	for _, a := range PendingRevocations(account) {
		keys = append(keys, PrincipalKeysOf(a.Status.Applied)...)
	}
	return keys
}
