//go:build proof

package proof_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/proof"
)

// What the crash run tries: one point alone, to look into a failure, or each
// point in both ways.
var (
	onlyAt = flag.Int("crash-at", 0, "cut the manager off at this call alone")
	both   = flag.Bool("crash-both", false, "try each call with and without its effect")
)

// crash runs a scenario with a manager that is cut off at its n-th call. calls is
// how many it made; reached says whether it came to the cut.
func crash(ctx context.Context, n int, after bool, scenario func(context.Context, *proof.Bed) error) (calls int, reached bool, err error) {
	b, err := bed(ctx)
	if err != nil {
		return 0, false, err
	}
	cut := &proof.Cut{At: n, After: after}
	keeper := b.Keep(ctx, cut)
	err = scenario(ctx, b)
	select {
	case <-cut.Dead():
		reached = true
	default:
	}
	if closing := b.Close(keeper); err == nil {
		err = closing
	}
	return cut.Calls(), reached, err
}

// Each call is tried once here: every other one has its effect, and only the
// answer is lost. "make crash-run" tries both at each.
func TestAManagerThatDiesAtAnyCallLosesNothing(t *testing.T) {
	if *onlyAt > 0 {
		tryCrashes(t, *onlyAt, *onlyAt, true)
		return
	}
	tryCrashes(t, 1, 0, *both)
}

// tryCrashes tries the points from one call to another, 0 being the last that
// there is. Both tries each with and without its effect.
func tryCrashes(t *testing.T, from, to int, both bool) {
	t.Helper()
	points, begun := 0, time.Now()
	slowest, slowestAt := time.Duration(0), 0
	for n := from; to == 0 || n <= to; n++ {
		for _, after := range []bool{false, true} {
			if !both && after != (n%2 == 0) {
				continue
			}
			start := time.Now()
			_, reached, err := crash(t.Context(), n, after, compact)
			if err != nil {
				t.Fatalf("killed at call %d (its effect taken: %t): %v", n, after, err)
			}
			if took := time.Since(start); took > slowest {
				slowest, slowestAt = took, n
				t.Logf("call %d took %s", n, took.Round(time.Millisecond))
			}
			if !reached {
				t.Logf("tried %d points in %s, the slowest at call %d in %s", points, time.Since(begun).Round(time.Second), slowestAt, slowest)
				return
			}
			points++
		}
	}
}
