// Package grants compares resolved grants and puts them into the terms of the
// policy compiler. It is pure.
package grants

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Covers says whether everything that old allows is allowed by wide as
// well, so that going from old to wide takes nothing away. In doubt it says no.
func Covers(wide, old *v1alpha1.ResolvedGrant) bool {
	if wide == nil {
		return false
	}
	return wide.AccountID == old.AccountID &&
		coversConditions(wide, old) &&
		containsAll(wide.Principals, old.Principals) &&
		containsAll(wide.Regions, old.Regions) &&
		containsAll(wide.Documents, old.Documents) &&
		containsAll(wide.Clients, old.Clients) &&
		coversTargets(wide.Targets, old.Targets)
}

// coversConditions says whether the conditions of wide let through whatever
// those of old do.
func coversConditions(wide, old *v1alpha1.ResolvedGrant) bool {
	return wide.SessionScope == old.SessionScope &&
		(wide.DataChannelScope == old.DataChannelScope || wide.DataChannelScope == v1alpha1.DataChannelAccount) &&
		(!wide.RequireMFA || old.RequireMFA) &&
		(wide.NotBefore == nil || (old.NotBefore != nil && !wide.NotBefore.After(old.NotBefore.Time))) &&
		(wide.NotAfter == nil || (old.NotAfter != nil && !wide.NotAfter.Before(old.NotAfter))) &&
		(len(wide.SourceCIDRs) == 0 || (len(old.SourceCIDRs) > 0 && containsAll(wide.SourceCIDRs, old.SourceCIDRs)))
}

func containsAll[T comparable](all, some []T) bool {
	return !slices.ContainsFunc(some, func(x T) bool { return !slices.Contains(all, x) })
}

func coversTargets(wide, old []v1alpha1.ResolvedTarget) bool {
	ids := map[v1alpha1.InstanceID]bool{}
	for _, t := range wide {
		for _, id := range t.InstanceIDs {
			if len(t.Tags) == 0 {
				ids[id] = true
			}
		}
	}
	covered := func(t v1alpha1.ResolvedTarget) bool {
		if len(t.InstanceIDs) > 0 && len(t.Tags) == 0 {
			return !slices.ContainsFunc(t.InstanceIDs, func(id v1alpha1.InstanceID) bool { return !ids[id] })
		}
		return slices.ContainsFunc(wide, func(w v1alpha1.ResolvedTarget) bool { return equality.Semantic.DeepEqual(w, t) })
	}
	return !slices.ContainsFunc(old, func(t v1alpha1.ResolvedTarget) bool { return !covered(t) })
}

// Intersect is what old grants and wanted still asks for, under the conditions
// of wanted. Nil when nothing is left.
func Intersect(old, wanted *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	both := wanted.DeepCopy()
	both.Principals = common(old.Principals, wanted.Principals)
	both.PrincipalIDs = slices.DeleteFunc(both.PrincipalIDs, func(id v1alpha1.PrincipalID) bool {
		return !slices.Contains(both.Principals, v1alpha1.Principal{Kind: id.Kind, Name: id.Name})
	})
	both.Regions = common(old.Regions, wanted.Regions)
	both.Documents = common(old.Documents, wanted.Documents)
	both.Clients = common(old.Clients, wanted.Clients)
	both.Targets = slices.DeleteFunc(commonTargets(old.Targets, wanted.Targets), func(t v1alpha1.ResolvedTarget) bool {
		return t.HybridRegion != "" && !slices.Contains(both.Regions, t.HybridRegion)
	})
	if len(both.Principals) == 0 || len(both.Regions) == 0 || len(both.Documents) == 0 || len(both.Targets) == 0 {
		return nil
	}
	return both
}

func common[T comparable](old, wanted []T) []T {
	return slices.DeleteFunc(slices.Clone(wanted), func(x T) bool { return !slices.Contains(old, x) })
}

func commonTargets(old, wanted []v1alpha1.ResolvedTarget) []v1alpha1.ResolvedTarget {
	var both []v1alpha1.ResolvedTarget
	for _, w := range wanted {
		if t, ok := commonTarget(old, w); ok {
			both = append(both, t)
		}
	}
	return both
}

// commonTarget is the part of a wanted target that some old one held, under the
// very same tags.
func commonTarget(old []v1alpha1.ResolvedTarget, wanted v1alpha1.ResolvedTarget) (v1alpha1.ResolvedTarget, bool) {
	var ids []v1alpha1.InstanceID
	for _, o := range old {
		if !maps.Equal(o.Tags, wanted.Tags) || o.HybridRegion != wanted.HybridRegion {
			continue
		}
		if len(o.InstanceIDs) == 0 && len(wanted.InstanceIDs) == 0 {
			return wanted, true
		}
		ids = append(ids, common(o.InstanceIDs, wanted.InstanceIDs)...)
	}
	return v1alpha1.ResolvedTarget{InstanceIDs: ids, Tags: wanted.Tags}, len(ids) > 0
}
