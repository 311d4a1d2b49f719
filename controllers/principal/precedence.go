package principal

import (
	"maps"
	"slices"
	"sync"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

// precedence has the grants of an account wait for the revocations that are found
// when it is verified, until each was tried once. That they are queued first does
// not do: a new process has a whole burst of calls to spend, and a machine that is
// busy may let a grant's worker run before a revocation's.
type precedence struct {
	mu sync.Mutex
	// due are the revocations that are still to be tried, by account id, and held
	// the principals whose grants wait for them.
	due, held map[string]map[grants.PrincipalKey]struct{}
}

// expect sets the revocations of an account that are about to be queued. Those
// that were due before and are not among them are gone, and would never be tried.
// It returns the principals that need not wait any more.
func (p *precedence) expect(accountID string, revocations []grants.PrincipalKey) (free []grants.PrincipalKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.due, accountID)
	for _, key := range revocations {
		if key.AccountID == accountID { // A record may name a former account too, which has its own turn.
			p.due = with(p.due, key)
		}
	}
	return p.free(accountID)
}

// hold reports whether a principal's grants must wait. expect or tried returns it
// then.
func (p *precedence) hold(key grants.PrincipalKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.due[key.AccountID]) == 0 {
		return false
	}
	p.held = with(p.held, key)
	return true
}

// tried records that a principal's revocations were tried, with any result. It
// returns the principals that need not wait any more.
func (p *precedence) tried(key grants.PrincipalKey) (free []grants.PrincipalKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.due[key.AccountID], key)
	return p.free(key.AccountID)
}

func (p *precedence) free(accountID string) []grants.PrincipalKey {
	if len(p.due[accountID]) > 0 {
		return nil
	}
	defer delete(p.held, accountID)
	return slices.Collect(maps.Keys(p.held[accountID]))
}

func with(all map[string]map[grants.PrincipalKey]struct{}, key grants.PrincipalKey) map[string]map[grants.PrincipalKey]struct{} {
	if all == nil {
		all = map[string]map[grants.PrincipalKey]struct{}{}
	}
	if all[key.AccountID] == nil {
		all[key.AccountID] = map[grants.PrincipalKey]struct{}{}
	}
	all[key.AccountID][key] = struct{}{}
	return all
}
