package principal

import (
	"maps"
	"slices"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
)

// precedence has the grants of an account wait for the revocations that are found
// when it is verified, until each was tried once. That they are queued first does
// not do: a new process has a whole burst of calls to spend, and a machine that is
// busy may let a grant's worker run before a revocation's.
type precedence struct {
	mu sync.Mutex
	// due are the revocations that are still to be tried, by account id, and held
	// the principals whose grants wait for them.
	due, held map[string]map[outcome.Key]struct{}
}

// expect notes revocations that are about to be queued.
func (p *precedence) expect(keys ...outcome.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range keys {
		p.due = with(p.due, key)
	}
}

// hold says whether a principal's grants must wait. tried returns it then.
func (p *precedence) hold(key outcome.Key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due[key.AccountID]) == 0 {
		return false
	}
	p.held = with(p.held, key)
	return true
}

// tried notes that a principal's revocations were tried, whatever came of it. It
// returns the principals that need not wait any more.
func (p *precedence) tried(key outcome.Key) (free []outcome.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.due[key.AccountID], key)
	if len(p.due[key.AccountID]) > 0 {
		return nil
	}
	free = slices.Collect(maps.Keys(p.held[key.AccountID]))
	delete(p.held, key.AccountID)
	return free
}

func with(all map[string]map[outcome.Key]struct{}, key outcome.Key) map[string]map[outcome.Key]struct{} {
	if all == nil {
		all = map[string]map[outcome.Key]struct{}{}
	}
	if all[key.AccountID] == nil {
		all[key.AccountID] = map[outcome.Key]struct{}{}
	}
	all[key.AccountID][key] = struct{}{}
	return all
}
