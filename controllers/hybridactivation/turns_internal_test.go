package hybridactivation

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Some fail for ever, others come and go.
func TestEachHasItsTurnWhateverFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all turns
		key, n := turnsOf{"object", "tag"}, rapid.IntRange(1, 5).Draw(t, "n")
		var left, failing []string
		for i := range rapid.IntRange(1, 30).Draw(t, "nodes") {
			id := fmt.Sprintf("mi-%02d", i)
			left = append(left, id)
			if rapid.Bool().Draw(t, "fails") {
				failing = append(failing, id)
			}
		}
		passes := 0
		for more := true; more; passes++ {
			var batch []string
			if batch, more = all.next(key, left, n); len(batch) == 0 || len(batch) > n {
				t.Fatalf("a pass takes %d of %d, at most %d", len(batch), len(left), n)
			}
			left = slices.DeleteFunc(slices.Clone(left), func(id string) bool {
				return slices.Contains(batch, id) && !slices.Contains(failing, id)
			})
			if rapid.Bool().Draw(t, "goes") && len(left) > 1 {
				left = slices.Delete(slices.Clone(left), 0, 1)
			}
			if passes > 30 {
				t.Fatal("the round does not end")
			}
		}
		for _, id := range left {
			if !slices.Contains(failing, id) {
				t.Fatalf("%s had no turn", id)
			}
		}
		if batch, _ := all.next(key, left, n); len(left) > 0 && len(batch) == 0 {
			t.Fatal("no other round begins")
		}
	})
}
