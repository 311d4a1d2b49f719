package cloud

import "context"

// Priority orders the requests that wait for the limiter.
type Priority uint8

// The priorities, most urgent first. A request that waits is overtaken by
// every more urgent one; among equals the first come is the first served.
const (
	// Revocation takes access away.
	Revocation Priority = iota
	// Grant gives access, and is what a context without priority has.
	Grant
	// Resync looks after what is as it should be.
	Resync

	priorities = 3
)

type priorityKey struct{}

// WithPriority gives the AWS calls made with the context a priority.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, p)
}

func priorityOf(ctx context.Context) Priority {
	if p, ok := ctx.Value(priorityKey{}).(Priority); ok && p < priorities {
		return p
	}
	return Grant
}
