package admission

import (
	"fmt"
	"maps"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// exclude takes the nodes that the guardrails exclude out of a grant. Tags become
// conditions, so they hold however a node is named. An id can only be kept out of
// a grant that names ids.
func (in SessionAccess) exclude(grant *v1alpha1.ResolvedGrant) *Denial {
	for _, rule := range in.Rules() {
		if rule.ExcludedNodes == nil {
			continue
		}
		for i := range grant.Targets {
			if violation := excludedFrom(&grant.Targets[i], rule.ExcludedNodes); violation != "" {
				return in.Violated(rule, violation, nothingGranted)
			}
		}
		var fits bool
		if grant.ExcludedTags, fits = UniteExcluded(grant.ExcludedTags, rule.ExcludedNodes.Tags); !fits {
			return in.Violated(rule, fmt.Sprintf("with the other rules that match it excludes more than %d values of tags, and a grant can hold no more; join some of them under one tag.", MaxExcluded), nothingGranted)
		}
	}
	return nil
}

// excludedFrom is the sentence for a target that means an excluded node.
func excludedFrom(target *v1alpha1.ResolvedTarget, excluded *v1alpha1.NodeExclusion) string {
	for _, key := range slices.Sorted(maps.Keys(target.Tags)) {
		if value := target.Tags[key]; ExcludesValue(excluded.Tags, key, value) {
			return fmt.Sprintf("it excludes nodes with tag %s=%s, which a target asks for; remove that target or change the rule.", key, value)
		}
	}
	for _, id := range excluded.InstanceIDs {
		switch {
		case slices.Contains(target.InstanceIDs, id):
			return fmt.Sprintf("it excludes node %s; remove that node from targets or change the rule.", id)
		case len(target.InstanceIDs) == 0 && (target.HybridRegion == "" || HybridIDs([]v1alpha1.InstanceID{id})):
			return fmt.Sprintf("it excludes node %s, which IAM cannot except from a grant by tags or of an activation; give the nodes by instanceIDs, or exclude that node by a tag in the rule.", id)
		}
	}
	return ""
}
