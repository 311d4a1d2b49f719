// Package ordered holds an immutable map that keeps its entries in the order
// of their keys. A change makes a new map that shares what stayed.
package ordered

import (
	"iter"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// Map is an immutable ordered map with string keys.
type Map[V any] struct{ t *iradix.Tree[V] }

// New returns an empty map.
func New[V any]() Map[V] { return Map[V]{iradix.New[V]()} }

// Get returns the value of a key.
func (m Map[V]) Get(key string) (V, bool) { return m.t.Get([]byte(key)) }

// Len is the number of entries.
func (m Map[V]) Len() int { return m.t.Len() }

// With returns the map with one more entry, or one replaced.
func (m Map[V]) With(key string, value V) Map[V] {
	next, _, _ := m.t.Insert([]byte(key), value)
	return Map[V]{next}
}

// Without returns the map less one entry.
func (m Map[V]) Without(key string) Map[V] {
	next, _, _ := m.t.Delete([]byte(key))
	return Map[V]{next}
}

// After yields the entries in the order of their keys, those up to and
// including the one named left out; "" leaves out none.
func (m Map[V]) After(key string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		it := m.t.Root().Iterator()
		if key != "" {
			it.SeekLowerBound([]byte(key + "\x00"))
		}
		for k, v, ok := it.Next(); ok; k, v, ok = it.Next() {
			if !yield(string(k), v) {
				return
			}
		}
	}
}

// Below yields the entries whose keys begin with prefix, in order.
func (m Map[V]) Below(prefix string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		it := m.t.Root().Iterator()
		it.SeekPrefix([]byte(prefix))
		for k, v, ok := it.Next(); ok; k, v, ok = it.Next() {
			if !yield(string(k), v) {
				return
			}
		}
	}
}

// CountBelow counts the entries whose keys begin with prefix.
func (m Map[V]) CountBelow(prefix string) int {
	n := 0
	for range m.Below(prefix) {
		n++
	}
	return n
}

// Values yields the values in the order of their keys.
func (m Map[V]) Values() iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range m.After("") {
			if !yield(v) {
				return
			}
		}
	}
}
