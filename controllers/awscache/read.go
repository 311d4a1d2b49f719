package awscache

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Read is one question to AWS whose answers are shared by time: an answer serves every
// caller that needs one from a certain time or later. Callers during one call to AWS share its
// answer, errors too, so an AWS that does not answer keeps each of them waiting once. No lock
// is held meanwhile. The zero value is ready. It is safe for concurrent use.
type Read[V any] struct {
	mu sync.Mutex
	// last is the newest read that succeeded, pending the newest that has no answer yet.
	last, pending *Answer[V]
	// took and err are of the read that ended last; ended reports whether there is one.
	ended bool
	took  time.Duration
	err   error
}

// Answer is what one read came to. The value is shared, and must not be changed.
type Answer[V any] struct {
	// Begun is when the read began: AWS may have changed since then.
	Begun time.Time
	Value V

	done chan struct{} // closed when Value and err are set
	err  error
}

// errUnfinished is the answer of a read that did not end.
var errUnfinished = errors.New("the read did not end")

// Get returns an answer that was read since a time, and is younger than maxAge. Where there
// is none, it waits for a read that is under way and began since then, or reads. The answer
// is never nil. Where the read failed, err is its error, and the answer has what it returned.
func (r *Read[V]) Get(ctx context.Context, clk clock.PassiveClock, since time.Time, maxAge time.Duration, read func() (V, error)) (answer *Answer[V], err error) {
	r.mu.Lock()
	now := clk.Now()
	if r.last != nil && !r.last.Begun.Before(since) && now.Sub(r.last.Begun) < maxAge {
		defer r.mu.Unlock()
		return r.last, nil
	}
	if pending := r.pending; pending != nil && !pending.Begun.Before(since) {
		r.mu.Unlock()
		select {
		case <-pending.done:
			return pending, pending.err
		case <-ctx.Done():
			return &Answer[V]{Begun: pending.Begun}, ctx.Err()
		}
	}
	mine := &Answer[V]{Begun: now, done: make(chan struct{}), err: errUnfinished}
	r.pending = mine
	r.mu.Unlock()
	defer r.settle(mine, clk)
	mine.Value, mine.err = read()
	return mine, mine.err
}

// settle keeps an answer, unless it is an error or a newer one is there, and wakes those who
// wait for it.
func (r *Read[V]) settle(answer *Answer[V], clk clock.PassiveClock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending == answer {
		r.pending = nil
	}
	if answer.err == nil && (r.last == nil || r.last.Begun.Before(answer.Begun)) {
		r.last = answer
	}
	r.ended, r.took, r.err = true, clk.Since(answer.Begun), answer.err
	close(answer.done)
}

// Last reports how long the read took that ended last, and its error. ended is false before
// the first.
func (r *Read[V]) Last() (took time.Duration, ended bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.took, r.ended, r.err
}
