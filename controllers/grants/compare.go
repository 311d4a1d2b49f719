package grants

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Covers reports whether everything that old allows is allowed by wide as
// well, so that going from old to wide takes nothing away. In doubt it says no.
func Covers(wide, old *v1alpha1.ResolvedGrant) bool {
	if wide == nil {
		return false
	}
	return wide.AccountID == old.AccountID &&
		coversConditions(wide, old) &&
		admission.ExcludesAll(old.ExcludedTags, wide.ExcludedTags) &&
		containsAll(wide.Principals, old.Principals) &&
		containsAll(wide.Regions, old.Regions) &&
		coversDocuments(wide.Documents, old.Documents) &&
		containsAll(wide.Clients, old.Clients) &&
		coversTargets(wide.Targets, old.Targets)
}

// coversConditions reports whether the conditions of wide allow everything that those of
// old allow.
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

// coversDocuments reports whether each document of old is one of wide, with its key if it has
// one.
func coversDocuments(wide, old []v1alpha1.ResolvedDocument) bool {
	return !slices.ContainsFunc(old, func(d v1alpha1.ResolvedDocument) bool {
		return !slices.ContainsFunc(wide, func(w v1alpha1.ResolvedDocument) bool {
			return w.Name == d.Name && (d.KMSKeyARN == "" || w.KMSKeyARN == d.KMSKeyARN)
		})
	})
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
