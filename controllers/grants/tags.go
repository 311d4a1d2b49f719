package grants

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// FindTag finds a key as IAM does, ignoring case. Beyond ASCII nobody says what
// IAM takes for the same letter, so there only the very key will do.
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
