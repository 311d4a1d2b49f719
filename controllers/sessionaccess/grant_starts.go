package sessionaccess

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// beginFirst gives the first record of an object its starts. Where IAM allows already
// what no other object has on record, the object was restored without its status, or
// another has been lost: since when that is allowed is not known. Nor is it while a restore
// may be under way: what IAM held of this object may have been removed again, because
// another object of the same principal was there first.
func (r *Reconciler) beginFirst(ctx context.Context, access *v1alpha1.SessionAccess, first *v1alpha1.AppliedAccess, begin grants.Beginning) error {
	doubted, err := r.doubtedParts(ctx, access, first.Granted, func(string) bool { return true })
	if err != nil || len(doubted) == 0 {
		return err
	}
	begin.Doubted = doubted
	first.Granted = grants.Begin(first.Granted, nil, begin)
	return nil
}

// judgeUngranted reports whether nothing is written now to the account of an access, so
// that what is recorded for it is not granted. Parts on record that are ungranted, and that
// IAM allows although no other object has them on record, are granted since a time that is
// not known: the record is that of a backup. So are all of a record that was written for
// another object.
func (r *Reconciler) judgeUngranted(ctx context.Context, access *v1alpha1.SessionAccess, wanted *v1alpha1.ResolvedGrant) (unwritten bool, err error) {
	record := access.Status.Applied
	if wanted == nil && record != nil {
		wanted = record.Granted
	}
	if wanted != nil {
		account, verified := r.Accounts.Get(wanted.AccountID)
		unwritten = !verified || account.Mode == v1alpha1.ModeObserve
	}
	if record == nil || record.Granted == nil || len(record.Granted.Ungranted) == 0 {
		return unwritten, nil
	}
	ungranted := map[string]bool{}
	for _, part := range record.Granted.Ungranted {
		ungranted[part] = true
	}
	doubted := ungranted
	if v1alpha1.IsOwnRecord(record.UID, access) {
		doubted, err = r.doubtedParts(ctx, access, record.Granted, func(part string) bool { return ungranted[part] })
	}
	record.Granted = grants.StartParts(record.Granted, doubted, time.Time{})
	return unwritten, err
}

// doubtedParts are the parts of a grant that may be in AWS since a time that is not known:
// IAM allows them already, or a restore may be under way. Those combinations are asked for
// whose principal or target counts.
func (r *Reconciler) doubtedParts(ctx context.Context, access *v1alpha1.SessionAccess, granted *v1alpha1.ResolvedGrant, counts func(part string) bool) (map[string]bool, error) {
	account, ok := r.Accounts.Get(granted.AccountID)
	if !ok {
		return nil, nil // What IAM holds is not known, and nothing is written.
	}
	explained := map[grants.PrincipalKey][]v1alpha1.ResolvedGrant{}
	documents := map[grants.PrincipalKey][]iam.PolicyView{}
	for _, p := range granted.Principals {
		key := grants.PrincipalKeyOf(granted.AccountID, p)
		documents[key] = policiesOf(account.IAM.Cache(), p)
		if len(documents[key]) == 0 {
			continue
		}
		var err error
		if explained[key], err = r.othersOf(ctx, access, key); err != nil {
			return nil, err
		}
	}
	return grants.DoubtedParts(granted, func(p v1alpha1.Principal, t *v1alpha1.ResolvedTarget, id string) bool {
		if !counts(grants.PrincipalPart(p)) && !counts(grants.TargetPart(t, id)) {
			return false
		}
		if account.Restored {
			return true
		}
		key := grants.PrincipalKeyOf(granted.AccountID, p)
		if admission.ActivationOf(t) != "" && holdsUnexplained(documents[key], explained[key]) {
			return true
		}
		return mayHold(documents[key], t.Tags, id) && !grants.AnyHasPart(explained[key], grants.TargetPart(t, id))
	}), nil
}

// beginReplaced gives a record its starts where the machines of an activation stay those
// of the object, and the activation has another UID: it was restored, or deleted and
// created again. Since when its machines were reached is not known then.
func (r *Reconciler) beginReplaced(ctx context.Context, access *v1alpha1.SessionAccess, record, next *v1alpha1.AppliedAccess, begin grants.Beginning) error {
	if record.Granted == nil || next.Granted == nil {
		return nil
	}
	current := admission.Activations(next.Granted)
	gone := slices.DeleteFunc(admission.Activations(record.Granted), func(uid string) bool { return slices.Contains(current, uid) })
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
		if t := &next.Granted.Targets[i]; admission.ActivationOf(t) != "" {
			doubted[grants.TargetPart(t, "")] = true
		}
	}
	begin.Doubted = doubted
	next.Granted = grants.Begin(next.Granted, record.Granted, begin)
	return nil
}

// holdsUnexplained reports whether policies hold the machines of an activation that no
// other grant to their principal names: its HybridActivation was restored since, and
// has another UID.
func holdsUnexplained(policies []iam.PolicyView, explained []v1alpha1.ResolvedGrant) bool {
	var named []string
	for i := range explained {
		named = append(named, admission.Activations(&explained[i])...)
	}
	return slices.ContainsFunc(policies, func(v iam.PolicyView) bool {
		return slices.ContainsFunc(policy.TagValues(v.Document, v1alpha1.TagActivation), func(uid string) bool {
			return !slices.Contains(named, uid)
		})
	})
}

// policiesOf lists the policies of a principal that this operator owns, or may own.
func policiesOf(cache *iam.Cache, p v1alpha1.Principal) []iam.PolicyView {
	names := cache.OwnedPolicies()
	if len(names) == 0 {
		return nil
	}
	parsed, ok := policy.ParseName(names[0])
	if !ok {
		return nil
	}
	views, _ := cache.PoliciesWithPrefix(policy.Prefix(parsed.Owner, policy.Principal{Kind: policy.Kind(p.Kind), Name: p.Name}))
	return slices.DeleteFunc(views, func(v iam.PolicyView) bool { return v.Presence == iam.Absent })
}

// mayHold reports whether policies may allow sessions on a node, or by tags. Of one whose
// content is not known, that is possible.
func mayHold(policies []iam.PolicyView, tags map[string]string, id string) bool {
	return slices.ContainsFunc(policies, func(v iam.PolicyView) bool {
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
