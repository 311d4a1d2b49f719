package sessionaccess

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// beginFirst gives the first record of an object its starts. Where IAM allows already
// what no other object has on record, the object was restored without its status, or
// another has been lost: since when that is allowed is not known. Nor is it while a restore
// may be under way: what IAM held of this object may have been removed again, because
// another object of the same principal was there first.
func (r *Reconciler) beginFirst(ctx context.Context, access *v1alpha1.SessionAccess, first *v1alpha1.AppliedAccess) error {
	account, ok := r.Accounts.Get(first.Granted.AccountID)
	if !ok {
		return nil // Nothing is recorded then.
	}
	var failure error
	explained := map[grants.PrincipalKey][]v1alpha1.ResolvedGrant{}
	documents := map[grants.PrincipalKey][]cloud.PolicyView{}
	for _, p := range first.Granted.Principals {
		key := grants.PrincipalKeyOf(first.Granted.AccountID, p)
		documents[key] = policiesOf(account.Cloud.Mirror(), p)
		if len(documents[key]) == 0 || failure != nil {
			continue
		}
		explained[key], failure = r.othersOf(ctx, access, key)
	}
	if failure != nil {
		return failure
	}
	doubted := grants.DoubtedParts(first.Granted, func(p v1alpha1.Principal, t *v1alpha1.ResolvedTarget, id string) bool {
		if account.Restored {
			return true
		}
		key := grants.PrincipalKeyOf(first.Granted.AccountID, p)
		if grants.ActivationOf(t) != "" && holdsUnexplained(documents[key], explained[key]) {
			return true
		}
		return mayHold(documents[key], t.Tags, id) && !grants.AnyHasPart(explained[key], grants.TargetPart(t, id))
	})
	if len(doubted) > 0 {
		first.Granted = grants.Begin(first.Granted, nil, r.Clock.Now(), func(part string) bool { return doubted[part] })
	}
	return nil
}

// beginReplaced gives a record its starts where the machines of an activation stay those
// of the object, and the activation has another UID: it was restored, or deleted and
// created again. Since when its machines were reached is not known then.
func (r *Reconciler) beginReplaced(ctx context.Context, access *v1alpha1.SessionAccess, record, next *v1alpha1.AppliedAccess) error {
	if record.Granted == nil || next.Granted == nil {
		return nil
	}
	current := grants.Activations(next.Granted)
	gone := slices.DeleteFunc(grants.Activations(record.Granted), func(uid string) bool { return slices.Contains(current, uid) })
	if len(gone) == 0 {
		return nil
	}
	var list v1alpha1.HybridActivationList
	if err := r.Client.List(ctx, &list, client.InNamespace(access.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the HybridActivations of namespace %s: %w", access.Namespace, err)
	}
	gone = slices.DeleteFunc(gone, func(uid string) bool {
		return slices.ContainsFunc(list.Items, func(a v1alpha1.HybridActivation) bool { return string(a.UID) == uid })
	})
	if len(gone) == 0 {
		return nil // They are there, and the object names others.
	}
	doubted := map[string]bool{}
	for i := range next.Granted.Targets {
		if t := &next.Granted.Targets[i]; grants.ActivationOf(t) != "" {
			doubted[grants.TargetPart(t, "")] = true
		}
	}
	next.Granted = grants.Begin(next.Granted, record.Granted, r.Clock.Now(), func(part string) bool { return doubted[part] })
	return nil
}

// holdsUnexplained reports whether policies hold the machines of an activation that no
// other grant to their principal names: its HybridActivation was restored since, and
// has another UID.
func holdsUnexplained(policies []cloud.PolicyView, explained []v1alpha1.ResolvedGrant) bool {
	var named []string
	for i := range explained {
		named = append(named, grants.Activations(&explained[i])...)
	}
	return slices.ContainsFunc(policies, func(v cloud.PolicyView) bool {
		return slices.ContainsFunc(policy.TagValues(v.Document, v1alpha1.TagActivation), func(uid string) bool {
			return !slices.Contains(named, uid)
		})
	})
}

// policiesOf lists the policies of a principal that this operator owns, or may own.
func policiesOf(mirror *cloud.Mirror, p v1alpha1.Principal) []cloud.PolicyView {
	names := mirror.OurNames()
	if len(names) == 0 {
		return nil
	}
	parsed, ok := policy.ParseName(names[0])
	if !ok {
		return nil
	}
	views, _ := mirror.PoliciesWithPrefix(policy.Prefix(parsed.Owner, policy.Principal{Kind: policy.Kind(p.Kind), Name: p.Name}))
	return slices.DeleteFunc(views, func(v cloud.PolicyView) bool { return v.Presence == cloud.Absent })
}

// mayHold reports whether policies may allow sessions on a node, or by tags. Of one whose
// content is not known, that is possible.
func mayHold(policies []cloud.PolicyView, tags map[string]string, id string) bool {
	return slices.ContainsFunc(policies, func(v cloud.PolicyView) bool {
		return v.Document == "" || policy.MayHold(v.Document, policy.Target{Tags: tags}, id)
	})
}

// othersOf lists the grants to a principal that other objects have on record, pending
// revocations of accounts included.
func (r *Reconciler) othersOf(ctx context.Context, access *v1alpha1.SessionAccess, key grants.PrincipalKey) ([]v1alpha1.ResolvedGrant, error) {
	records, err := r.recordsOfPrincipal(ctx, key)
	if err != nil {
		return nil, err
	}
	var all []v1alpha1.ResolvedGrant
	for _, other := range records {
		if other.UID == access.UID {
			continue
		}
		for _, g := range other.All() {
			if slices.Contains(grants.GrantKeys(&g), key) {
				all = append(all, g)
			}
		}
	}
	return all, nil
}
