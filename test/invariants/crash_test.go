package invariants_test

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// What is tried of what takes long: a sample, all of it, or, to look into a
// failure, one point of the crash run alone.
var (
	onlyAt = flag.Int("crash-at", 0, "cut the manager off at this call alone")
	whole  = flag.Bool("whole", false, "cut the manager off at each call, with and without its effect, and try each hostile string in each field")
)

// crash runs a scenario with a manager that is cut off at its n-th call. calls is
// how many it made; reached reports whether it reached the crash point.
func crash(ctx context.Context, n int, after bool, scenario func(context.Context, *invariants.Harness) error) (calls int, reached bool, err error) {
	h, err := harness(ctx)
	if err != nil {
		return 0, false, err
	}
	point := &invariants.CrashPoint{At: n, After: after}
	restarter := h.Keep(ctx, point)
	err = scenario(ctx, h)
	select {
	case <-point.Dead():
		reached = true
	default:
	}
	if closing := h.Close(restarter); err == nil {
		err = closing
	}
	return point.Calls(), reached, err
}

// sample is how far the calls are apart that are tried when not every one is. It
// is odd, so that every other of them has its effect and loses the answer alone.
const sample = 23

// A sample of the calls is tried here; "make crash-run" tries every one, in both
// ways.
func TestAManagerThatDiesAtAnyCallLosesNothing(t *testing.T) {
	if *onlyAt > 0 {
		tryCrashes(t, *onlyAt, 1, *onlyAt)
		return
	}
	if *whole {
		tryCrashes(t, 1, 1, 0)
		return
	}
	tryCrashes(t, 1, sample, 0)
}

// tryCrashes tries the points from one call to another in steps, 0 being the last
// one. Where it leaves none out, it tries each with and without its effect.
func tryCrashes(t *testing.T, from, step, to int) {
	t.Helper()
	points, begun := 0, time.Now()
	slowest, slowestAt := time.Duration(0), 0
	for n := from; to == 0 || n <= to; n += step {
		for _, after := range []bool{false, true} {
			if step > 1 && after != (n%2 == 0) {
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
