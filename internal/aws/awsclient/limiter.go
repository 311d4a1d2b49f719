package awsclient

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/ssm-access-operator/ssm-access-operator/internal/fair"
)

// Defaults of the limiter. AWS publishes no request rates for IAM; these leave
// room for the other users of the account.
const (
	// DefaultRate in requests a second, per account, service and region.
	DefaultRate = 10.0
	// DefaultBurst in requests, per account, service and region.
	DefaultBurst = 20
)

const (
	// slowest is the share of its rate below which a limiter is not cut.
	slowest = 1.0 / 20
	// recovery is how long a limiter takes from nothing back to its rate.
	recovery = time.Minute
	// cutPause is how long after a cut further throttled answers count as
	// answers to requests that were in progress before it.
	cutPause = time.Second
)

// limiter admits requests to one service of one account: a token bucket whose
// waiters are served by priority, and those of a priority by tenant in turn.
// Throttling halves its rate, time restores it (additive increase, multiplicative
// decrease).
type limiter struct {
	full rate.Limit

	mu      sync.Mutex
	bucket  *rate.Limiter
	waiters fair.Rounds[*waiter]
	alarm   *time.Timer // set while a request waits
	cut     time.Time   // when the rate was last cut; zero: never
	floor   rate.Limit  // what it was cut to
}

// waiter is a request that waits. admitted is closed when it may be sent.
type waiter struct{ admitted chan struct{} }

func newLimiter(perSecond float64, burst int) *limiter {
	full := rate.Limit(perSecond)
	return &limiter{full: full, bucket: rate.NewLimiter(full, burst)}
}

// wait returns when the request may be sent, or the context's error.
func (l *limiter) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{admitted: make(chan struct{})}
	l.mu.Lock()
	l.waiters.Add(w, fair.Turn{Class: int(priorityOf(ctx)), Tenant: tenantOf(ctx)})
	l.serve()
	l.mu.Unlock()

	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiters.Remove(w)
		return ctx.Err()
	}
}

// serve admits waiters as long as there are tokens, and sets the alarm for the
// next token when one is left. The caller holds mu.
func (l *limiter) serve() {
	for l.waiters.Len() > 0 {
		now := time.Now()
		l.bucket.SetLimitAt(now, l.rateAt(now))
		if !l.bucket.AllowN(now, 1) {
			l.wakeAfter(untilToken(l.bucket, now))
			return
		}
		w, _, _ := l.waiters.Next(func(fair.Turn) bool { return true })
		close(w.admitted)
	}
}

func (l *limiter) wakeAfter(d time.Duration) {
	if l.alarm != nil {
		l.alarm.Reset(d)
		return
	}
	l.alarm = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.serve()
	})
}

// untilToken is how long it takes until the bucket holds a token.
func untilToken(bucket *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - bucket.TokensAt(now)
	// A microsecond more, or rounding has it wake up just too early.
	return time.Duration(missing/float64(bucket.Limit())*float64(time.Second)) + time.Microsecond
}

// throttled takes note that AWS asked for patience: half the rate, and what
// the bucket has saved up is gone.
func (l *limiter) throttled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.cut.IsZero() && now.Sub(l.cut) < cutPause {
		return
	}
	l.floor = max(l.rateAt(now)/2, l.full*slowest)
	l.cut = now
	l.bucket.SetLimitAt(now, l.floor)
	if saved := int(l.bucket.TokensAt(now)); saved > 0 {
		l.bucket.AllowN(now, saved)
	}
}

// rateAt is the rate at a time: what it was cut to, and the share of the full
// rate that the time since then has restored.
func (l *limiter) rateAt(now time.Time) rate.Limit {
	if l.cut.IsZero() {
		return l.full
	}
	return min(l.full, l.floor+l.full*rate.Limit(now.Sub(l.cut).Seconds()/recovery.Seconds()))
}

// rate is the present rate in requests a second.
func (l *limiter) rate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return float64(l.rateAt(time.Now()))
}
