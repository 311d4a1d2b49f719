package admission

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Matches matches a name against a pattern in which * stands for any
// characters. Names hold no slash, at which a * would end.
func Matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// matchesText matches a text against a pattern in which * stands for any characters,
// slashes too.
func matchesText(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$").MatchString(text)
}

// MatchesAny reports whether one of the patterns matches.
func MatchesAny(patterns []v1alpha1.NamePattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p v1alpha1.NamePattern) bool { return Matches(string(p), name) })
}
