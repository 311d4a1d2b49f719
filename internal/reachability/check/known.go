package check

// Known is a fact that may be missing. The zero value is one that was not read.
type Known[T any] struct {
	value   T
	missing Missing
	ok      bool
}

// Missing says why a fact is not known.
type Missing struct {
	// Action is the IAM action that reads the fact, such as
	// "ec2:DescribeRouteTables". Empty when it was not read.
	Action string
	// Denied: the operator lacks permission for the action. Otherwise the call
	// failed.
	Denied bool
	// Owner is the account that alone sees the fact, as it belongs to it. Empty
	// where that is not why.
	Owner string
}

// Is is a fact that was read.
func Is[T any](value T) Known[T] { return Known[T]{value: value, ok: true} }

// Denied is a fact that the operator cannot read, because the action is denied.
func Denied[T any](action string) Known[T] {
	return Known[T]{missing: Missing{Action: action, Denied: true}}
}

// Unread is a fact whose reading failed in another way, such as an outage.
func Unread[T any](action string) Known[T] { return Known[T]{missing: Missing{Action: action}} }

// ownedBy is a fact that only another account sees.
func ownedBy[T any](account string) Known[T] { return Known[T]{missing: Missing{Owner: account}} }

// Get returns the fact, and whether it is known.
func (k Known[T]) Get() (T, bool) { return k.value, k.ok }

// Missing says why a fact is not known. It has no meaning for one that is.
func (k Known[T]) Missing() Missing { return k.missing }
