// Package reconcile holds the frame in which every kind is reconciled: Frame fetches an
// object, has its Kind converge it or clean up after it, and patches the status once with
// the Result. It owns the finalizer, the conditions, the events, and the translation of an
// error of AWS to a condition and a requeue.
//
// frame.go has the order of a reconcile, scope.go what a Kind can do during one, and
// result.go what it returns.
package reconcile
