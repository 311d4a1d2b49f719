package main

import (
	"context"
	"fmt"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
)

// effects counts what it takes to see whether grants take effect, once IAM has caught up
// with them.
func effects(l load) row {
	return row{
		name: fmt.Sprintf("simulate %d grants, after the consistency window", l.grants()),
		// The account's status counts the policies some seconds after the last one. That
		// write is not one of the simulations.
		prepare: func(ctx context.Context, w *world) error { return w.waitUsage(ctx) },
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			last := func(c calls.Call) bool {
				return simulates(c) && used{aws: w.env.Emulator.CallLog(from.call)}.count(simulates) >= l.users
			}
			if _, err := w.waitCall(ctx, from.call, last); err != nil {
				return used{}, nil, err
			}
			if err := watch(ctx, awsclient.ConsistencyWindow/4); err != nil {
				return used{}, nil, err
			}
			u, err := w.since(ctx, from)
			if err != nil {
				return used{}, nil, err
			}
			u.took = u.lastCall(from.at).Sub(from.at)
			return u, []figure{within("simulations", u.count(simulates), float64(l.users))}, nil
		},
		until: "until the last call to AWS",
		most:  l.idle(unbounded),
	}
}
