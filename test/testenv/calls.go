package testenv

import (
	"context"
	"fmt"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
)

// WaitCall returns the first call to the emulator after number n that match
// picks, as soon as it has arrived, possibly before its answer. Zero means all
// calls.
func (e *Env) WaitCall(ctx context.Context, n int, match func(calls.Call) bool) (calls.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		next := e.arrivals.next()
		for _, call := range e.Emulator.CallLog(n) {
			if n = call.N; match(call) {
				return call, nil
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return calls.Call{}, fmt.Errorf("wait for a call to AWS: %w; the last one has number %d", ctx.Err(), n)
		}
	}
}

// Until waits until something holds that changes with calls to the emulator. It
// asks at the arrival of each call, when a fault strikes it, and when it has had its effect.
func (e *Env) Until(ctx context.Context, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		next := e.arrivals.next()
		if holds() {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("wait for a call to AWS: %w; the last one has number %d", ctx.Err(), e.LastCall())
		}
	}
}

// LastCall is the number of the last call to the emulator, 0 when there was none
// since the log was emptied.
func (e *Env) LastCall() int {
	log := e.Emulator.CallLog(0)
	if len(log) == 0 {
		return 0
	}
	return log[len(log)-1].N
}

// bell notifies all waiters that something has happened.
type bell struct {
	mu   sync.Mutex
	rung chan struct{}
}

func newBell() *bell { return &bell{rung: make(chan struct{})} }

// next is closed when the bell rings next.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung
}

// ring is a hook of the emulator's.
func (b *bell) ring(calls.Call) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.rung)
	b.rung = make(chan struct{})
}
