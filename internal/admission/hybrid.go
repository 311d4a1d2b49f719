package admission

import (
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// hybridNodePrefix begins the ids of nodes that are no EC2 instances.
const hybridNodePrefix = "mi-"

// HybridRegions are the regions in which a grant targets hybrid nodes, by id or
// by their activation. Nodes that are meant by tags may be of either sort.
func HybridRegions(g *v1alpha1.ResolvedGrant) []v1alpha1.Region {
	if g == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.Regions), func(region v1alpha1.Region) bool {
		return !slices.ContainsFunc(g.Targets, func(t v1alpha1.ResolvedTarget) bool { return hybridIn(t, region) })
	})
}

func hybridIn(t v1alpha1.ResolvedTarget, region v1alpha1.Region) bool {
	if t.HybridRegion != "" {
		return t.HybridRegion == region
	}
	return HybridIDs(t.InstanceIDs)
}

// HybridIDs reports whether one of the ids is that of a hybrid node.
func HybridIDs(ids []v1alpha1.InstanceID) bool {
	return slices.ContainsFunc(ids, func(id v1alpha1.InstanceID) bool { return strings.HasPrefix(string(id), hybridNodePrefix) })
}

// ActivationOf is the UID of the HybridActivation whose machines a target means; empty
// where it means others.
func ActivationOf(t *v1alpha1.ResolvedTarget) string { return t.Tags[v1alpha1.TagActivation] }

// Activations are the UIDs of the HybridActivations whose machines a grant reaches.
func Activations(g *v1alpha1.ResolvedGrant) []string {
	var uids []string
	for i := range g.Targets {
		if uid := ActivationOf(&g.Targets[i]); uid != "" {
			uids = append(uids, uid)
		}
	}
	return uids
}
