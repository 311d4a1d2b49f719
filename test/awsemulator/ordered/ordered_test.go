package ordered_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

func keysOf(m ordered.Map[int], after string) []string {
	var keys []string
	for k := range m.After(after) {
		keys = append(keys, k)
	}
	return keys
}

// TestMapBehavesAsASortedOne compares with a plain map, and checks that what
// was taken aside stays as it was.
func TestMapBehavesAsASortedOne(t *testing.T) {
	names := rapid.StringMatching(`[a-c]{1,4}(\x00[a-b]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		m, plain := ordered.New[int](), map[string]int{}
		for i := range rapid.IntRange(0, 60).Draw(t, "steps") {
			before, had := m, slices.Sorted(maps.Keys(plain))
			name := names.Draw(t, "key")
			if rapid.Bool().Draw(t, "add") {
				m, plain[name] = m.With(name, i), i
			} else {
				m = m.Without(name)
				delete(plain, name)
			}
			if !slices.Equal(keysOf(before, ""), had) {
				t.Fatal("a change showed in the map that it began with")
			}
		}
		all := slices.Sorted(maps.Keys(plain))
		if !slices.Equal(keysOf(m, ""), all) || m.Len() != len(all) {
			t.Fatalf("the keys are %q, want %q", keysOf(m, ""), all)
		}
		after := names.Draw(t, "after")
		want := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return k <= after })
		if got := keysOf(m, after); !slices.Equal(got, want) {
			t.Fatalf("after %q come %q, want %q", after, got, want)
		}
		prefix := rapid.StringMatching(`[a-c]{0,2}`).Draw(t, "prefix")
		below := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return !strings.HasPrefix(k, prefix) })
		if got := m.CountBelow(prefix); got != len(below) {
			t.Fatalf("below %q are %d, want %d", prefix, got, len(below))
		}
		for k, v := range plain {
			if got, ok := m.Get(k); !ok || got != v {
				t.Fatalf("%q holds %d, want %d", k, got, v)
			}
		}
	})
}
