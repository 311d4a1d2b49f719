package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// Bounds on the calls to IAM and STS.
const (
	callsPerGrant  = 2.1
	callsOnTop     = 30
	callsPerResync = 10
	// writesPerRevocation is for each principal.
	writesPerRevocation = 3
	// statusWritesPerObject of a new object.
	statusWritesPerObject = 3
	// statusWritesAtRestart is the AWSAccount's, whose status shows how many
	// policies there are and was last written before they were.
	statusWritesAtRestart = 1
)

const (
	// instances that each grant is for.
	instances = 10
	// restartWatch is how long a restarted manager is watched: longer than it
	// takes until what it has read counts as proof.
	restartWatch = cloud.ConsistencyWindow + 10*time.Second
	// resyncInterval is short here, so that one resync comes soon, and longer
	// than what follows it takes.
	resyncInterval = 20 * time.Second
	resyncWatch    = 10 * time.Second
)

// onboarding grants every user a session on ten instances each.
func onboarding(users int) row {
	return row{
		name:    fmt.Sprintf("onboard %d users, a grant of %d instances each", users, instances),
		prepare: func(_ context.Context, w *world) error { return w.start() },
		measure: func(ctx context.Context, w *world) ([]figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return nil, err
			}
			if err := w.declareAccount(ctx); err != nil {
				return nil, err
			}
			accesses := make([]*v1alpha1.SessionAccess, users)
			for i, user := range w.users {
				accesses[i] = access(user, user, i, instances)
			}
			if err := w.create(ctx, accesses...); err != nil {
				return nil, err
			}
			if err := w.waitReady(ctx, users); err != nil {
				return nil, err
			}
			u, err := w.since(ctx, from)
			if err != nil {
				return nil, err
			}
			figures := []figure{within("calls to IAM and STS", u.identityCalls(), callsPerGrant*float64(users)+callsOnTop)}
			figures = append(figures, u.byAction()...)
			return append(figures,
				ratio("calls a grant", float64(u.identityCalls())/float64(users)),
				seconds("time", u.took),
				within("status writes", u.status, statusWritesPerObject*float64(users+1)),
				count("other writes to our kinds", u.other),
				count("events", u.events),
				seconds("CPU of the manager", u.cpu),
				w.peakMemory(),
			), nil
		},
	}
}

// idle is the figures of a manager that finds nothing to do but, at most, to
// write so many statuses.
func (u used) idle(statuses float64) []figure {
	figures := []figure{within("calls to IAM and STS", u.identityCalls(), callsPerResync)}
	figures = append(figures, u.byAction()...)
	return append(figures,
		within("writes to AWS", u.awsWrites(), 0),
		within("status writes", u.status, statuses),
		within("other writes to our kinds", u.other, 0),
		within("events", u.events, 0),
		seconds("CPU of the manager", u.cpu),
	)
}

// restart starts the manager on an account and a cluster that agree.
func restart() row {
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
			return append([]figure{millis("time to the first bulk read", read.Time.Sub(from.at))}, u.idle(statusWritesAtRestart)...), nil
		},
	}
}

// resync reads an account anew that agrees with the cluster.
func resync() row {
	return row{
		name: "resync",
		prepare: func(ctx context.Context, w *world) error {
			if err := w.manager.Stop(); err != nil {
				return err
			}
			from := w.env.LastCall()
			if err := w.start(fmt.Sprintf("--resync-interval=%s", resyncInterval)); err != nil {
				return err
			}
			if _, err := w.env.WaitCall(ctx, from, bulkRead); err != nil {
				return err
			}
			return watch(ctx, resyncInterval/2)
		},
		measure: func(ctx context.Context, w *world) ([]figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return nil, err
			}
			if _, err := w.env.WaitCall(ctx, from.call, bulkRead); err != nil {
				return nil, err
			}
			if err := watch(ctx, resyncWatch); err != nil {
				return nil, err
			}
			u, err := w.since(ctx, from)
			return u.idle(0), err
		},
	}
}

func bulkRead(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" }

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
			return watch(ctx, resyncWatch)
		},
		measure: func(ctx context.Context, w *world) ([]figure, error) {
			object := access(w.users[0], w.users[0], 0, instances)
			if err := w.env.Client.Get(ctx, keyOf(object), object); err != nil {
				return nil, err
			}
			from, err := w.read(ctx)
			if err != nil {
				return nil, err
			}
			object.Spec.Targets[0].InstanceIDs = append(object.Spec.Targets[0].InstanceIDs, instanceID(0, instances))
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
