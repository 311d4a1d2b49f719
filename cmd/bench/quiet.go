package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
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
	// statusWritesAtRestart is the AWSAccount's, whose status shows how many
	// policies there are and was last written before they were.
	statusWritesAtRestart = 1
)

// settling is the time in which a manager that was started does what a start
// brings with it.
const settling = 10 * time.Second

// change adds an instance to one grant.
func change() row {
	return row{
		name: "change one grant",
		prepare: func(ctx context.Context, w *world) error {
			if err := w.manager.Stop(); err != nil {
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
		measure: func(ctx context.Context, w *world) ([]figure, error) {
			object := access(grantName(w.users[0], 0), w.users[0], nil)
			if err := w.env.Client.Get(ctx, keyOf(object), object); err != nil {
				return nil, err
			}
			from, err := w.read(ctx)
			if err != nil {
				return nil, err
			}
			object.Spec.Targets[0].InstanceIDs = instanceIDs(0, 0, instances+1)
			w.own++
			if err := w.env.Client.Update(ctx, object); err != nil {
				return nil, fmt.Errorf("change SessionAccess %s: %w", object.Name, err)
			}
			if _, err := testenv.WaitReady(ctx, w.env.Client, object); err != nil {
				return nil, err
			}
			ready := time.Since(from.at)
			u, err := w.since(ctx, from)
			if err != nil {
				return nil, err
			}
			return append(append([]figure{within("writes to AWS", u.awsWrites(), 1)}, u.byAction()...),
				millis("time until it is ready", ready),
				within("status writes", u.status, statusWritesPerObject),
			), nil
		},
	}
}
