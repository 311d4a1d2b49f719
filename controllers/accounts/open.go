package accounts

// Open reports whether the namespace of the object may use the account, whatever
// the object's spec says.
func (in Inputs) Open() bool { return in.Check(nil) == nil }
