package invariants_test

import "testing"

func TestAnUndisturbedManagerKeepsEveryInvariant(t *testing.T) {
	calls, _, err := crash(t.Context(), 0, false, compact)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calls", calls)
}
