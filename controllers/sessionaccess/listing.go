package sessionaccess

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Listings shares what was listed among the revocations that are under way:
// two hundred objects that go at once need one list of a region, not two
// hundred.
type Listings struct {
	mu   sync.Mutex
	last map[place]*listing
}

type place struct{ accountID, region string }

// listing is what was read of a place. Callers during one call to AWS share its answer,
// errors too: a place that does not answer keeps each of them waiting once, and no lock is
// held meanwhile.
type listing struct {
	mu sync.Mutex
	// last is the newest read that succeeded, under the newest that has no answer yet.
	last, under *listed
	// quick: the last read that ended did so soon. why is the reason where it failed.
	quick bool
	why   error
	// long: the last search took long, for what it read besides.
	long bool
}

// listed is one read. done is closed when the rest is set.
type listed struct {
	begun    time.Time
	done     chan struct{}
	sessions []cloud.Session
	err      error
}

// errUnfinished is the answer of a read that did not end.
var errUnfinished = errors.New("the read did not end")

// get returns a read that began after a time, or asks for one. One that has an
// answer serves until it is as old as maxAge.
func (l *listing) get(ctx context.Context, clk clock.PassiveClock, after time.Time, maxAge time.Duration, ask func() ([]cloud.Session, error)) (*listed, error) {
	l.mu.Lock()
	now := clk.Now()
	if last := l.last; last != nil && last.begun.After(after) && now.Sub(last.begun) < maxAge {
		l.mu.Unlock()
		return last, nil
	}
	if under := l.under; under != nil && under.begun.After(after) {
		l.mu.Unlock()
		select {
		case <-under.done:
			return under, under.err
		case <-ctx.Done():
			return under, ctx.Err()
		}
	}
	mine := &listed{begun: now, done: make(chan struct{}), err: errUnfinished}
	l.under = mine
	l.mu.Unlock()
	defer l.settle(mine, clk)
	mine.sessions, mine.err = ask()
	return mine, mine.err
}

// settle keeps a read that succeeded, and wakes those who wait for it.
func (l *listing) settle(read *listed, clk clock.PassiveClock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.under == read {
		l.under = nil
	}
	if read.err == nil && (l.last == nil || l.last.begun.Before(read.begun)) {
		l.last = read
	}
	l.quick, l.why = read.err == nil && clk.Since(read.begun) <= reuse, read.err
	close(read.done)
}

// reuse is how old a list may be to serve another revocation.
const reuse = 2 * time.Second

// NewListings returns an empty Listings.
func NewListings() *Listings { return &Listings{last: map[place]*listing{}} }

// list returns the open sessions of a region from a read that began after the
// permission went, and when it began.
func (l *Listings) list(ctx context.Context, account accounts.Entry, region string, after time.Time, clk clock.PassiveClock) ([]cloud.Session, time.Time, error) {
	read, err := l.at(place{account.AccountID, region}).get(ctx, clk, after, reuse, func() ([]cloud.Session, error) {
		return account.Cloud.ActiveSessions(ctx, region, cloud.SessionFilter{})
	})
	return read.sessions, read.begun, err
}

// readMembers reads IAM again where the last read began before the permission went: a
// user who joined a group since then had its access too.
func (l *Listings) readMembers(ctx context.Context, account accounts.Entry, after time.Time, clk clock.PassiveClock) error {
	_, err := l.at(place{accountID: account.AccountID}).get(ctx, clk, after, math.MaxInt64, func() ([]cloud.Session, error) {
		_, err := account.Cloud.Mirror().Refresh(ctx)
		return nil, err
	})
	return err
}

// isSlow reports whether the last read of a region failed, and why, or whether it, or the
// last search, took long. One that was not read yet counts as slow.
func (l *Listings) isSlow(p place) (slow bool, why error) {
	at := l.at(p)
	at.mu.Lock()
	defer at.mu.Unlock()
	return !at.quick || at.long, at.why
}

// searched notes how long a search of a region took, with all that it read.
func (l *Listings) searched(p place, took time.Duration) {
	at := l.at(p)
	at.mu.Lock()
	defer at.mu.Unlock()
	at.long = took > reuse
}

func (l *Listings) at(p place) *listing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last[p] == nil {
		l.last[p] = &listing{}
	}
	return l.last[p]
}
