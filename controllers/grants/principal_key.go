package grants

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// PrincipalKey names a principal of an account. IAM ignores case, so Name is in lower
// case here; how IAM spells it is the account's to know.
type PrincipalKey struct {
	AccountID string
	Kind      v1alpha1.PrincipalKind
	Name      string
}

// String is how messages name the principal, for example User/user01.
func (k PrincipalKey) String() string { return string(k.Kind) + "/" + k.Name }

// PrincipalKeyOf is the key of a principal, however it is spelt.
func PrincipalKeyOf(accountID string, p v1alpha1.Principal) PrincipalKey {
	return PrincipalKey{AccountID: accountID, Kind: p.Kind, Name: strings.ToLower(p.Name)}
}

// PrincipalKeysOf lists every principal that a record names, granted or being revoked,
// each once and in a stable order.
func PrincipalKeysOf(record *v1alpha1.AppliedAccess) []PrincipalKey {
	if record == nil {
		return nil
	}
	return keysOf(record.Granted, record.Revoking)
}

func keysOf(granted *v1alpha1.ResolvedGrant, former []v1alpha1.ResolvedGrant) []PrincipalKey {
	var keys []PrincipalKey
	if granted != nil {
		keys = GrantKeys(granted)
	}
	for i := range former {
		keys = append(keys, GrantKeys(&former[i])...)
	}
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// GrantKeys lists the principals of one grant.
func GrantKeys(grant *v1alpha1.ResolvedGrant) []PrincipalKey {
	keys := make([]PrincipalKey, 0, len(grant.Principals))
	for _, p := range grant.Principals {
		keys = append(keys, PrincipalKeyOf(grant.AccountID, p))
	}
	return keys
}

func compareKeys(a, b PrincipalKey) int {
	return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Name, b.Name))
}
