// Package reconcile is the frame in which every kind is reconciled: Frame fetches an
// object, has its Kind converge it or clean up after it, and patches the status once with
// the Result. It owns the finalizer, the conditions, the events, and the way from an error
// of AWS to a condition and a requeue.
package reconcile
