package fair

import "container/list"

// ring holds named values in the order in which their turns come. The zero value
// is empty.
type ring[V any] struct {
	order list.List // of named[V]
	at    map[string]*list.Element
}

type named[V any] struct {
	name  string
	value V
}

func (r *ring[V]) len() int { return len(r.at) }

// inTurn goes through the values in turn. The ring must not change meanwhile.
func (r *ring[V]) inTurn(yield func(V) bool) {
	for e := r.order.Front(); e != nil; e = e.Next() {
		if !yield(e.Value.(named[V]).value) {
			return
		}
	}
}

// get is the value of a name that the ring holds.
func (r *ring[V]) get(name string) V { return r.at[name].Value.(named[V]).value }

// getOr is the value of a name. One that the ring does not hold is made, and its
// turn comes last.
func (r *ring[V]) getOr(name string, create func() V) V {
	if e, ok := r.at[name]; ok {
		return e.Value.(named[V]).value
	}
	if r.at == nil {
		r.at = map[string]*list.Element{}
	}
	value := create()
	r.at[name] = r.order.PushBack(named[V]{name, value})
	return value
}

// toBack has the turn of a name come last.
func (r *ring[V]) toBack(name string) { r.order.MoveToBack(r.at[name]) }

func (r *ring[V]) remove(name string) {
	r.order.Remove(r.at[name])
	delete(r.at, name)
}
