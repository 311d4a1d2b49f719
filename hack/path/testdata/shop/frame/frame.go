// Package frame is the same for every kind.
package frame

import "example.com/shop/order"

// Kind handles one kind.
type Kind[T order.Numbered] interface{ Handle(in *Scope[T]) }

// Scope has the object.
type Scope[T order.Numbered] struct{ Object T }

// Frame calls a kind.
type Frame[T order.Numbered] struct{ kind Kind[T] }

// Run is an entry.
func (f *Frame[T]) Run(t T) {
	s := &Scope[T]{Object: t}
	f.kind.Handle(s)
	s.number()
}

func (s *Scope[T]) number() int { return s.Object.GetNumber() }

// Orders handles orders.
type Orders struct{}

// Handle handles an order.
func (Orders) Handle(in *Scope[*order.Order]) { pick(in.Object) }

func pick[X any](from X) X { return from }

// Visit is another object.
type Visit struct{}

// GetNumber is for interfaces.
func (*Visit) GetNumber() int { return 0 }

// Visits handles visits.
type Visits struct{}

// Handle handles a visit.
func (Visits) Handle(in *Scope[*Visit]) {}
