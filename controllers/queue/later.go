package queue

import (
	"container/heap"
	"maps"
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/fair"
)

// demand is for whom an item waits, and how urgent it is for each.
type demand struct {
	account string
	tenants map[string]int // priorities
}

// with is the demand of both. The higher priority holds.
func (d demand) with(e demand) demand {
	both := demand{account: d.account, tenants: maps.Clone(d.tenants)}
	for tenant, priority := range e.tenants {
		if known, ok := both.tenants[tenant]; !ok || known < priority {
			both.tenants[tenant] = priority
		}
	}
	return both
}

// revokes reports whether a tenant asks for a revocation.
func (d demand) revokes() bool {
	for _, priority := range d.tenants {
		if IsRevocation(priority) {
			return true
		}
	}
	return false
}

// turns are where the item waits once it is ready, in a stable order.
func (d demand) turns() []fair.Turn {
	turns := make([]fair.Turn, 0, len(d.tenants))
	for _, tenant := range slices.Sorted(maps.Keys(d.tenants)) {
		turns = append(turns, fair.Turn{Class: classOf(d.tenants[tenant]), Account: d.account, Tenant: tenant})
	}
	return turns
}

// later holds the items that wait for a time. The zero value is empty.
type later[T comparable] struct {
	order delays[T]
	items map[T]*delay[T]
}

type delay[T comparable] struct {
	item T
	demand
	at    time.Time
	index int
}

// add has an item wait until a time. Of several times the earliest holds.
func (l *later[T]) add(item T, d demand, at time.Time) {
	if known, ok := l.items[item]; ok {
		known.demand = d.with(known.demand)
		if at.Before(known.at) {
			known.at = at
			heap.Fix(&l.order, known.index)
		}
		return
	}
	if l.items == nil {
		l.items = map[T]*delay[T]{}
	}
	l.items[item] = &delay[T]{item: item, demand: d, at: at}
	heap.Push(&l.order, l.items[item])
}

func (l *later[T]) remove(item T) (d demand, ok bool) {
	known, ok := l.items[item]
	if !ok {
		return demand{}, false
	}
	heap.Remove(&l.order, known.index)
	delete(l.items, item)
	return known.demand, true
}

// joins reports whether an item waits for a time which something that is asked for at once
// ends. A grant does not end the wait of a revocation that failed.
func (l *later[T]) joins(item T, d demand) bool {
	waits, ok := l.items[item]
	return ok && (d.revokes() || !waits.revokes())
}

// first is when the first item is due.
func (l *later[T]) first() (at time.Time, ok bool) {
	if len(l.order) == 0 {
		return time.Time{}, false
	}
	return l.order[0].at, true
}

// due removes an item whose time has come.
func (l *later[T]) due(now time.Time) (item T, d demand, ok bool) {
	if at, some := l.first(); !some || at.After(now) {
		return item, demand{}, false
	}
	item = l.order[0].item
	d, ok = l.remove(item)
	return item, d, ok
}

// delays implement heap.Interface by time.
type delays[T comparable] []*delay[T]

func (d delays[T]) Len() int           { return len(d) }
func (d delays[T]) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d delays[T]) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].index, d[j].index = i, j
}

// Push implements heap.Interface.
func (d *delays[T]) Push(x any) {
	added := x.(*delay[T])
	added.index = len(*d)
	*d = append(*d, added)
}

// Pop implements heap.Interface.
func (d *delays[T]) Pop() any {
	last := (*d)[len(*d)-1]
	(*d)[len(*d)-1] = nil
	*d = (*d)[:len(*d)-1]
	return last
}
