package sessionaccess

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// maxSummary bounds the short texts, in characters; the API allows 256 bytes.
const maxSummary = 60

// summarize makes the short texts for kubectl get.
func summarize(spec *v1alpha1.SessionAccessSpec, status *v1alpha1.SessionAccessStatus) *v1alpha1.AccessSummary {
	return &v1alpha1.AccessSummary{
		Principals: shorten(summarizePrincipals(spec.Principals)),
		Targets:    shorten(summarizeTargets(spec.Targets)),
		Policies:   summarizePolicies(status.Principals),
		Reachable:  summarizeReachable(status.Targets),
	}
}

func summarizePrincipals(principals []v1alpha1.Principal) string {
	if len(principals) == 0 {
		return ""
	}
	first := nameOf(principals[0])
	if len(principals) == 1 {
		return first
	}
	return fmt.Sprintf("%s +%d", first, len(principals)-1)
}

func nameOf(p v1alpha1.Principal) string { return string(p.Kind) + "/" + p.Name }

func summarizeTargets(targets []v1alpha1.Target) string {
	var ids []v1alpha1.InstanceID
	var parts []string
	for _, t := range targets {
		ids = append(ids, t.InstanceIDs...)
		if len(t.Tags) > 0 {
			parts = append(parts, joinTags(t.Tags))
		}
		if t.ActivationRef != nil {
			parts = append(parts, "HybridActivation/"+t.ActivationRef.Name)
		}
	}
	switch len(ids) {
	case 0:
	case 1:
		parts = append([]string{string(ids[0])}, parts...)
	default:
		parts = append([]string{fmt.Sprintf("%d instances", len(ids))}, parts...)
	}
	if len(parts) > 1 {
		return fmt.Sprintf("%s +%d", parts[0], len(parts)-1)
	}
	return strings.Join(parts, "")
}

func joinTags(tags map[string]string) string {
	parts := make([]string, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		parts = append(parts, key+"="+tags[key])
	}
	return strings.Join(parts, ",")
}

func summarizePolicies(principals []v1alpha1.PrincipalStatus) string {
	var names []string
	for _, p := range principals {
		for _, arn := range p.PolicyARNs {
			names = append(names, path.Base(arn))
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	default:
		return fmt.Sprintf("%d policies", len(names))
	}
}

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) <= maxSummary {
		return text
	}
	return string(runes[:maxSummary-1]) + "…"
}
