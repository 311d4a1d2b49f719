package invariants_test

import (
	"context"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// undergo runs the compact scenario with a manager on a harness that prepare has
// disturbed, and a second one where two lead.
func undergo(t *testing.T, managers int, prepare func(*invariants.Harness)) {
	t.Helper()
	h, err := harness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Observer.Managers(managers)
	h.Within = invariants.UnderFaults
	prepare(h)
	var restarters []*invariants.Restarter
	for range managers {
		restarters = append(restarters, h.Keep(t.Context(), &invariants.CrashPoint{}))
	}
	if err := compact(t.Context(), h); err != nil {
		t.Error(err)
	}
	states, questions := h.Observer.Counts()
	t.Logf("%d states of IAM judged, %d questions asked, AWS: %+v", states, questions, h.Emulator.Calls())
	took, waited := h.Slowest()
	t.Logf("at rest after %s of AWS's time at most, %s of it waited for; more than two activations for %s", took.Round(time.Second), waited, h.Observer.Crowded().Round(time.Second))
	if err := h.Close(restarters...); err != nil {
		t.Error(err)
	}
}

func inject(t *testing.T, h *invariants.Harness, all ...faults.Fault) {
	t.Helper()
	for _, f := range all {
		if _, err := h.Emulator.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThrottledErrorsAndLostAnswersBreakNothing(t *testing.T) {
	undergo(t, 1, func(h *invariants.Harness) {
		h.Untimed = true
		inject(t, h, rain()...)
	})
}

// impatience is how long a manager waits for an answer that is kept back, and long
// enough for one that is not.
const impatience = time.Second

// An answer that does not come in time takes another way through the SDK than a
// connection that is cut: the call itself is given up.
func TestAnswersThatDoNotComeBreakNothing(t *testing.T) {
	undergo(t, 1, func(h *invariants.Harness) {
		h.AttemptTimeout = impatience
		inject(t, h, faults.Fault{Kind: faults.HoldAfter, Share: 0.2, WritesOnly: true})
	})
}

// rain strikes about 45 % of all calls: 30 % are throttled, and of the rest some
// fail before their effect and some after it.
func rain() []faults.Fault {
	return []faults.Fault{
		{Kind: faults.Throttle, Share: 0.3},
		{Kind: faults.ServerError, Share: 0.1},
		{Kind: faults.DropAfter, Share: 0.05, WritesOnly: true},
		{Kind: faults.ErrorAfter, Share: 0.05, WritesOnly: true},
	}
}

func TestReadsThatLagBreakNothing(t *testing.T) {
	undergo(t, 1, func(h *invariants.Harness) {
		h.Within = invariants.Settled
		h.Emulator.SetConsistencyDelay(30 * time.Second)
	})
}

func TestTwoLeadersAtOnceBreakNothing(t *testing.T) {
	undergo(t, 2, func(*invariants.Harness) {})
}

func TestTwoLeadersWithLostAnswersAndLaggingReadsBreakNothing(t *testing.T) {
	undergo(t, 2, func(h *invariants.Harness) {
		h.Emulator.SetConsistencyDelay(30 * time.Second)
		inject(t, h, faults.Fault{Kind: faults.DropAfter, Share: 0.2, WritesOnly: true})
	})
}

// What a manager does not see while a partition is down it finds by a new list.
func TestMissedWatchEventsBreakNothing(t *testing.T) {
	partitioned(t, blindly)
}

// partitioned runs a scenario with a manager behind a partition.
func partitioned(t *testing.T, scenario func(context.Context, *invariants.Harness, *invariants.WatchPartition) error) {
	t.Helper()
	h, err := harness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Within = invariants.UnderFaults
	partition := invariants.NewWatchPartition()
	m, err := h.StartManager(t.Context(), h.Through(partition.Kubernetes))
	if err != nil {
		t.Fatal(err)
	}
	if err := scenario(t.Context(), h, partition); err != nil {
		t.Error(err)
	}
	partition.End()
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// blindly has a manager miss that objects come, change and go.
func blindly(ctx context.Context, h *invariants.Harness, partition *invariants.WatchPartition) error {
	a := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01, pc02))
	if err := declare(ctx, h, h.Account(), a); err != nil {
		return err
	}
	if err := h.AwaitQuiescence(ctx); err != nil {
		return err
	}
	if err := openSessions(h); err != nil {
		return err
	}
	partition.Start()
	if err := declare(ctx, h,
		invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc01)),
		invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01)),
		invariants.Access(invariants.Namespace, "b", grant(people(user("user01")), pc02)),
	); err != nil {
		return err
	}
	if err := h.Delete(ctx, invariants.Access(invariants.Namespace, "b", grant(nil))); err != nil {
		return err
	}
	partition.End()
	if err := h.AwaitQuiescence(ctx); err != nil {
		return err
	}
	partition.Start()
	if err := h.Delete(ctx, a); err != nil {
		return err
	}
	partition.End()
	return h.AwaitQuiescence(ctx)
}
