// Package fair decides in which order the work of several accounts and tenants is served,
// so that none of them delays another. It is pure. The work queues and the limiter of calls
// to AWS both use it.
package fair

import (
	"cmp"
	"container/list"
	"slices"
)

// oldestEvery is how often the longest waiting item is served, whatever its
// class: one turn in so many. Without it, a tenant that keeps a class busy would
// starve every class below.
const oldestEvery = 10

// Turn is where an item waits.
type Turn struct {
	// Class orders items by urgency: the lowest class is served first.
	Class int
	// Account and Tenant take turns: the accounts of a class one after the other,
	// and the tenants of an account likewise. Either may be "".
	Account, Tenant string
}

// Rounds orders the items that wait. An item is served
//
//  1. by class, the most urgent first;
//  2. within a class by account, in turn;
//  3. within an account by tenant, in turn;
//  4. within a tenant, first come first served.
//
// One turn in ten goes to the item that has waited longest, if it came before the
// one whose turn it would be. So nothing starves, and an item of a less urgent
// class is never served before a more urgent one that came earlier.
//
// The zero value is empty and ready to use. It is not safe for concurrent use.
type Rounds[K comparable] struct {
	classes []*class[K] // most urgent first, none empty
	items   map[K][]*place[K]
	added   uint64
	served  uint64
}

// class holds the accounts that have items waiting in it.
type class[K comparable] struct {
	class    int
	accounts ring[*ring[*list.List]] // of accounts, of tenants; the lists hold *place[K]
}

// place is one of the places at which an item waits: it has one for each tenant
// that asked for it.
type place[K comparable] struct {
	key     K
	turn    Turn
	arrived uint64
	element *list.Element
}

// Len is how many items wait.
func (r *Rounds[K]) Len() int { return len(r.items) }

// Has reports whether an item waits.
func (r *Rounds[K]) Has(key K) bool { return len(r.items[key]) > 0 }

// Add has an item wait at a turn. Where it waits for the same tenant already, the
// more urgent of the two classes holds, and the place in an equal class is kept.
// What other tenants asked for is kept too: no tenant can push another's item
// back by asking for it.
func (r *Rounds[K]) Add(key K, turn Turn) {
	for _, p := range r.items[key] {
		if p.turn.Account != turn.Account || p.turn.Tenant != turn.Tenant {
			continue
		}
		if p.turn.Class <= turn.Class {
			return
		}
		r.leave(p)
		r.items[key] = slices.DeleteFunc(r.items[key], func(q *place[K]) bool { return q == p })
		break
	}
	r.added++
	p := &place[K]{key: key, turn: turn, arrived: r.added}
	p.element = r.waiting(turn).PushBack(p)
	if r.items == nil {
		r.items = map[K][]*place[K]{}
	}
	r.items[key] = append(r.items[key], p)
}

// Next takes the item whose turn it is among those that may be served now, and
// returns where it waited: the turn at which it is served, then those of other
// tenants.
func (r *Rounds[K]) Next(may func(Turn) bool) (key K, turns []Turn, ok bool) {
	p := r.first(may)
	if p == nil {
		return key, nil, false
	}
	if r.served++; r.served%oldestEvery == 0 {
		p = r.oldest(p, may)
	}
	r.charge(p.turn)
	turns = []Turn{p.turn}
	for _, other := range r.items[p.key] {
		if other != p {
			turns = append(turns, other.turn)
		}
	}
	r.Remove(p.key)
	return p.key, turns, true
}

// Remove has an item wait no longer.
func (r *Rounds[K]) Remove(key K) {
	for _, p := range r.items[key] {
		r.leave(p)
	}
	delete(r.items, key)
}

// first is the place whose turn it is; nil for none.
func (r *Rounds[K]) first(may func(Turn) bool) *place[K] {
	for _, c := range r.classes {
		for account := range c.accounts.inTurn {
			for waiting := range account.inTurn {
				if p := waiting.Front().Value.(*place[K]); may(p.turn) {
					return p
				}
			}
		}
	}
	return nil
}

// oldest is the place that has waited longest, or first where none has waited
// longer.
func (r *Rounds[K]) oldest(first *place[K], may func(Turn) bool) *place[K] {
	found := first
	for _, c := range r.classes {
		for account := range c.accounts.inTurn {
			for waiting := range account.inTurn {
				if p := waiting.Front().Value.(*place[K]); p.arrived < found.arrived && may(p.turn) {
					found = p
				}
			}
		}
	}
	return found
}

// charge moves an account and its tenant behind the others of the class.
func (r *Rounds[K]) charge(turn Turn) {
	at, _ := r.find(turn.Class)
	accounts := &r.classes[at].accounts
	accounts.get(turn.Account).toBack(turn.Tenant)
	accounts.toBack(turn.Account)
}

// waiting is the list of those that wait for a turn. It is created if it does
// not exist.
func (r *Rounds[K]) waiting(turn Turn) *list.List {
	at, found := r.find(turn.Class)
	if !found {
		r.classes = slices.Insert(r.classes, at, &class[K]{class: turn.Class})
	}
	accounts := &r.classes[at].accounts
	account := accounts.getOr(turn.Account, func() *ring[*list.List] { return &ring[*list.List]{} })
	return account.getOr(turn.Tenant, list.New)
}

// leave gives up a place, and forgets what is empty then.
func (r *Rounds[K]) leave(p *place[K]) {
	at, _ := r.find(p.turn.Class)
	accounts := &r.classes[at].accounts
	account := accounts.get(p.turn.Account)
	waiting := account.get(p.turn.Tenant)
	if waiting.Remove(p.element); waiting.Len() > 0 {
		return
	}
	if account.remove(p.turn.Tenant); account.len() > 0 {
		return
	}
	if accounts.remove(p.turn.Account); accounts.len() == 0 {
		r.classes = slices.Delete(r.classes, at, at+1)
	}
}

func (r *Rounds[K]) find(number int) (at int, found bool) {
	return slices.BinarySearchFunc(r.classes, number, func(c *class[K], n int) int { return cmp.Compare(c.class, n) })
}
