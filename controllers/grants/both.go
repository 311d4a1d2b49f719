package grants

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Both is what two grants both allow, with the conditions of each: it allows
// nothing that one of them does not. In doubt it allows less. Nil when nothing is
// left. The document bounds are those of wanted.
func Both(old, wanted *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	if old == nil || wanted == nil || old.AccountID != wanted.AccountID {
		return nil
	}
	both := wanted.DeepCopy()
	both.Principals = slices.DeleteFunc(both.Principals, func(p v1alpha1.Principal) bool { return !namesPrincipal(old, p) })
	both.Regions = common(old.Regions, wanted.Regions)
	both.Documents = common(old.Documents, wanted.Documents)
	both.Clients = common(old.Clients, wanted.Clients)
	both.Targets = meetTargets(old.Targets, wanted.Targets, both.Regions)
	if len(both.Principals) == 0 || len(both.Regions) == 0 || len(both.Documents) == 0 || len(both.Targets) == 0 ||
		!meetConditions(both, old) {
		return nil
	}
	return both
}

// meetConditions adds the conditions of another grant to those of both. It
// reports whether they can hold together.
func meetConditions(both, old *v1alpha1.ResolvedGrant) bool {
	both.RequireMFA = both.RequireMFA || old.RequireMFA
	both.NotBefore = laterOf(both.NotBefore, old.NotBefore)
	both.NotAfter = earlierOf(both.NotAfter, old.NotAfter)
	if old.SessionScope == v1alpha1.ScopeOwnerTag {
		both.SessionScope = v1alpha1.ScopeOwnerTag
	}
	if old.DataChannelScope != v1alpha1.DataChannelAccount {
		both.DataChannelScope = old.DataChannelScope
	}
	if old.OnRevoke != v1alpha1.RevokeLeaveSessions {
		both.OnRevoke = old.OnRevoke
	}
	ranges, ok := meetRanges(both.SourceCIDRs, old.SourceCIDRs)
	both.SourceCIDRs = ranges
	return ok && (both.NotBefore == nil || both.NotAfter == nil || both.NotBefore.Before(both.NotAfter))
}

func namesPrincipal(g *v1alpha1.ResolvedGrant, p v1alpha1.Principal) bool {
	return slices.ContainsFunc(g.Principals, func(q v1alpha1.Principal) bool { return q.Kind == p.Kind && strings.EqualFold(q.Name, p.Name) })
}

func laterOf(a, b *metav1.Time) *metav1.Time {
	if a == nil || (b != nil && a.Before(b)) {
		return b.DeepCopy()
	}
	return a
}

func earlierOf(a, b *metav1.Time) *metav1.Time {
	if a == nil || (b != nil && b.Before(a)) {
		return b.DeepCopy()
	}
	return a
}

// meetRanges are the addresses of both lists. An empty list means all addresses.
// It reports whether there are any.
func meetRanges(a, b []v1alpha1.CIDR) ([]v1alpha1.CIDR, bool) {
	if len(a) == 0 {
		return slices.Clone(b), true
	}
	if len(b) == 0 {
		return a, true
	}
	var both []v1alpha1.CIDR
	for _, x := range a {
		for _, y := range b {
			if narrower, ok := meetRange(x, y); ok && !slices.Contains(both, narrower) {
				both = append(both, narrower)
			}
		}
	}
	return both, len(both) > 0
}

// meetRange is the narrower of two ranges, where one holds the other.
func meetRange(x, y v1alpha1.CIDR) (v1alpha1.CIDR, bool) {
	if x == y {
		return x, true
	}
	a, errA := netip.ParsePrefix(string(x))
	b, errB := netip.ParsePrefix(string(y))
	if errA != nil || errB != nil || !a.Overlaps(b) {
		return "", false
	}
	if a.Bits() >= b.Bits() {
		return x, true
	}
	return y, true
}

// maxMet bounds the targets of a meeting: as many as a spec holds.
const maxMet = 20

// meetTargets are the nodes that a target of each list means. A guardrail that
// asks for a further tag narrows a target and does not end it.
func meetTargets(old, wanted []v1alpha1.ResolvedTarget, regions []v1alpha1.Region) []v1alpha1.ResolvedTarget {
	var both []v1alpha1.ResolvedTarget
	for _, w := range wanted {
		for _, o := range old {
			t, ok := meetTarget(o, w)
			if !ok || (t.HybridRegion != "" && !slices.Contains(regions, t.HybridRegion)) || within(t, both) {
				continue
			}
			both = slices.DeleteFunc(both, func(b v1alpha1.ResolvedTarget) bool { return within(b, []v1alpha1.ResolvedTarget{t}) })
			if both = append(both, t); len(both) == maxMet {
				return both
			}
		}
	}
	return both
}

func meetTarget(a, b v1alpha1.ResolvedTarget) (v1alpha1.ResolvedTarget, bool) {
	if a.HybridRegion != "" && b.HybridRegion != "" && a.HybridRegion != b.HybridRegion {
		return v1alpha1.ResolvedTarget{}, false
	}
	t := v1alpha1.ResolvedTarget{HybridRegion: cmp.Or(a.HybridRegion, b.HybridRegion), Tags: maps.Clone(b.Tags)}
	for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
		_, value, ok := FindTag(t.Tags, key)
		if ok && value != a.Tags[key] {
			return t, false
		}
		if !ok {
			if t.Tags == nil {
				t.Tags = map[string]string{}
			}
			t.Tags[key] = a.Tags[key]
		}
	}
	switch {
	case len(a.InstanceIDs) == 0:
		t.InstanceIDs = slices.Clone(b.InstanceIDs)
	case len(b.InstanceIDs) == 0:
		t.InstanceIDs = slices.Clone(a.InstanceIDs)
	default:
		t.InstanceIDs = common(a.InstanceIDs, b.InstanceIDs)
		if len(t.InstanceIDs) == 0 {
			return t, false
		}
	}
	return t, true
}
