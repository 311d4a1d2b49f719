package contention_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
)

const account = "488821267897"

func TestThreeRepairsWithinAnHourMakeAPolicyContended(t *testing.T) {
	t.Parallel()
	clk := clocktesting.NewFakeClock(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	tracker := contention.New(clk)
	for n := 1; n <= 4; n++ {
		// One read may find several changes of one policy: that is one repair.
		became := tracker.Repair(account, []string{"Ours-1", "ours-1"})
		if (len(became) > 0) != (n == contention.Repairs) {
			t.Errorf("repair %d: %v became contended", n, became)
		}
		if got := tracker.In(account); (len(got) > 0) != (n >= contention.Repairs) {
			t.Errorf("after repair %d contended are %v", n, got)
		}
		clk.Step(10 * time.Minute)
	}
	if got := tracker.In("111111111111"); len(got) != 0 {
		t.Errorf("in another account contended are %v", got)
	}
	if got := tracker.OfPrefix(account, "OURS-"); !slices.Equal(got, []string{"ours-1"}) {
		t.Errorf("by the prefix %v are found", got)
	}
	if got := tracker.OfPrefix(account, "theirs-"); len(got) != 0 {
		t.Errorf("by another prefix %v are found", got)
	}
	clk.Step(contention.Period - 20*time.Minute)
	if got := tracker.In(account); len(got) != 0 {
		t.Errorf("an hour later contended are %v", got)
	}
}

func TestRareRepairsAreNoContention(t *testing.T) {
	t.Parallel()
	clk := clocktesting.NewFakeClock(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	tracker := contention.New(clk)
	for range 10 {
		if became := tracker.Repair(account, []string{"ours-1"}); len(became) > 0 {
			t.Fatalf("%v became contended", became)
		}
		clk.Step(contention.Period / 2)
	}
}

func TestTheMessageNamesPoliciesAndTheWayOut(t *testing.T) {
	t.Parallel()
	message := contention.Message([]string{"a", "b", "c", "d"})
	for _, want := range []string{"a, b, c and 1 more", "CloudTrail", "--owner-id"} {
		if !strings.Contains(message, want) {
			t.Errorf("%q does not name %q", message, want)
		}
	}
	if contention.Message(nil) != "" {
		t.Error("nothing contended has a message")
	}
}
