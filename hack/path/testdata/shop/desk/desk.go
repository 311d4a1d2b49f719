// Package desk handles orders.
package desk

import (
	"example.com/shop/order"
	"example.com/shop/store"
)

// Direct calls helpers of two files, and leads to the end through one that has no order.
func Direct(o *order.Order) {
	check(o)
	greet()
	price(o.Copy())
	check(o)
	send(o.Number)
}

// greet has nothing to do with orders.
func greet() { nod() }

func nod() {}

// send leads to the end.
func send(n int) { store.Write(n) }

// Holding passes a struct with an order.
func Holding(wanted *order.Order) { pack(parcel{content: wanted}) }

// Passing passes a function on.
func Passing(all []order.Order) { each(all, check) }

func each(list []order.Order, do func(*order.Order)) {
	for i := range list {
		do(&list[i])
	}
}

// Hidden passes the order as an interface.
func Hidden(o *order.Order) { label(o) }

// Other passes something else as the same interface.
func Other() { label(nobody{}) }

// Circle mentions itself through another.
func Circle(o *order.Order) { back(o) }

func back(o *order.Order) { Circle(o) }
