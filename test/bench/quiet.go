package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// Bounds on the calls to IAM and STS of an onboarding.
	callsPerUser = 2.1
	callsOnTop   = 30
	// writesPerUser bounds the writes to AWS of an onboarding, and
	// writesPerRevocation those of a revocation, for each principal.
	writesPerUser       = 3
	writesPerRevocation = 3
	// statusWritesPerObject of a new object.
	statusWritesPerObject = 3
)

// settling is the time in which a manager that was started does what a start
// brings with it.
const settling = 10 * time.Second

// change adds an instance to one grant.
func change() row {
	return row{
		name: "change one grant",
		prepare: func(ctx context.Context, w *world) error {
			if err := w.stop(); err != nil {
				return err
			}
			from := w.env.LastCall()
			if err := w.start(); err != nil {
				return err
			}
			_, err := w.env.WaitCall(ctx, from, bulkRead)
			if err != nil {
				return err
			}
			return watch(ctx, settling)
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			object := access(grantName(w.users[0], 0), w.users[0], nil)
			if err := w.env.Client.Get(ctx, keyOf(object), object); err != nil {
				return used{}, nil, err
			}
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			object.Spec.Targets[0].InstanceIDs = instanceIDs(0, 0, instances+1)
			w.own[request("PUT", resourceOf(object))]++
			if err := w.env.Client.Update(ctx, object); err != nil {
				return used{}, nil, fmt.Errorf("change SessionAccess %s: %w", object.Name, err)
			}
			if _, err := testenv.WaitReady(ctx, w.env.Client, object); err != nil {
				return used{}, nil, err
			}
			u, err := w.since(ctx, from)
			return u, nil, err
		},
		until: "until it is ready",
		most: bounds{
			calls: unbounded, awsWrites: 1, status: statusWritesPerObject, other: unbounded, events: unbounded,
			cpu: unbounded, memory: unbounded,
		},
	}
}
