package policy

import (
	"fmt"
	"slices"
	"strings"
)

// ExcludedTag is a tag that no node of a grant may carry, with any of the values.
// Keys match whatever their case, values exactly.
type ExcludedTag struct {
	Key    string
	Values []string
}

const opNotEquals = "StringNotEquals"

// exclusionTests hold for nodes that carry none of the tags. A negated operator
// holds where a node has no such tag, and where no listed value is the node's.
func exclusionTests(excluded []ExcludedTag) []test {
	var tests []test
	for _, e := range excluded {
		values := make([]string, len(e.Values))
		for i, v := range e.Values {
			values[i] = literal(v)
		}
		slices.Sort(values)
		tests = append(tests, test{opNotEquals, keyResourceTag + e.Key, slices.Compact(values)})
	}
	return tests
}

// excludes reports whether a node with the tags is excluded.
func excludes(excluded []ExcludedTag, tags map[string]string) bool {
	return slices.ContainsFunc(excluded, func(e ExcludedTag) bool {
		return slices.ContainsFunc(e.Values, func(v string) bool { return hasTag(tags, e.Key, v) })
	})
}

// excludesNoMore reports whether no node with the wanted tags is excluded that
// the others do not exclude too. A node with another value of a tag is not.
func excludesNoMore(excluded, others []ExcludedTag, wanted map[string]string) bool {
	return !slices.ContainsFunc(excluded, func(e ExcludedTag) bool {
		return slices.ContainsFunc(e.Values, func(v string) bool {
			return !excludes(others, map[string]string{e.Key: v}) && !hasOtherValue(wanted, e.Key, v)
		})
	})
}

// hasOtherValue reports whether tags hold the key with another value. It wants
// the very spelling: a node may have two tags whose keys differ in case alone.
func hasOtherValue(tags map[string]string, key, value string) bool {
	has, ok := tags[key]
	return ok && has != value
}

// checkExcluded refuses what IAM would read in another way than it is meant.
func checkExcluded(excluded []ExcludedTag) *InvalidError {
	seen := map[string]bool{}
	for i, e := range excluded {
		field := fmt.Sprintf("excluded[%d]", i)
		if len(e.Values) == 0 {
			return invalid(field, e.Key, "a tag is excluded with one value at least")
		}
		folded := strings.ToLower(e.Key)
		if seen[folded] {
			return invalid(field, e.Key, "to IAM it is the same key as another; join their values")
		}
		seen[folded] = true
		for _, v := range e.Values {
			if err := checkTags(field, map[string]string{e.Key: v}); err != nil {
				return err
			}
		}
	}
	return nil
}
