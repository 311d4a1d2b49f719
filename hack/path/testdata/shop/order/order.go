// Package order has the object.
package order

// Order is the object.
type Order struct {
	Number int
	Bill   *Bill
}

// Bill is its record.
type Bill struct{ Sum int }

// GetNumber is for interfaces.
func (o *Order) GetNumber() int { return o.Number }

// Numbered is a thing with a number.
type Numbered interface{ GetNumber() int }
