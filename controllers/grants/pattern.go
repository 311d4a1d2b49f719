package grants

import (
	"path"
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Matches matches a name against a pattern in which * stands for any
// characters. Names hold no slash, at which a * would end.
func Matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// MatchesAny reports whether one of the patterns matches.
func MatchesAny(patterns []v1alpha1.NamePattern, name string) bool {
	return slices.ContainsFunc(patterns, func(p v1alpha1.NamePattern) bool { return Matches(string(p), name) })
}
