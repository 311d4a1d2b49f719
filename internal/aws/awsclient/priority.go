package awsclient

import "context"

// Priority orders the requests that wait for the limiter.
type Priority uint8

// The priorities, most urgent first. A request that waits is overtaken by every
// more urgent one. Among equals the tenants take turns (WithTenant), and of one
// tenant the first come is the first served. One request in ten is the one that
// has waited longest, so that nothing starves: see package fair.
const (
	// Revocation ends access.
	Revocation Priority = iota
	// RetriedRevocation ends access too, and was tried before.
	RetriedRevocation
	// Grant gives access, and is what a context without priority has.
	Grant
	// Resync compares what AWS holds with what it should hold.
	Resync
	// Lookup reads a single thing that the next resync reads as well.
	Lookup

	priorities = 5
)

type (
	priorityKey struct{}
	tenantKey   struct{}
)

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

// WithTenant says for which tenant the AWS calls made with the context are. Those
// of one priority are admitted in turn. A context without a tenant is one of its
// own.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}
