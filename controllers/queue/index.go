package queue

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

const (
	// accountName is the AWSAccount that a spec names.
	accountName = "spec.accountRef.name"
	// accountID are the account ids that a record names.
	accountID = "status.applied.accountIDs"
	// principal are the principals that a record names, granted or being revoked.
	principal = "status.applied.principals"
	// reference are the objects of its namespace that a spec names.
	reference = "spec.references"
)

// Kinds that a SessionAccess may refer to.
const (
	KindSessionDocument  = "SessionDocument"
	KindHybridActivation = "HybridActivation"
)

// Register adds the indexes to a cache. It is called once, before it starts.
func Register(ctx context.Context, indexer client.FieldIndexer) error {
	for _, kind := range v1alpha1.AccountUsers() {
		if err := indexer.IndexField(ctx, kind, accountName, byAccountName); err != nil {
			return fmt.Errorf("index %ss by %s: %w", v1alpha1.KindOf(kind), accountName, err)
		}
	}
	for field, values := range map[string]client.IndexerFunc{
		accountID: byAccountID,
		principal: byPrincipal,
		reference: byReference,
	} {
		if err := indexer.IndexField(ctx, &v1alpha1.SessionAccess{}, field, values); err != nil {
			return fmt.Errorf("index SessionAccesses by %s: %w", field, err)
		}
	}
	return nil
}

// OfAccountName selects the objects that name an AWSAccount.
func OfAccountName(name string) client.ListOption {
	return client.MatchingFields{accountName: name}
}

// OfAccountID selects the objects whose records name an account id.
func OfAccountID(id string) client.ListOption {
	return client.MatchingFields{accountID: id}
}

// OfPrincipal selects the objects whose records name a principal.
func OfPrincipal(key grants.PrincipalKey) client.ListOption {
	return client.MatchingFields{principal: principalValue(key)}
}

// OfReference selects the objects whose specs name an object of a kind in their
// namespace.
func OfReference(kind string, obj client.Object) []client.ListOption {
	return []client.ListOption{client.InNamespace(obj.GetNamespace()), client.MatchingFields{reference: kind + "/" + obj.GetName()}}
}

func byReference(obj client.Object) []string {
	spec := &obj.(*v1alpha1.SessionAccess).Spec
	var values []string
	for _, d := range spec.Documents {
		if d.Ref != nil {
			values = append(values, KindSessionDocument+"/"+d.Ref.Name)
		}
	}
	for _, t := range spec.Targets {
		if t.ActivationRef != nil {
			values = append(values, KindHybridActivation+"/"+t.ActivationRef.Name)
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func byAccountID(obj client.Object) []string {
	var ids []string
	for _, key := range grants.PrincipalKeysOf(obj.(*v1alpha1.SessionAccess).Status.Applied) {
		ids = append(ids, key.AccountID)
	}
	return slices.Compact(ids) // The keys are sorted by account id first.
}

func byPrincipal(obj client.Object) []string {
	keys := grants.PrincipalKeysOf(obj.(*v1alpha1.SessionAccess).Status.Applied)
	values := make([]string, len(keys))
	for i, key := range keys {
		values[i] = principalValue(key)
	}
	return values
}

func principalValue(key grants.PrincipalKey) string { return key.AccountID + "/" + key.String() }
