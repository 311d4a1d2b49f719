package hybridactivation

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// roleSettling is how long a role may take to be seen everywhere after it was
	// made.
	roleSettling = time.Minute
	// roleDelay is how often it is tried meanwhile.
	roleDelay = 10 * time.Second
)

// roleRetry bounds how long the operator waits for the role of an object. A restart
// of the process starts the wait again.
type roleRetry struct {
	mu    sync.Mutex
	since map[waited]time.Time
}

type waited struct {
	object types.UID
	role   string
}

// wait says when to try a role again, and whether it is still waited for: after
// that, only the next resync tries.
func (p *roleRetry) wait(object types.UID, role string, now time.Time) (after time.Duration, patient bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := waited{object, role}
	if p.since == nil {
		p.since = map[waited]time.Time{}
	}
	if p.since[key].IsZero() {
		p.since[key] = now
	}
	if now.Sub(p.since[key]) >= roleSettling {
		return 0, false
	}
	return roleDelay, true
}

// forget forgets the roles of an object.
func (p *roleRetry) forget(object types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.since {
		if key.object == object {
			delete(p.since, key)
		}
	}
}
