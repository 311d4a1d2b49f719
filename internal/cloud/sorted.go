package cloud

import (
	"slices"
	"strings"
)

// sortedKeys is a set of lower-case names in order, for search by prefix.
type sortedKeys []string

func (s *sortedKeys) insert(key string) {
	if at, found := slices.BinarySearch(*s, key); !found {
		*s = slices.Insert(*s, at, key)
	}
}

func (s *sortedKeys) remove(key string) {
	if at, found := slices.BinarySearch(*s, key); found {
		*s = slices.Delete(*s, at, at+1)
	}
}

// withPrefix are the keys that begin with prefix. The slice is the set's own:
// it holds until the next insert or remove.
func (s sortedKeys) withPrefix(prefix string) []string {
	from, _ := slices.BinarySearch(s, prefix)
	to := from
	for to < len(s) && strings.HasPrefix(s[to], prefix) {
		to++
	}
	return s[from:to]
}
