package authz

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pattern compiles a pattern without variables.
func pattern(t interface{ Fatalf(string, ...any) }, s string) glob {
	parsed, err := parseTemplate(s, dialect{wildcards: true})
	if err != nil {
		t.Fatalf("pattern %q: %v", s, err)
	}
	return parsed.compiled
}

// oracle is the pattern as a regular expression, built character by character.
func oracle(s string) *regexp.Regexp {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile(`(?s)\A(?:` + b.String() + `)\z`)
}

func TestGlobMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		matches       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a:b/c", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "東", true},
		{"?", "ab", false},
		{"??", "a", false},
		{"a*", "a", true},
		{"*a", "a", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "a-b-c-b-c", true},
		{"*ab", "aab", true},
		{"a?*", "a", false},
		{"*?", "", false},
		{"*?a", "a", false},
		{"?*?", "ab", true},
		{"*a?c*", "xabac-abc", true},
		{"ab*ba", "aba", false},
		{"*aab*", "aaab", true},
		{"a*?b", "ab", false},
		{"a*?b", "axb", true},
		{"?a*", "ba", true},
	} {
		if got := pattern(t, c.pattern).match(c.text); got != c.matches {
			t.Errorf("%q on %q: %v, want %v", c.pattern, c.text, got, c.matches)
		}
	}
}

func TestGlobAgreesWithRegularExpressions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A small alphabet makes matches, near misses and overlaps frequent.
		p := rapid.StringOfN(rapid.RuneFrom([]rune("aab:é**??")), 0, 12, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.RuneFrom([]rune("aaab:é")), 0, 16, -1).Draw(t, "text")
		if got, want := pattern(t, p).match(s), oracle(p).MatchString(s); got != want {
			t.Fatalf("%q on %q: %v, the oracle says %v", p, s, got, want)
		}
	})
}

// TestGlobDoesNotBlowUp would not return if stars were tried in all places.
func TestGlobDoesNotBlowUp(t *testing.T) {
	text := strings.Repeat("a", 1<<16)
	if pattern(t, strings.Repeat("a*", 1000)+"b").match(text) {
		t.Error("matched a text without b")
	}
	if !pattern(t, strings.Repeat("*a", 1000)+"*").match(text) {
		t.Error("did not match a text of many a")
	}
}

func FuzzGlobAgreesWithRegularExpressions(f *testing.F) {
	f.Add("a*b?", "axxb1")
	f.Add("*?東*", "a東")
	f.Add("${*}", "$aa}")
	f.Fuzz(func(t *testing.T, p, s string) {
		// Requests and documents are UTF-8; the two differ on what is not.
		p, s = strings.ToValidUTF8(p, "?"), strings.ToValidUTF8(s, "x")
		if len(p) > 500 {
			return // regexp's own limit
		}
		if got, want := pattern(t, p).match(s), oracle(p).MatchString(s); got != want {
			t.Fatalf("%q on %q: %v, the oracle says %v", p, s, got, want)
		}
	})
}
