package iam

import (
	"iter"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// tree is an immutable ordered map with string keys.
type tree[V any] struct{ t *iradix.Tree[V] }

func newTree[V any]() tree[V] { return tree[V]{iradix.New[V]()} }

func (t tree[V]) get(key string) (V, bool) { return t.t.Get([]byte(key)) }

func (t tree[V]) len() int { return t.t.Len() }

// with returns the tree with one more entry, or one replaced.
func (t tree[V]) with(key string, value V) tree[V] {
	next, _, _ := t.t.Insert([]byte(key), value)
	return tree[V]{next}
}

// without returns the tree less one entry.
func (t tree[V]) without(key string) tree[V] {
	next, _, _ := t.t.Delete([]byte(key))
	return tree[V]{next}
}

// after yields the entries in the order of their keys, those up to and
// including the one named left out; "" leaves out none.
func (t tree[V]) after(key string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		it := t.t.Root().Iterator()
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

// below yields the entries whose keys begin with prefix, in order.
func (t tree[V]) below(prefix string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		it := t.t.Root().Iterator()
		it.SeekPrefix([]byte(prefix))
		for k, v, ok := it.Next(); ok; k, v, ok = it.Next() {
			if !yield(string(k), v) {
				return
			}
		}
	}
}

// countBelow counts the entries whose keys begin with prefix.
func (t tree[V]) countBelow(prefix string) int {
	n := 0
	for range t.below(prefix) {
		n++
	}
	return n
}
