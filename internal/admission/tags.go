package admission

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// FindTag finds a key as IAM does, ignoring case. AWS does not document which
// characters beyond ASCII IAM treats as the same letter, so there the key must match
// exactly.
func FindTag(tags map[string]string, key string) (spelling, value string, ok bool) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if k == key || (len(k) == len(key) && isASCII(k) && strings.EqualFold(k, key)) {
			return k, tags[k], true
		}
	}
	return "", "", false
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}
