package accounts

// Open reports whether the namespace of the object may use the account, regardless of the
// object's spec.
func (in Inputs) Open() bool { return in.Check(nil) == nil }
