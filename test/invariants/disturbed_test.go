package invariants_test

import (
	"context"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// undergo runs the compact scenario with a manager on a bed that prepare has
// disturbed, and a second one where two lead.
func undergo(t *testing.T, managers int, prepare func(*invariants.Bed)) {
	t.Helper()
	b, err := bed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Observer.Managers(managers)
	b.Within = invariants.Weathered
	prepare(b)
	var keepers []*invariants.Keeper
	for range managers {
		keepers = append(keepers, b.Keep(t.Context(), &invariants.Cut{}))
	}
	if err := compact(t.Context(), b); err != nil {
		t.Error(err)
	}
	states, questions := b.Observer.Counts()
	t.Logf("%d states of IAM judged, %d questions asked, AWS: %+v", states, questions, b.Emulator.Calls())
	took, waited := b.Slowest()
	t.Logf("at rest after %s of AWS's time at most, %s of it waited for; more than two activations for %s", took.Round(time.Second), waited, b.Observer.Crowded().Round(time.Second))
	if err := b.Close(keepers...); err != nil {
		t.Error(err)
	}
}

func inject(t *testing.T, b *invariants.Bed, all ...faults.Fault) {
	t.Helper()
	for _, f := range all {
		if _, err := b.Emulator.Inject(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThrottledErrorsAndLostAnswersBreakNothing(t *testing.T) {
	undergo(t, 1, func(b *invariants.Bed) {
		b.Untimed = true
		inject(t, b, rain()...)
	})
}

// impatience is how long a manager waits for an answer that is kept back, and long
// enough for one that is not.
const impatience = time.Second

// An answer that does not come in time takes another way through the SDK than a
// connection that is cut: the call itself is given up.
func TestAnswersThatDoNotComeBreakNothing(t *testing.T) {
	undergo(t, 1, func(b *invariants.Bed) {
		b.AttemptTimeout = impatience
		inject(t, b, faults.Fault{Kind: faults.HoldAfter, Share: 0.2, WritesOnly: true})
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
	undergo(t, 1, func(b *invariants.Bed) {
		b.Within = invariants.Settled
		b.Emulator.SetConsistencyDelay(30 * time.Second)
	})
}

func TestTwoLeadersAtOnceBreakNothing(t *testing.T) {
	undergo(t, 2, func(*invariants.Bed) {})
}

func TestTwoLeadersWithLostAnswersAndLaggingReadsBreakNothing(t *testing.T) {
	undergo(t, 2, func(b *invariants.Bed) {
		b.Emulator.SetConsistencyDelay(30 * time.Second)
		inject(t, b, faults.Fault{Kind: faults.DropAfter, Share: 0.2, WritesOnly: true})
	})
}

// What a manager does not see while a veil is down it finds by a new list.
func TestMissedWatchEventsBreakNothing(t *testing.T) {
	veiled(t, blindly)
}

// veiled runs a scenario with a manager behind a veil.
func veiled(t *testing.T, scenario func(context.Context, *invariants.Bed, *invariants.Veil) error) {
	t.Helper()
	b, err := bed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Within = invariants.Weathered
	veil := invariants.NewVeil()
	m, err := b.StartManager(t.Context(), b.Through(veil.Kubernetes))
	if err != nil {
		t.Fatal(err)
	}
	if err := scenario(t.Context(), b, veil); err != nil {
		t.Error(err)
	}
	veil.Lift()
	if err := m.Stop(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// blindly has a manager miss that objects come, change and go.
func blindly(ctx context.Context, b *invariants.Bed, veil *invariants.Veil) error {
	a := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01, pc02))
	if err := declare(ctx, b, b.Account(), a); err != nil {
		return err
	}
	if err := b.Rest(ctx); err != nil {
		return err
	}
	if err := openSessions(b); err != nil {
		return err
	}
	veil.Drop()
	if err := declare(ctx, b,
		invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc01)),
		invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01)),
		invariants.Access(invariants.Namespace, "b", grant(people(user("user01")), pc02)),
	); err != nil {
		return err
	}
	if err := b.Delete(ctx, invariants.Access(invariants.Namespace, "b", grant(nil))); err != nil {
		return err
	}
	veil.Lift()
	if err := b.Rest(ctx); err != nil {
		return err
	}
	veil.Drop()
	if err := b.Delete(ctx, a); err != nil {
		return err
	}
	veil.Lift()
	return b.Rest(ctx)
}
