package hybridactivation

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// turns gives each of many its turn where one pass takes some of them only: what fails is
// not tried again before the others were. A round ends when each was tried. Another
// process begins a new round. The zero value is ready.
type turns struct {
	mu sync.Mutex
	// tried are those of the round that is under way.
	tried map[turnsOf]map[string]bool
}

// turnsOf is whose turns they are, such as the UID of an object, and for what.
type turnsOf struct{ of, to string }

// leftOver is what a pass left to do.
type leftOver struct {
	left int
	// more: some of it has not had its turn in this round.
	more bool
}

// next takes at most n of ids for one pass, in their order. more reports whether others
// wait for their turn in this round.
func (t *turns) next(key turnsOf, ids []string, n int) (batch []string, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tried := map[string]bool{}
	waiting := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		if t.tried[key][id] {
			tried[id] = true
		}
		return tried[id]
	})
	if len(waiting) == 0 {
		tried, waiting = map[string]bool{}, ids
	}
	batch = waiting[:min(n, len(waiting))]
	if len(batch) == len(waiting) {
		delete(t.tried, key)
		return batch, false
	}
	for _, id := range batch {
		tried[id] = true
	}
	if t.tried == nil {
		t.tried = map[turnsOf]map[string]bool{}
	}
	t.tried[key] = tried
	return batch, true
}

// forget forgets the rounds of one that is gone.
func (t *turns) forget(of string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range t.tried {
		if key.of == of {
			delete(t.tried, key)
		}
	}
}

// names remembers which nodes are known to carry the tag TagObject of their
// object. It does not outlive the process: the next one reads the tags once more.
// The zero value is ready.
type names struct {
	mu    sync.Mutex
	known map[types.UID]*named
}

type named struct {
	nodes map[string]bool
	// released are the nodes that were marked when the object was deleted.
	released map[string]bool
	// sought is when nodes of an earlier object were looked up last.
	sought time.Time
	// found: the last time, there were some.
	found bool
}

func (n *names) of(uid types.UID) *named {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[types.UID]*named{}
	}
	if n.known[uid] == nil {
		n.known[uid] = &named{nodes: map[string]bool{}, released: map[string]bool{}}
	}
	return n.known[uid]
}

func (n *names) forget(uid types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, uid)
}

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
