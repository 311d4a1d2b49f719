package lease_test

import (
	"errors"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/lease"
)

func TestALeaseIsHeldWhileItsRenewalCounts(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	pass := func(d time.Duration) { clock.SetTime(clock.Now().Add(d)) }
	inner, err := resourcelock.New(resourcelock.LeasesResourceLock, "system", "manager", nil,
		fake.NewClientset().CoordinationV1(), resourcelock.ResourceLockConfig{Identity: "me"})
	if err != nil {
		t.Fatal(err)
	}
	lock := lease.Watch(inner, clock)
	ctx := t.Context()
	mine := resourcelock.LeaderElectionRecord{HolderIdentity: "me", LeaseDurationSeconds: 15}
	held := func(when string, want bool) {
		t.Helper()
		if err := lock.Held(); (err == nil) != want || (err != nil && !errors.Is(err, lease.ErrNotHeld)) {
			t.Errorf("%s: %v, want held = %v", when, err, want)
		}
	}

	held("before it was taken", false)
	if err := lock.Create(ctx, mine); err != nil {
		t.Fatal(err)
	}
	pass(lease.RenewDeadline - time.Second)
	held("just taken", true)
	if err := lock.Update(ctx, mine); err != nil {
		t.Fatal(err)
	}
	pass(lease.RenewDeadline - time.Second)
	held("renewed", true)
	pass(time.Second)
	held("not renewed in time", false)
	if err := lock.Update(ctx, mine); err != nil {
		t.Fatal(err)
	}
	held("renewed late", true)
	if err := lock.Update(ctx, resourcelock.LeaderElectionRecord{}); err != nil {
		t.Fatal(err)
	}
	held("given back", false)
}

func TestARenewalThatFailedDoesNotCount(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	inner, err := resourcelock.New(resourcelock.LeasesResourceLock, "system", "manager", nil,
		fake.NewClientset().CoordinationV1(), resourcelock.ResourceLockConfig{Identity: "me"})
	if err != nil {
		t.Fatal(err)
	}
	lock := lease.Watch(inner, clock)
	// There is nothing to update yet.
	if err := lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me"}); err == nil {
		t.Fatal("a lease that does not exist was renewed")
	}
	if err := lock.Held(); !errors.Is(err, lease.ErrNotHeld) {
		t.Errorf("held although the renewal failed: %v", err)
	}
}
