package accounts

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

// Shard says what one manager works on. The zero value is everything.
type Shard struct {
	// Selector of the labels of AWSAccounts; nil selects every one.
	Selector labels.Selector
}

// everything reports whether there is nothing to divide.
func (s Shard) everything() bool { return s.Selector == nil || s.Selector.Empty() }

// Selects reports whether an AWSAccount is this manager's.
func (s Shard) Selects(account *v1alpha1.AWSAccount) bool {
	return s.everything() || s.Selector.Matches(labels.Set(account.Labels))
}

// Covers reports whether this manager reconciles an object. The object's AWSAccount
// decides. Where that is gone, an AWSAccount decides that declares an account in which
// the object's record has access. An object without any known AWSAccount belongs to
// every manager: each reports the same for it, and none can write to AWS for it.
func (s Shard) Covers(ctx context.Context, c client.Reader, name string, recorded []string) (bool, error) {
	if s.everything() {
		return true, nil
	}
	var all v1alpha1.AWSAccountList
	if err := c.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return false, fmt.Errorf("list the AWSAccounts: %w", err)
	}
	known, covered := false, false
	for i := range all.Items {
		account := &all.Items[i]
		if account.Name == name {
			return s.Selects(account), nil
		}
		if slices.Contains(recorded, account.Spec.AccountID) {
			known, covered = true, covered || s.Selects(account)
		}
	}
	return covered || !known, nil
}

// Responsible reports whether this manager reconciles an object: see Covers. It does not
// touch the others: they get no finalizer and no status.
func (s Shard) Responsible(ctx context.Context, c client.Reader, obj client.Object) (bool, error) {
	switch obj := obj.(type) {
	case *v1alpha1.AWSAccount:
		return s.Selects(obj), nil
	case v1alpha1.AccountUser:
		return s.Covers(ctx, c, obj.AccountName(), recorded(obj))
	default:
		return true, nil
	}
}

// recorded are the account ids in which an object has access.
func recorded(obj client.Object) []string {
	access, ok := obj.(*v1alpha1.SessionAccess)
	if !ok {
		return nil
	}
	var ids []string
	for _, key := range grants.PrincipalKeysOf(access.Status.Applied) {
		ids = append(ids, key.AccountID)
	}
	return ids
}
