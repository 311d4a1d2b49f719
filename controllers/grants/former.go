package grants

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

const (
	// MaxFormer is how many former grants a record holds, as the API does.
	MaxFormer = 64
	// mergeFrom is how many former grants there are before they are merged.
	mergeFrom = 8
	// maxInstanceIDs is how many ids one target holds, as the API does.
	maxInstanceIDs = 300
)

// A former grant decides two things: whose policies must be proven not to hold
// it, and which open sessions have lost their permission. For the latter, a
// session's owner, region and node are compared with its principals, regions and
// targets, and its owner, region and document with its principals, regions and
// documents. Its conditions and clients play no part.

// Retire adds a grant to the former ones, in a new list. A former grant that
// represents the new one already makes it unnecessary, so a sequence of narrowings takes
// the room of its first. When many have accumulated, Retire merges those that one grant
// represents exactly. The result covers every session and every principal that a grant of
// the input covers, and no other, unless there would be more than MaxFormer: then Retire
// merges the oldest too, and the result covers more. In doubt, sessions end.
func Retire(former []v1alpha1.ResolvedGrant, g *v1alpha1.ResolvedGrant) []v1alpha1.ResolvedGrant {
	if slices.ContainsFunc(former, func(f v1alpha1.ResolvedGrant) bool { return standsFor(&f, g) }) {
		return slices.Clone(former)
	}
	if i := slices.IndexFunc(former, func(f v1alpha1.ResolvedGrant) bool { return SameAccess(&f, g) }); i >= 0 {
		all := slices.Clone(former)
		all[i] = *Earlier(&all[i], g)
		return all
	}
	all := slices.DeleteFunc(slices.Clone(former), func(f v1alpha1.ResolvedGrant) bool { return standsFor(g, &f) })
	all = append(all, *g.DeepCopy())
	if len(all) >= mergeFrom {
		all = mergeFormer(all)
	}
	for i := 0; len(all) > MaxFormer && i < len(all)-1; {
		if all[i].AccountID != all[i+1].AccountID {
			i++
			continue
		}
		all[i] = mergeRoughly(&all[i], &all[i+1])
		all = slices.Delete(all, i+1, i+2)
	}
	return all
}

// standsFor reports whether a former grant covers all that another one covers.
// In doubt it says no.
func standsFor(f, g *v1alpha1.ResolvedGrant) bool {
	return equality.Semantic.DeepEqual(rest(f), rest(g)) &&
		admission.ExcludesAll(g.ExcludedTags, f.ExcludedTags) &&
		containsAll(f.PrincipalIDs, g.PrincipalIDs) &&
		beginsNoLater(f, g) &&
		!slices.ContainsFunc(g.Principals, func(p v1alpha1.Principal) bool { return !namesPrincipal(f, p) }) &&
		containsAll(f.Regions, g.Regions) &&
		containsAll(documentNames(f), documentNames(g)) &&
		!slices.ContainsFunc(g.Targets, func(t v1alpha1.ResolvedTarget) bool { return !within(t, f.Targets) })
}

// rest is what two former grants must have in common for one to represent the other: all
// fields that standsFor does not compare and that matter for a former grant. A field that
// is added to the record is compared here.
func rest(g *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	r := *g
	r.Principals, r.Targets, r.Documents, r.Regions = nil, nil, nil, nil
	r.DocumentBounds, r.Clients, r.SourceCIDRs, r.NotBefore, r.NotAfter = nil, nil, nil, nil, nil
	r.SessionScope, r.DataChannelScope, r.RequireMFA = "", "", false
	r.PrincipalIDs, r.ExcludedTags = nil, nil
	r.Since, r.Added, r.Inherited, r.Ungranted = nil, nil, nil, nil // None of them is ungranted.
	if r.OnRevoke == "" {
		r.OnRevoke = v1alpha1.RevokeTerminateSessions
	}
	return &r
}

func documentNames(g *v1alpha1.ResolvedGrant) []string {
	names := make([]string, len(g.Documents))
	for i, d := range g.Documents {
		names[i] = d.Name
	}
	return names
}

// within reports whether every node of a target is one of the others', whatever
// its tags become.
func within(t v1alpha1.ResolvedTarget, others []v1alpha1.ResolvedTarget) bool {
	var ids []v1alpha1.InstanceID
	for _, o := range others {
		if !impliesTags(t, o) || (o.HybridRegion != "" && o.HybridRegion != t.HybridRegion) {
			continue
		}
		if len(o.InstanceIDs) == 0 && len(o.Tags) > 0 {
			return true
		}
		ids = append(ids, o.InstanceIDs...)
	}
	return len(t.InstanceIDs) > 0 && containsAll(ids, t.InstanceIDs)
}

// impliesTags reports whether a node with the tags of t has those of o.
func impliesTags(t, o v1alpha1.ResolvedTarget) bool {
	for key, value := range o.Tags {
		if _, is, ok := admission.FindTag(t.Tags, key); !ok || is != value {
			return false
		}
	}
	return true
}

// mergeFormer merges grants as long as two of them can be merged exactly.
func mergeFormer(all []v1alpha1.ResolvedGrant) []v1alpha1.ResolvedGrant {
	for i := 0; i < len(all); i++ {
		for j := i + 1; j < len(all); j++ {
			if merged, ok := merge(&all[i], &all[j]); ok {
				all[i] = *merged
				all = slices.Delete(all, j, j+1)
				i = -1 // What was merged may be merged with an earlier one now.
				break
			}
		}
	}
	return all
}

