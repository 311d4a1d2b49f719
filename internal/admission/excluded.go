package admission

import (
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// MaxExcluded bounds the values of excluded tags that a grant holds, over all keys.
const MaxExcluded = 50

// sameKey reports whether IAM takes two tag keys for one, ignoring case: beyond
// ASCII only the very key will do, as in FindTag.
func sameKey(a, b string) bool {
	return a == b || len(a) == len(b) && isASCII(a) && strings.EqualFold(a, b)
}

// UniteExcluded excludes what either list excludes, each key once, in a stable
// order. fits is false where a grant cannot hold that many.
func UniteExcluded(a, b []v1alpha1.ExcludedTag) (all []v1alpha1.ExcludedTag, fits bool) {
	n := 0
	for _, e := range slices.Concat(a, b) {
		at := slices.IndexFunc(all, func(has v1alpha1.ExcludedTag) bool { return sameKey(has.Key, e.Key) })
		if at < 0 {
			at = len(all)
			all = append(all, v1alpha1.ExcludedTag{Key: e.Key})
		}
		for _, v := range e.Values {
			if !slices.Contains(all[at].Values, v) {
				all[at].Values = append(all[at].Values, v)
				n++
			}
		}
	}
	for _, e := range all {
		slices.Sort(e.Values)
	}
	slices.SortFunc(all, func(x, y v1alpha1.ExcludedTag) int { return strings.Compare(x.Key, y.Key) })
	return all, n <= MaxExcluded
}

// ExcludesValue reports whether a tag is excluded.
func ExcludesValue(excluded []v1alpha1.ExcludedTag, key, value string) bool {
	return slices.ContainsFunc(excluded, func(e v1alpha1.ExcludedTag) bool {
		return sameKey(e.Key, key) && slices.Contains(e.Values, value)
	})
}

// ExcludesAll reports whether a list excludes everything that another does.
func ExcludesAll(excluded, wanted []v1alpha1.ExcludedTag) bool {
	return !slices.ContainsFunc(wanted, func(e v1alpha1.ExcludedTag) bool {
		return slices.ContainsFunc(e.Values, func(v string) bool { return !ExcludesValue(excluded, e.Key, v) })
	})
}
