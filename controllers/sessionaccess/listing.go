package sessionaccess

import (
	"context"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/registry"
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

type listing struct {
	// mu is held while AWS is asked, so that others wait for the answer.
	mu       sync.Mutex
	begun    time.Time
	sessions []cloud.Session
}

// reuse is how old a list may be to serve another revocation.
const reuse = 2 * time.Second

// NewListings returns an empty Listings.
func NewListings() *Listings { return &Listings{last: map[place]*listing{}} }

// list returns the open sessions of a region from a read that began after the
// permission went, and when it began.
func (l *Listings) list(ctx context.Context, account registry.Entry, region string, after time.Time, clk clock.PassiveClock) ([]cloud.Session, time.Time, error) {
	at := l.at(place{account.AccountID, region})
	at.mu.Lock()
	defer at.mu.Unlock()
	now := clk.Now()
	if at.begun.After(after) && now.Sub(at.begun) < reuse {
		return at.sessions, at.begun, nil
	}
	sessions, err := account.Cloud.ActiveSessions(ctx, region, cloud.SessionFilter{})
	if err != nil {
		return nil, now, err
	}
	at.begun, at.sessions = now, sessions
	return sessions, now, nil
}

// readMembers reads IAM anew where the last read began before the permission
// went: whoever joined a group since then had its access too.
func (l *Listings) readMembers(ctx context.Context, account registry.Entry, after time.Time, clk clock.PassiveClock) error {
	at := l.at(place{accountID: account.AccountID})
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.begun.After(after) {
		return nil
	}
	now := clk.Now()
	if _, err := account.Cloud.Mirror().Refresh(ctx); err != nil {
		return err
	}
	at.begun = now
	return nil
}

func (l *Listings) at(p place) *listing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last[p] == nil {
		l.last[p] = &listing{}
	}
	return l.last[p]
}
