package invariants_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

const (
	// stepsOfASequence bounds a generated sequence. Idle steps are among them.
	stepsOfASequence = 10
	// sequencesOfATest is how many there are without a soak.
	sequencesOfATest = 6
)

// small is the domain of every harness.
var small, _ = invariants.Small()

// sequences plays a number of generated sequences under the faults that begin sets up. A
// failure shrinks to a short list and can be repeated with the seed.
func sequences(t *testing.T, seed uint64, number int, begin func(context.Context, *invariants.Harness) error) {
	t.Helper()
	for name, value := range map[string]string{"rapid.seed": strconv.FormatUint(seed, 10), "rapid.checks": strconv.Itoa(number), "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d sequences with seed %d", number, seed)
	rapid.Check(t, func(rt *rapid.T) {
		account := regional(&invariants.Harness{Domain: small})
		sequence := rapid.SliceOfN(acts(account), stepsOfASequence, stepsOfASequence).Draw(rt, "sequence")
		h, err := harness(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		if err = begin(t.Context(), h); err == nil {
			err = play(t.Context(), h, sequence)
		}
		if closing := h.Close(); err == nil {
			err = closing
		}
		if err != nil {
			text := ""
			for _, a := range slices.DeleteFunc(slices.Clone(sequence), func(a act) bool { return a.kind == idle }) {
				text += fmt.Sprintf("\n  %s", a)
			}
			rt.Fatalf("%v\nin the sequence%s", err, text)
		}
	})
}

func TestGeneratedDeclarationsKeepEveryInvariant(t *testing.T) {
	sequences(t, 1, sequencesOfATest, func(context.Context, *invariants.Harness) error { return nil })
	t.Logf("there were %s", &happened)
}
