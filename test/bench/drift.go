package main

import (
	"context"
	"fmt"
	"strings"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
)

// drift detaches the policies of one user in a hundred, as a user of the console
// would, and waits until the next resync has attached them again.
func drift(l load) row {
	drifted := max(1, l.users/100)
	return row{
		name: fmt.Sprintf("drift: %d of %d users lose their policy", drifted, l.users),
		prepare: func(ctx context.Context, w *world) error {
			_, err := w.waitCall(ctx, w.env.LastCall(), bulkRead)
			if err != nil {
				return err
			}
			if err := watch(ctx, l.watch); err != nil {
				return err
			}
			return w.detach(ctx, w.users[:drifted])
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			read, err := w.waitCall(ctx, from.call, bulkRead)
			if err != nil {
				return used{}, nil, err
			}
			last, err := w.waitAttached(ctx, from.call, drifted)
			if err != nil {
				return used{}, nil, err
			}
			if err := watch(ctx, l.watch); err != nil {
				return used{}, nil, err
			}
			u, err := w.since(ctx, from)
			if err != nil {
				return used{}, nil, err
			}
			u.took = last.Time.Sub(read.Time)
			return u, nil, nil
		},
		until: "from the read to the last repair",
		most: bounds{
			calls: unbounded, awsWrites: float64(drifted), status: unbounded, other: unbounded, events: unbounded,
			cpu: unbounded, memory: l.memory,
		},
	}
}

// detach takes what the operator attached off users.
func (w *world) detach(ctx context.Context, users []string) error {
	admin := awsiam.NewFromConfig(w.env.AWSConfig(w.env.Credentials("admin")))
	for _, user := range users {
		attached, err := admin.ListAttachedUserPolicies(ctx, &awsiam.ListAttachedUserPoliciesInput{UserName: &user})
		if err != nil {
			return fmt.Errorf("list the policies of %s: %w", user, err)
		}
		for _, p := range attached.AttachedPolicies {
			if !strings.Contains(*p.PolicyArn, "/ssm-access/") {
				continue
			}
			if _, err := admin.DetachUserPolicy(ctx, &awsiam.DetachUserPolicyInput{UserName: &user, PolicyArn: p.PolicyArn}); err != nil {
				return fmt.Errorf("detach a policy from %s: %w", user, err)
			}
		}
	}
	return nil
}

// waitAttached waits for so many attachments and returns the last.
func (w *world) waitAttached(ctx context.Context, since, n int) (last calls.Call, err error) {
	last.N = since
	for range n {
		last, err = w.waitCall(ctx, last.N, func(c calls.Call) bool { return c.Operation == "AttachUserPolicy" })
		if err != nil {
			return last, err
		}
	}
	return last, nil
}
