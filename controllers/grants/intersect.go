package grants

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// What a record holds at most. An intersection that needs more is cut: that
// allows less, never more.
const (
	maxTargets = 20
	maxTags    = 100
	maxSources = 50
	maxBounds  = 50
)

// Intersect is what both grants allow. Nil when that is nothing. It never
// allows what one of the two forbids: a principal, node, document, region,
// client, time or address needs both, and multi-factor authentication is required
// where one of them requires it. Where the scopes of own sessions differ, it is
// OwnerTag, and sessions are ended at a revocation unless both leave them.
//
// Either may be nil, which allows nothing. An intersection that a record cannot hold is cut to what it can.
func Intersect(old, wanted *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	if old == nil || wanted == nil || old.AccountID != wanted.AccountID {
		return nil
	}
	both := wanted.DeepCopy()
	both.Principals = common(old.Principals, wanted.Principals)
	both.PrincipalIDs = slices.DeleteFunc(both.PrincipalIDs, func(id v1alpha1.PrincipalID) bool {
		return !slices.Contains(both.Principals, v1alpha1.Principal{Kind: id.Kind, Name: id.Name})
	})
	both.Regions = common(old.Regions, wanted.Regions)
	both.Documents = commonDocuments(old.Documents, wanted.Documents)
	both.Clients = common(old.Clients, wanted.Clients)
	both.Targets = slices.DeleteFunc(commonTargets(old.Targets, wanted.Targets), func(t v1alpha1.ResolvedTarget) bool {
		return t.HybridRegion != "" && !slices.Contains(both.Regions, t.HybridRegion)
	})
	if len(both.Principals) == 0 || len(both.Regions) == 0 || len(both.Documents) == 0 || len(both.Targets) == 0 {
		return nil
	}
	if !intersectConditions(old, wanted, both) {
		return nil
	}
	return both
}

// intersectConditions puts the stricter of each condition into both. It reports
// whether they can hold together.
func intersectConditions(old, wanted, both *v1alpha1.ResolvedGrant) bool {
	both.RequireMFA = old.RequireMFA || wanted.RequireMFA
	both.NotBefore = later(old.NotBefore, wanted.NotBefore)
	both.NotAfter = earlier(old.NotAfter, wanted.NotAfter)
	if both.NotBefore != nil && both.NotAfter != nil && !both.NotBefore.Before(both.NotAfter) {
		return false
	}
	var meet bool
	if both.SourceCIDRs, meet = commonSources(old.SourceCIDRs, wanted.SourceCIDRs); !meet {
		return false
	}
	if old.SessionScope == v1alpha1.ScopeOwnerTag {
		both.SessionScope = old.SessionScope
	}
	if old.DataChannelScope != v1alpha1.DataChannelAccount {
		both.DataChannelScope = old.DataChannelScope
	}
	if old.OnRevoke != v1alpha1.RevokeLeaveSessions {
		both.OnRevoke = old.OnRevoke
	}
	var fits bool
	if both.ExcludedTags, fits = admission.UniteExcluded(wanted.ExcludedTags, old.ExcludedTags); !fits {
		return false
	}
	both.DocumentBounds = eachBound(wanted.DocumentBounds, old.DocumentBounds)
	return true
}

func later(a, b *metav1.Time) *metav1.Time {
	if a == nil || b != nil && b.After(a.Time) {
		return b.DeepCopy()
	}
	return a.DeepCopy()
}

func earlier(a, b *metav1.Time) *metav1.Time {
	if a == nil || b != nil && b.Before(a) {
		return b.DeepCopy()
	}
	return a.DeepCopy()
}

// eachBound lists the bounds of both grants, those of the first before the rest.
func eachBound(first, second []v1alpha1.DocumentBound) []v1alpha1.DocumentBound {
	all := slices.Clone(first)
	for _, bound := range second {
		same := func(b v1alpha1.DocumentBound) bool {
			return b.Guardrail == bound.Guardrail && slices.Equal(b.Documents, bound.Documents)
		}
		if len(all) < maxBounds && !slices.ContainsFunc(all, same) {
			all = append(all, bound)
		}
	}
	return all
}

// commonSources lists the addresses of both lists. An empty list means
// all addresses. meet is false where there are none.
func commonSources(old, wanted []v1alpha1.CIDR) (both []v1alpha1.CIDR, meet bool) {
	switch {
	case len(old) == 0:
		return slices.Clone(wanted), true
	case len(wanted) == 0:
		return slices.Clone(old), true
	}
	both = inAny(wanted, old, nil)
	both = append(both, inAny(old, wanted, both)...)
	return both[:min(len(both), maxSources)], len(both) > 0
}

