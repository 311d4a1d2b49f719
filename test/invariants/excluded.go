package invariants

import (
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// excludedMark begins the key of a tag in a resolved spec that a node must not
// carry. The tag's value is a part of the key, for a key may have several.
const excludedMark = "\x00"

// excludedTags are the tags that a guardrail excludes, as a resolved spec has them.
func excludedTags(e *v1alpha1.NodeExclusion) map[string]string {
	tags := map[string]string{}
	if e == nil {
		return tags
	}
	for _, t := range e.Tags {
		for _, value := range t.Values {
			tags[excludedMark+t.Key+"="+value] = value
		}
	}
	return tags
}

// carries reports whether a node has the tag that such an entry means.
func carries(n Node, entry, value string) bool {
	for k, v := range n.Tags {
		if v == value && strings.EqualFold(k+"="+v, entry) {
			return true
		}
	}
	return false
}

// excludes reports whether a target means nodes that a guardrail excludes.
func (f Facts) excludes(e *v1alpha1.NodeExclusion, namespace string, t v1alpha1.Target) bool {
	if e == nil {
		return false
	}
	tags := t.Tags
	for _, r := range f.rules(namespace) {
		tags = joined(tags, r.RequiredTags)
	}
	for key, value := range tags {
		if slices.ContainsFunc(e.Tags, func(x v1alpha1.ExcludedTag) bool {
			return strings.EqualFold(x.Key, key) && slices.Contains(x.Values, value)
		}) {
			return true
		}
	}
	return slices.ContainsFunc(e.InstanceIDs, func(id v1alpha1.InstanceID) bool {
		byTags := len(t.InstanceIDs) == 0 && (t.ActivationRef == nil || strings.HasPrefix(string(id), "mi-"))
		return byTags || slices.Contains(t.InstanceIDs, id)
	})
}
