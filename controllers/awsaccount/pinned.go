package awsaccount

import (
	"sync"
	"time"
)

// pinnedFor is how long a policy is kept that only objects without a record ask
// for: their references may resolve soon after a restore. Without a bound, an
// object that never resolves would keep access that no object grants.
const pinnedFor = 5 * time.Minute

// pins remembers since when this process has seen policies kept so, by account id
// and name. The zero value is empty.
type pins struct {
	mu    sync.Mutex
	since map[string]map[string]time.Time
}

// keep gives those of the pinned policies of an account whose time is not over,
// and forgets the others that it knew.
func (p *pins) keep(accountID string, pinned []string, now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, seen := p.since[accountID], make(map[string]time.Time, len(pinned))
	var kept []string
	for _, name := range pinned {
		began, known := before[name]
		if !known {
			began = now
		}
		seen[name] = began
		if now.Sub(began) < pinnedFor {
			kept = append(kept, name)
		}
	}
	if p.since == nil {
		p.since = map[string]map[string]time.Time{}
	}
	p.since[accountID] = seen
	return kept
}
