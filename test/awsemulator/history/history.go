// Package history keeps the past of a value for as long as a lagging reader
// may ask for it: the ground of the emulator's eventual consistency.
package history

import (
	"sort"
	"sync"
	"time"
)

// History is a value with its past. T is immutable: a change replaces it. It
// is safe for concurrent use.
type History[T any] struct {
	// writing admits one change at a time; mu guards the fields and is held for
	// moments only, so that a change may read while it is made.
	writing sync.Mutex
	mu      sync.RWMutex
	states  []state[T] // oldest first, never empty
	keep    time.Duration
}

type state[T any] struct {
	since time.Time
	value T
}

// New returns a History that begins with value.
func New[T any](value T, keep time.Duration) *History[T] {
	return &History[T]{states: []state[T]{{value: value}}, keep: keep}
}

// Latest returns the newest value.
func (h *History[T]) Latest() T {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.states[len(h.states)-1].value
}

// At returns the value that held at t, or the oldest one known.
func (h *History[T]) At(t time.Time) T {
	h.mu.RLock()
	defer h.mu.RUnlock()
	after := sort.Search(len(h.states), func(i int) bool { return h.states[i].since.After(t) })
	if after == 0 {
		return h.states[0].value
	}
	return h.states[after-1].value
}

// Update replaces the value by what change makes of it, as of now. When
// change fails the value stays. Changes come one at a time; committed, which
// may be nil, is called with the new value before the next begins. Both may
// read the history but not update it.
func (h *History[T]) Update(now time.Time, change func(T) (T, error), committed func(T)) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	next, err := change(h.Latest())
	if err != nil {
		return err
	}
	h.put(now, next)
	if committed != nil {
		committed(next)
	}
	return nil
}

func (h *History[T]) put(now time.Time, next T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// Two requests may commit in another order than they came in.
	if last := h.states[len(h.states)-1].since; now.Before(last) {
		now = last
	}
	if h.keep == 0 {
		h.states = append(h.states[:0], state[T]{now, next})
		return
	}
	h.states = append(h.states, state[T]{now, next})
	h.forget(now)
}

// Keep sets how far back At can look; what is older is forgotten.
func (h *History[T]) Keep(now time.Time, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keep = d
	h.forget(now)
}

// forget drops states that ended before the time that is kept. It moves the
// rest only when half can go, so that the cost of a change stays constant.
func (h *History[T]) forget(now time.Time) {
	horizon := now.Add(-h.keep)
	first := sort.Search(len(h.states), func(i int) bool { return h.states[i].since.After(horizon) }) - 1
	if first <= 0 || (first < len(h.states)/2 && h.keep > 0) {
		return
	}
	h.states = append([]state[T](nil), h.states[first:]...)
}
