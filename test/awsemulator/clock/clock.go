// Package clock gives the emulator a time that tests can move.
package clock

import (
	"sync"
	"time"
)

// Clock returns the time and can be moved forward. It is safe for concurrent
// use.
type Clock struct {
	mu     sync.Mutex
	source func() time.Time
	offset time.Duration
}

// Real returns a clock that runs with the machine's.
func Real() *Clock { return &Clock{source: time.Now} }

// Fixed returns a clock that stays at start until Advance moves it.
func Fixed(start time.Time) *Clock {
	return &Clock{source: func() time.Time { return start }}
}

// Now returns the time in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.source().Add(c.offset).UTC()
}

// Advance moves the clock forward by d; a negative d moves it back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}
