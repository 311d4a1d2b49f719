package sessionaccess

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
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

// A grant is for the principals that IAM had under the declared names when it was
// made. The record keeps their unique ids for as long as the spec names them, granted
// or refused, and until what they had is revoked: a principal that is removed from
// the spec and added again after that is a new one.

// carryIDs gives a judged grant the ids that the record has of its principals.
func carryIDs(grant *v1alpha1.ResolvedGrant, record *v1alpha1.AppliedAccess) *v1alpha1.ResolvedGrant {
	if grant == nil || record == nil {
		return grant
	}
	return withIDs(grant, func(p v1alpha1.Principal) string { return lastID(record, p) })
}

// lastID is the id that a record has of a principal, the last one of several.
func lastID(record *v1alpha1.AppliedAccess, p v1alpha1.Principal) string {
	if record.Granted != nil {
		if id := idIn(record.Granted, p); id != "" {
			return id
		}
	}
	for i := range slices.Backward(record.Revoking) {
		if id := idIn(&record.Revoking[i], p); id != "" {
			return id
		}
	}
	return idAmong(record.PrincipalIDs, p)
}

// remembering is a record with the ids of the principals of a spec that it does not
// grant now. from has them: the record itself, or the one before it.
func remembering(spec *v1alpha1.SessionAccessSpec, record, from *v1alpha1.AppliedAccess) *v1alpha1.AppliedAccess {
	var ids []v1alpha1.PrincipalID
	for _, p := range spec.Principals {
		if record.Granted != nil && slices.Contains(record.Granted.Principals, p) {
			continue
		}
		if id := lastID(from, p); id != "" {
			ids = append(ids, v1alpha1.PrincipalID{Kind: p.Kind, Name: p.Name, ID: id})
		}
	}
	if slices.Equal(ids, record.PrincipalIDs) {
		return record
	}
	next := record.DeepCopy()
	next.PrincipalIDs = ids
	return next
}

// identified gives a grant that is about to be recorded the ids of those of its
// principals that IAM is known to have and the grant has none of.
func (r *Reconciler) identified(grant *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	if grant == nil {
		return nil
	}
	account, ok := r.Accounts.Get(grant.AccountID)
	if !ok {
		return grant
	}
	return withIDs(grant, func(p v1alpha1.Principal) string {
		if id := idIn(grant, p); id != "" || p.Kind == v1alpha1.PrincipalPermissionSet {
			return id
		}
		return account.IAM.Cache().Principal(inIAM(p)).ID
	})
}

// seenIDs gives a record the ids of the principals that its policies were attached
// to, once each of them is known. The serial stays: what is granted is the same.
func seenIDs(record *v1alpha1.AppliedAccess, uid types.UID, look look) *v1alpha1.AppliedAccess {
	if record == nil || record.Granted == nil {
		return record
	}
	granted := withIDs(record.Granted, func(p v1alpha1.Principal) string {
		o, _ := look(grants.PrincipalKeyOf(record.Granted.AccountID, p))
		observed := o.Observed[uid]
		if observed.Included && !observed.Superseded && observed.State == v1alpha1.PrincipalGranted && observed.PrincipalID != "" {
			return observed.PrincipalID
		}
		return idIn(record.Granted, p)
	})
	if slices.Equal(granted.PrincipalIDs, record.Granted.PrincipalIDs) {
		return record
	}
	next := record.DeepCopy()
	next.Granted = granted
	return next
}

// withIDs is a copy of a grant with the ids that a function gives, in the order of
// the principals.
func withIDs(grant *v1alpha1.ResolvedGrant, of func(v1alpha1.Principal) string) *v1alpha1.ResolvedGrant {
	next := grant.DeepCopy()
	next.PrincipalIDs = nil
	for _, p := range grant.Principals {
		if id := of(p); id != "" {
			next.PrincipalIDs = append(next.PrincipalIDs, v1alpha1.PrincipalID{Kind: p.Kind, Name: p.Name, ID: id})
		}
	}
	return next
}

func idIn(grant *v1alpha1.ResolvedGrant, p v1alpha1.Principal) string {
	return idAmong(grant.PrincipalIDs, p)
}

func idAmong(ids []v1alpha1.PrincipalID, p v1alpha1.Principal) string {
	for _, id := range ids {
		if id.Kind == p.Kind && strings.EqualFold(id.Name, p.Name) {
			return id.ID
		}
	}
	return ""
}

func inIAM(p v1alpha1.Principal) iam.Principal {
	return iam.Principal{Kind: iam.PrincipalKind(p.Kind), Name: p.Name}
}

// announceDisappeared records an event for each principal of a grant that is kept
// out because the principal disappeared from IAM.
func (r *Reconciler) announceDisappeared(access *v1alpha1.SessionAccess, lost *v1alpha1.ResolvedGrant) {
	for _, p := range lost.Principals {
		o, _ := r.Outcomes.Get(grants.PrincipalKeyOf(lost.AccountID, p))
		switch observed := o.Observed[access.UID]; observed.Reason {
		case v1alpha1.ReasonPrincipalNotFound, v1alpha1.ReasonPrincipalRecreated:
			reconcile.RecordEvent(r.Recorder, access, reconcile.Result{
				Phase: reconcile.Stalled, Reason: v1alpha1.ReasonPrincipalDisappeared, Message: observed.Message,
			})
		}
	}
}

// asNamedNow adds to lost grants who their principals are now where these are not
// under their names any more: a renamed principal under its new name, which could
// open sessions until the policies were detached from it, and of a group that is
// gone the last known members.
func asNamedNow(account accounts.Entry, lost []v1alpha1.ResolvedGrant) []v1alpha1.ResolvedGrant {
	cache := account.IAM.Cache()
	out := slices.Clone(lost)
	for i := range out {
		var also []v1alpha1.Principal
		for _, p := range out[i].Principals {
			id := idIn(&out[i], p)
			if id == "" || cache.Principal(inIAM(p)).ID == id {
				continue
			}
			if name := cache.NameOf(iam.PrincipalKind(p.Kind), id); name != "" {
				also = append(also, v1alpha1.Principal{Kind: p.Kind, Name: name})
			}
			if p.Kind != v1alpha1.PrincipalGroup {
				continue
			}
			for _, member := range cache.FormerMembers(id) {
				also = append(also, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: member})
			}
		}
		out[i].Principals = slices.Concat(out[i].Principals, also)
	}
	return out
}
