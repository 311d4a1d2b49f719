package awsclient

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// request waits for the limiter in the background and notes its name when it
// is admitted.
func (l *limiter) request(ctx context.Context, t *testing.T, p Priority, name string, log *admissions) {
	t.Helper()
	go func() {
		if l.wait(WithPriority(ctx, p)) == nil {
			log.add(name)
		}
	}()
	synctest.Wait()
}

// pass lets the time of a synctest bubble pass.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's time is not real: nothing waits
}

type admissions struct {
	mu    sync.Mutex
	names []string
}

func (a *admissions) add(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = append(a.names, name)
}

func (a *admissions) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.names
}

func TestLimiterAdmitsTheBurstAtOnceAndThenTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(2, 3)
		began := time.Now()
		var at []time.Duration
		for range 7 {
			if err := l.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Since(began).Round(10*time.Millisecond))
		}
		want := []time.Duration{0, 0, 0, 500e6, 1000e6, 1500e6, 2000e6}
		for i := range want {
			if at[i] != want[i] {
				t.Fatalf("admitted at %v, want %v", at, want)
			}
		}
	})
}

func TestRevocationOvertakesWaitingGrantsAndResyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 1)
		var log admissions
		l.request(t.Context(), t, Grant, "first", &log)
		l.request(t.Context(), t, Resync, "resync", &log)
		l.request(t.Context(), t, Grant, "grant a", &log)
		l.request(t.Context(), t, Grant, "grant b", &log)
		l.request(t.Context(), t, Revocation, "revocation", &log)
		pass(5 * time.Second)
		synctest.Wait()
		want := []string{"first", "revocation", "grant a", "grant b", "resync"}
		got := log.all()
		if len(got) != len(want) {
			t.Fatalf("admitted %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("admitted %v, want %v", got, want)
			}
		}
	})
}

func TestTenantsTakeTurnsAtTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 1)
		var log admissions
		l.request(t.Context(), t, Grant, "first", &log)
		crowd, mine := WithTenant(t.Context(), "crowd"), WithTenant(t.Context(), "mine")
		for _, name := range []string{"crowd a", "crowd b", "crowd c"} {
			l.request(crowd, t, Revocation, name, &log)
		}
		l.request(mine, t, RetriedRevocation, "mine again", &log)
		l.request(mine, t, Revocation, "mine", &log)
		l.request(mine, t, Lookup, "lookup", &log)
		l.request(t.Context(), t, Resync, "resync", &log)
		pass(8 * time.Second)
		synctest.Wait()
		want := []string{"first", "crowd a", "mine", "crowd b", "crowd c", "mine again", "resync", "lookup"}
		if got := log.all(); !slices.Equal(got, want) {
			t.Fatalf("admitted %v, want %v", got, want)
		}
	})
}

func TestGrantsWithoutEndDoNotStarveAResync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for range 20 { // Twenty callers that never stop asking.
			go func() {
				for {
					if l.wait(ctx) != nil {
						return
					}
				}
			}()
		}
		synctest.Wait()
		began := time.Now()
		if err := l.wait(WithPriority(ctx, Resync)); err != nil {
			t.Fatal(err)
		}
		// Each of the twenty that came before takes one turn in ten, or its own.
		if waited := time.Since(began); waited > 30*time.Second {
			t.Errorf("a resync waited %s", waited)
		}
	})
}

func TestCancelledRequestLeavesTheQueueAndTakesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, 1)
		var log admissions
		l.request(t.Context(), t, Grant, "first", &log)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() { failed <- l.wait(WithPriority(ctx, Revocation)) }()
		synctest.Wait()
		l.request(t.Context(), t, Grant, "second", &log)
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
		pass(1100 * time.Millisecond)
		synctest.Wait()
		if got := log.all(); len(got) != 2 {
			t.Fatalf("after a second admitted %v, want first and second", got)
		}
	})
}

func TestThrottlingHalvesTheRateOnceAndTimeRestoresIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(8, 8)
		l.throttled()
		l.throttled() // an answer to a request sent before the cut
		if got := l.rate(); got != 4 {
			t.Fatalf("rate after throttling is %v, want 4", got)
		}
		began := time.Now()
		if err := l.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited < 200*time.Millisecond {
			t.Fatalf("admitted after %v: the saved up burst should be gone", waited)
		}
		pass(15*time.Second - time.Since(began))
		if got := l.rate(); got < 5.9 || got > 6.1 {
			t.Fatalf("rate 15 s later is %v, want about 6", got)
		}
		pass(time.Minute)
		if got := l.rate(); got != 8 {
			t.Fatalf("rate after recovery is %v, want 8", got)
		}
	})
}

func TestThrottlingNeverStopsTheLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10, 1)
		for range 100 {
			l.throttled()
			pass(cutPause)
		}
		if got := l.rate(); got < 10*slowest {
			t.Fatalf("rate is %v, below the floor", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 3 {
			if err := l.wait(WithPriority(ctx, Resync)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