// merge makes one grant of two that differ in one way only: in what they cover,
// for whom, or where. A grant of more than that would also cover the combinations
// that neither did, and end sessions that nothing of the operator allowed.
func merge(a, b *v1alpha1.ResolvedGrant) (*v1alpha1.ResolvedGrant, bool) {
	ids, agree := unionIDs(a, b)
	if !agree || !equality.Semantic.DeepEqual(rest(a), rest(b)) || !equality.Semantic.DeepEqual(a.ExcludedTags, b.ExcludedTags) {
		return nil, false
	}
	principals := sameSet(principalTexts(a), principalTexts(b))
	regions := sameSet(a.Regions, b.Regions)
	covered := sameSet(documentNames(a), documentNames(b)) && sameTargets(a.Targets, b.Targets)
	merged := a.DeepCopy()
	merged.DocumentBounds = nil
	switch {
	case principals && regions:
		merged.Targets = unionTargets(a.Targets, b.Targets)
		merged.Documents = union(a.Documents, b.Documents)
	case covered && regions:
		merged.Principals = unionPrincipals(a, b)
	case covered && principals:
		merged.Regions = union(a.Regions, b.Regions)
	default:
		return nil, false
	}
	merged.PrincipalIDs = ids
	beginWithEarlier(merged, a, b)
	return merged, true
}

// mergeRoughly makes one grant of any two in one account. It also covers the
// combinations that neither did. A field that it does not know is left out, which
// must mean that nothing is known.
func mergeRoughly(a, b *v1alpha1.ResolvedGrant) v1alpha1.ResolvedGrant {
	merged := v1alpha1.ResolvedGrant{
		AccountID:  a.AccountID,
		Principals: unionPrincipals(a, b),
		Targets:    unionTargets(a.Targets, b.Targets),
		Documents:  union(a.Documents, b.Documents),
		Regions:    union(a.Regions, b.Regions),
		OnRevoke:   v1alpha1.RevokeTerminateSessions,
	}
	if a.OnRevoke == b.OnRevoke {
		merged.OnRevoke = a.OnRevoke
	}
	merged.PrincipalIDs, _ = unionIDs(a, b) // Of two ids, the older one counts.
	beginWithEarlier(&merged, a, b)
	return merged
}

// unionIDs are the ids of the principals of both grants. They do not agree where
// a principal has two.
func unionIDs(a, b *v1alpha1.ResolvedGrant) (all []v1alpha1.PrincipalID, agree bool) {
	all, agree = slices.Clone(a.PrincipalIDs), true
	for _, id := range b.PrincipalIDs {
		i := slices.IndexFunc(all, func(x v1alpha1.PrincipalID) bool { return x.Kind == id.Kind && strings.EqualFold(x.Name, id.Name) })
		switch {
		case i < 0:
			all = append(all, id)
		case all[i].ID != id.ID:
			agree = false
		}
	}
	return all, agree
}

func unionPrincipals(a, b *v1alpha1.ResolvedGrant) []v1alpha1.Principal {
	return append(slices.Clone(a.Principals), slices.DeleteFunc(slices.Clone(b.Principals), func(p v1alpha1.Principal) bool { return namesPrincipal(a, p) })...)
}

func namesPrincipal(g *v1alpha1.ResolvedGrant, p v1alpha1.Principal) bool {
	return slices.ContainsFunc(g.Principals, func(q v1alpha1.Principal) bool { return q.Kind == p.Kind && strings.EqualFold(q.Name, p.Name) })
}

func principalTexts(g *v1alpha1.ResolvedGrant) []string {
	texts := make([]string, len(g.Principals))
	for i, p := range g.Principals {
		texts[i] = string(p.Kind) + "/" + strings.ToLower(p.Name)
	}
	return texts
}

func sameSet[T comparable](a, b []T) bool { return containsAll(a, b) && containsAll(b, a) }

func sameTargets(a, b []v1alpha1.ResolvedTarget) bool {
	return !slices.ContainsFunc(a, func(t v1alpha1.ResolvedTarget) bool { return !within(t, b) }) &&
		!slices.ContainsFunc(b, func(t v1alpha1.ResolvedTarget) bool { return !within(t, a) })
}

func union[T comparable](a, b []T) []T {
	return append(slices.Clone(a), slices.DeleteFunc(slices.Clone(b), func(x T) bool { return slices.Contains(a, x) })...)
}

// unionTargets are the targets of both lists. Ids under the same tags are put
// together.
func unionTargets(a, b []v1alpha1.ResolvedTarget) []v1alpha1.ResolvedTarget {
	all := make([]v1alpha1.ResolvedTarget, 0, len(a)+len(b))
	for i := range a {
		all = append(all, *a[i].DeepCopy())
	}
	for _, t := range b {
		if within(t, all) {
			continue
		}
		i := slices.IndexFunc(all, func(o v1alpha1.ResolvedTarget) bool { return takesIDs(o, t) })
		if i < 0 {
			all = append(all, *t.DeepCopy())
			continue
		}
		all[i].InstanceIDs = union(all[i].InstanceIDs, t.InstanceIDs)
	}
	return all
}

func takesIDs(o, t v1alpha1.ResolvedTarget) bool {
	return len(o.InstanceIDs) > 0 && len(t.InstanceIDs) > 0 && len(o.InstanceIDs)+len(t.InstanceIDs) <= maxInstanceIDs &&
		o.HybridRegion == t.HybridRegion && len(o.Tags) == len(t.Tags) && impliesTags(t, o)
}
