// Package reconcile holds what the controllers of all kinds share: the
// finalizer, the conditions, the one status write, the events, and the way
// from an error of AWS to a condition and a requeue.
package reconcile