// inAny lists the ranges that lie in one of the others and in none of known.
func inAny(ranges, others, known []v1alpha1.CIDR) []v1alpha1.CIDR {
	within := func(narrow v1alpha1.CIDR, wide []v1alpha1.CIDR) bool {
		return slices.ContainsFunc(wide, func(w v1alpha1.CIDR) bool { return liesIn(narrow, w) })
	}
	return slices.DeleteFunc(slices.Clone(ranges), func(r v1alpha1.CIDR) bool { return !within(r, others) || within(r, known) })
}

// liesIn reports whether all addresses of a range are among another's. A text that is not
// a range lies only in itself.
func liesIn(narrow, wide v1alpha1.CIDR) bool {
	n, errN := netip.ParsePrefix(string(narrow))
	w, errW := netip.ParsePrefix(string(wide))
	if errN != nil || errW != nil {
		return narrow == wide
	}
	return n.Bits() >= w.Bits() && w.Contains(n.Addr())
}

func common[T comparable](old, wanted []T) []T {
	return slices.DeleteFunc(slices.Clone(wanted), func(x T) bool { return !slices.Contains(old, x) })
}

// commonDocuments lists the documents of both lists. One whose key differs is there without
// any: both allow sessions with it.
func commonDocuments(old, wanted []v1alpha1.ResolvedDocument) []v1alpha1.ResolvedDocument {
	both := common(old, wanted)
	for _, d := range wanted {
		same := func(o v1alpha1.ResolvedDocument) bool { return o.Name == d.Name }
		if slices.ContainsFunc(old, same) && !slices.ContainsFunc(both, same) {
			both = append(both, v1alpha1.ResolvedDocument{Name: d.Name})
		}
	}
	return both
}

// commonTargets lists the nodes that some target of both lists means: the wanted
// targets that an old one includes as they are, and of the others the common part.
func commonTargets(old, wanted []v1alpha1.ResolvedTarget) []v1alpha1.ResolvedTarget {
	in := func(targets []v1alpha1.ResolvedTarget, t v1alpha1.ResolvedTarget) bool {
		return slices.ContainsFunc(targets, func(wide v1alpha1.ResolvedTarget) bool { return includes(wide, t) })
	}
	both := slices.DeleteFunc(slices.Clone(wanted), func(w v1alpha1.ResolvedTarget) bool { return !in(old, w) })
	for _, w := range wanted {
		for _, o := range old {
			if t, ok := commonTarget(o, w); ok && !in(both, t) {
				both = append(both, t)
			}
		}
	}
	return both[:min(len(both), maxTargets)]
}

// commonTarget means the nodes that both targets mean.
func commonTarget(old, wanted v1alpha1.ResolvedTarget) (v1alpha1.ResolvedTarget, bool) {
	both := v1alpha1.ResolvedTarget{HybridRegion: cmp.Or(wanted.HybridRegion, old.HybridRegion)}
	if old.HybridRegion != wanted.HybridRegion && old.HybridRegion != "" && wanted.HybridRegion != "" {
		return both, false
	}
	switch {
	case len(old.InstanceIDs) == 0:
		both.InstanceIDs = slices.Clone(wanted.InstanceIDs)
	case len(wanted.InstanceIDs) == 0:
		both.InstanceIDs = slices.Clone(old.InstanceIDs)
	default:
		both.InstanceIDs = common(old.InstanceIDs, wanted.InstanceIDs)
		if len(both.InstanceIDs) == 0 {
			return both, false
		}
	}
	if both.HybridRegion != "" && len(both.InstanceIDs) > 0 {
		return both, false // Ids cannot be limited to a region.
	}
	var ok bool
	both.Tags, ok = eachTag(old.Tags, wanted.Tags)
	return both, ok
}

// eachTag unites tags that a node must carry, in the spelling of wanted. It
// reports whether a node can carry them and a record can hold them.
func eachTag(old, wanted map[string]string) (map[string]string, bool) {
	all := maps.Clone(wanted)
	for _, key := range slices.Sorted(maps.Keys(old)) {
		switch _, value, ok := admission.FindTag(all, key); {
		case ok && value != old[key]:
			return nil, false
		case !ok:
			if all == nil {
				all = map[string]string{}
			}
			all[key] = old[key]
		}
	}
	return all, len(all) <= maxTags
}

// includes reports whether every node of the narrow target is one of the wide.
func includes(wide, narrow v1alpha1.ResolvedTarget) bool {
	if wide.HybridRegion != "" && wide.HybridRegion != narrow.HybridRegion {
		return false
	}
	if len(wide.InstanceIDs) > 0 && (len(narrow.InstanceIDs) == 0 || !containsAll(wide.InstanceIDs, narrow.InstanceIDs)) {
		return false
	}
	for key, value := range wide.Tags {
		if _, has, ok := admission.FindTag(narrow.Tags, key); !ok || has != value {
			return false
		}
	}
	return true
}
