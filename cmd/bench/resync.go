package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/calls"
)

// restartWatch is how long a restarted manager is watched: longer than it takes
// until what it has read counts as proof.
const restartWatch = cloud.ConsistencyWindow + 10*time.Second

// idle is the figures of a manager that finds nothing to do but, at most, to
// write so many statuses.
func (l load) idle(u used, statuses, cpu float64) []figure {
	figures := []figure{within("calls to IAM and STS", u.identityCalls(), l.resyncCalls)}
	figures = append(figures, u.byAction()...)
	return append(figures,
		within("writes to AWS", u.awsWrites(), 0),
		within("status writes", u.status, statuses),
		within("other writes to our kinds", u.other, 0),
		within("events", u.events, 0),
		seconds("CPU of the manager", u.cpu).bounded(cpu),
	)
}

// restart starts the manager on an account and a cluster that agree.
func restart(l load) row {
	return row{
		name:    fmt.Sprintf("restart, watched for %s", restartWatch),
		prepare: func(_ context.Context, w *world) error { return w.manager.Stop() },
		measure: func(ctx context.Context, w *world) ([]figure, error) {
			w.manager = nil // The new process begins at 0.
			from, err := w.read(ctx)
			if err != nil {
				return nil, err
			}
			if err := w.start(); err != nil {
				return nil, err
			}
			read, err := w.env.WaitCall(ctx, from.call, bulkRead)
			if err != nil {
				return nil, err
			}
			if err := watch(ctx, restartWatch); err != nil {
				return nil, err
			}
			u, err := w.since(ctx, from)
			if err != nil {
				return nil, err
			}
			return append([]figure{millis("time to the first bulk read", read.Time.Sub(from.at))}, append(l.idle(u, statusWritesAtRestart, unbounded), w.peakMemory(l.memory))...), nil
		},
	}
}

// resync reads an account anew that agrees with the cluster.
func resync(l load) row {
	return row{
		name: "resync",
		prepare: func(ctx context.Context, w *world) error {
			if err := w.manager.Stop(); err != nil {
				return err
			}
			from := w.env.LastCall()
			if err := w.start(l.resyncFlag()); err != nil {
				return err
			}
			if _, err := w.env.WaitCall(ctx, from, bulkRead); err != nil {
				return err
			}
			return watch(ctx, l.interval/2)
		},
		measure: func(ctx context.Context, w *world) ([]figure, error) {
			u, err := l.nextResync(ctx, w)
			return append(l.idle(u, 0, l.resyncCPU), w.peakMemory(l.memory)), err
		},
	}
}

// nextResync is what the next resync uses, watched to its end.
func (l load) nextResync(ctx context.Context, w *world) (used, error) {
	from, err := w.read(ctx)
	if err != nil {
		return used{}, err
	}
	if _, err := w.waitCall(ctx, from.call, bulkRead); err != nil {
		return used{}, err
	}
	if err := watch(ctx, l.watch); err != nil {
		return used{}, err
	}
	return w.since(ctx, from)
}

// resyncFlag has the manager read the account as often as the load says.
func (l load) resyncFlag() string { return fmt.Sprintf("--resync-interval=%s", l.interval) }

func bulkRead(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" }
