package metrics

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// until is what a revocation is timed to.
type until string

const (
	untilPermission until = "permission"
	untilSessions   until = "sessions"
)

type revocationKey struct {
	uid types.UID
	until
}

// maxTimed bounds the revocations that are timed at once. Objects that vanish
// past their finalizer leave theirs behind.
const maxTimed = 20_000

// revocations are those under way, with the time at which this process saw them
// first.
type revocations struct {
	mu    sync.Mutex
	began map[revocationKey]time.Time
}

// RevocationSeen starts the timer of a revocation. A running timer is kept.
func (m *Metrics) RevocationSeen(uid types.UID, now time.Time) {
	if m == nil {
		return
	}
	m.inFlight.mu.Lock()
	defer m.inFlight.mu.Unlock()
	if _, under := m.inFlight.began[revocationKey{uid, untilSessions}]; under || len(m.inFlight.began) >= maxTimed {
		return
	}
	m.inFlight.began[revocationKey{uid, untilPermission}] = now
	m.inFlight.began[revocationKey{uid, untilSessions}] = now
}

// since is when this process saw a revocation begin that is under way; zero where
// it did not.
func (r *revocations) since(uid types.UID) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.began[revocationKey{uid, untilSessions}]
}

// PermissionGone ends the first part: no policy grants it any more. A revocation
// that this process did not see begin is not timed.
func (m *Metrics) PermissionGone(uid types.UID, accountID string, now time.Time) {
	m.end(uid, untilPermission, accountID, now)
}

// RevocationDone ends the second part: sessions have ended, or were left.
func (m *Metrics) RevocationDone(uid types.UID, accountID string, now time.Time) {
	m.end(uid, untilSessions, accountID, now)
}

func (m *Metrics) end(uid types.UID, what until, accountID string, now time.Time) {
	if m == nil {
		return
	}
	m.inFlight.mu.Lock()
	began, ok := m.inFlight.began[revocationKey{uid, what}]
	delete(m.inFlight.began, revocationKey{uid, what})
	m.inFlight.mu.Unlock()
	if ok {
		m.revocations.WithLabelValues(accountID, string(what)).Observe(now.Sub(began).Seconds())
	}
}
