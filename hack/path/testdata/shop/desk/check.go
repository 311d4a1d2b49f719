package desk

import "example.com/shop/order"

func check(o *order.Order) { sum(o.Bill) }

func sum(bill *order.Bill) int { return bill.Sum }

func price(o *order.Order) int {
	total := sum(o.Bill)
	return total
}

type parcel struct{ content *order.Order }

func pack(p parcel) { p.tie() }

func (p parcel) tie() {}

type nobody struct{}

func (nobody) GetNumber() int { return 0 }

func label(thing order.Numbered) {
	same := thing
	print(same.GetNumber())
}
