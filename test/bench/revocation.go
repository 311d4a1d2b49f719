package main

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// amongNext is how many writes to AWS may come before the first of a revocation,
// itself included.
const amongNext = 5

func keyOf(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }

// concerns picks the writes that concern a user: its attachments and its policy,
// whose name holds the user's.
func concerns(user string) func(calls.Call) bool {
	return func(c calls.Call) bool {
		return changes(c) && (c.Parameters["UserName"] == user || strings.Contains(c.Parameters["PolicyArn"], "-"+user+"-"))
	}
}

// revocation deletes one grant while there is nothing else to do.
func revocation() row {
	return row{
		name: "revoke one grant, idle",
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			user := w.users[1]
			object := access(grantName(user, 0), user, nil)
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			if err := w.delete(ctx, object); err != nil {
				return used{}, nil, err
			}
			detached, err := w.env.WaitCall(ctx, from.call, func(c calls.Call) bool { return c.Operation == "DetachUserPolicy" })
			if err != nil {
				return used{}, nil, err
			}
			if err := testenv.WaitGone(ctx, w.env.Client, object); err != nil {
				return used{}, nil, err
			}
			u, err := w.since(ctx, from)
			return u, []figure{millis("time until the permission goes", detached.Time.Sub(from.at))}, err
		},
		until: "until the object is gone",
		most: bounds{
			calls: unbounded, awsWrites: writesPerRevocation, status: unbounded, other: unbounded, events: unbounded,
			cpu: unbounded, memory: unbounded,
		},
	}
}

// revocationBehind deletes one grant while a great many new ones wait for the
// limiter.
func revocationBehind(grants, principals int) row {
	return row{
		name: fmt.Sprintf("revoke one grant while %d new ones over %d principals wait, default rate", grants, principals),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.start(); err != nil {
				return err
			}
			if err := w.declareAccount(ctx); err != nil {
				return err
			}
			deleted := make([]*v1alpha1.SessionAccess, victims)
			for i := range deleted {
				deleted[i] = access(w.users[i], w.users[i], instanceIDs(i, 0, 1))
			}
			if err := createAll(ctx, w, deleted); err != nil {
				return err
			}
			if err := w.waitReady(ctx, victims); err != nil {
				return err
			}
			queued := make([]*v1alpha1.SessionAccess, grants)
			for i := range queued {
				user := w.users[victims+i%principals]
				queued[i] = access(fmt.Sprintf("queued-%04d", i), user, instanceIDs(victims+i, 0, 2))
			}
			return createAll(ctx, w, queued)
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			return w.revokeAmong(ctx, w.users[0], func() error { return nil })
		},
		until: untilFirstWrite,
		most:  free,
	}
}

// revocationAfterRestart deletes one grant while the manager is down and the
// queue of new grants is far from done.
func revocationAfterRestart(grants int) row {
	return row{
		name:    fmt.Sprintf("the same while the manager is down, of %d grants", grants),
		prepare: func(_ context.Context, w *world) error { return w.stop() },
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			return w.revokeAmong(ctx, w.users[1], func() error { return w.start() })
		},
		until: untilFirstWrite,
		most:  free,
	}
}

// untilFirstWrite says what the time of a revocation among others is. What is used
// meanwhile is the queue's too.
const untilFirstWrite = "until its first write to AWS"

// revokeAmong deletes a user's grant, does what comes then, and finds the first
// write that concerns the user among all writes.
func (w *world) revokeAmong(ctx context.Context, user string, then func() error) (used, []figure, error) {
	waiting, err := w.unready(ctx)
	if err != nil {
		return used{}, nil, err
	}
	from, err := w.read(ctx)
	if err != nil {
		return used{}, nil, err
	}
	if err := w.delete(ctx, access(user, user, nil)); err != nil {
		return used{}, nil, err
	}
	if err := then(); err != nil {
		return used{}, nil, err
	}
	first, err := w.env.WaitCall(ctx, from.call, concerns(user))
	if err != nil {
		return used{}, nil, err
	}
	u, err := w.since(ctx, from)
	if err != nil {
		return used{}, nil, err
	}
	u.took = first.Time.Sub(from.at)
	position := 0
	for _, call := range u.aws {
		if changes(call) && call.N <= first.N {
			position++
		}
	}
	return u, []figure{
		count("grants that wait", waiting),
		within("position of its first write to AWS", position, amongNext),
	}, nil
}

// unready counts the SessionAccesses that are not ready.
func (w *world) unready(ctx context.Context) (int, error) {
	var all v1alpha1.SessionAccessList
	if err := w.env.Client.List(ctx, &all); err != nil {
		return 0, fmt.Errorf("list the SessionAccesses: %w", err)
	}
	n := 0
	for i := range all.Items {
		if !w.ready(&all.Items[i]) {
			n++
		}
	}
	return n, nil
}
