package accounts

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Older names another AWSAccount that declares the same account id and keeps
// this one from being used: one that was in use before, or one where nothing
// shows whether it was. Empty when there is none.
func Older(ctx context.Context, c client.Reader, account *v1alpha1.AWSAccount) (string, error) {
	var all v1alpha1.AWSAccountList
	if err := c.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("list the AWSAccounts: %w", err)
	}
	for i := range all.Items {
		other := &all.Items[i]
		if other.Name != account.Name && other.Spec.AccountID == account.Spec.AccountID && excludes(other, account) {
			return other.Name, nil
		}
	}
	return "", nil
}

// Declaring finds the AWSAccount that declares an account id, of several the one
// that is used or, where none is, the oldest; nil when there is none.
func Declaring(ctx context.Context, c client.Reader, accountID string) (*v1alpha1.AWSAccount, error) {
	var all v1alpha1.AWSAccountList
	if err := c.List(ctx, &all); err != nil {
		return nil, fmt.Errorf("list the AWSAccounts: %w", err)
	}
	var first *v1alpha1.AWSAccount
	for i := range all.Items {
		a := &all.Items[i]
		if a.Spec.AccountID != accountID {
			continue
		}
		if first == nil || established(a) && !established(first) || established(a) == established(first) && Precedes(a, first) {
			first = a
		}
	}
	return first, nil
}

// Precedes orders objects by age, and by namespace and name among those of one second.
func Precedes(a, b client.Object) bool {
	if at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp(); !at.Equal(&bt) {
		return at.Before(&bt)
	}
	return client.ObjectKeyFromObject(a).String() < client.ObjectKeyFromObject(b).String()
}
