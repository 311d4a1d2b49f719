package sessionaccess

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
)

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
