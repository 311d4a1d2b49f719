package service

import (
	"sync"
	"time"
)

// Lag is how far reads are behind writes. It is safe for concurrent use.
type Lag struct {
	mu     sync.Mutex
	delay  time.Duration
	spread bool
	random *Random
}

// NewLag returns a Lag of nothing.
func NewLag(random *Random) *Lag { return &Lag{random: random} }

// Set makes reads lag by delay. With spread each read lags by its own share of
// it, so that a later read may show an older state.
func (l *Lag) Set(delay time.Duration, spread bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.delay, l.spread = delay, spread
}

// Get returns the settings.
func (l *Lag) Get() (delay time.Duration, spread bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.delay, l.spread
}

// ReadTime returns the moment whose state a read at now sees. zero means that
// nothing lags and the read sees the latest state.
func (l *Lag) ReadTime(now time.Time) (t time.Time, zero bool) {
	delay, spread := l.Get()
	if delay == 0 {
		return now, true
	}
	if spread {
		delay = time.Duration(l.random.Float() * float64(delay))
	}
	return now.Add(-delay), false
}

// Paging is how generous a service is with its pages. It is safe for
// concurrent use.
type Paging struct {
	mu     sync.Mutex
	share  float64
	random *Random
}

// NewPaging returns a Paging that fills every page.
func NewPaging(random *Random) *Paging { return &Paging{random: random} }

// SetShort makes this share of the pages shorter than was asked for, down to
// none at all.
func (p *Paging) SetShort(share float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.share = share
}

// Size returns how many entries a page gets of those that were asked for.
func (p *Paging) Size(asked int) int {
	p.mu.Lock()
	share := p.share
	p.mu.Unlock()
	if share == 0 || p.random.Float() >= share {
		return asked
	}
	return p.random.IntN(asked + 1)
}

// Short returns the share of pages that are short.
func (p *Paging) Short() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.share
}
