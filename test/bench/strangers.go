package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// strangersMemory bounds the manager's peak of memory, in MiB, whatever tenants
// declare that no account allows.
const strangersMemory = 150

// strangers shows that a tenant that no account allows cannot fill the manager's
// memory.
func strangers(n size) suite {
	bound := free
	bound.memory, bound.awsWrites = strangersMemory, 0
	restarted := bound
	restarted.status, restarted.other, restarted.events = 0, 0, 0
	return suite{
		name: "strangers", flags: unlimited(),
		rows: []row{
			{
				name:    fmt.Sprintf("%d objects of the largest size, in a namespace that no account allows", n.strangers),
				prepare: declareClosedAccount,
				measure: func(ctx context.Context, w *world) (used, []figure, error) {
					return declareStrangers(ctx, w, n.strangers)
				},
				until: "until all say that their namespace is not allowed", most: bound,
			},
			{
				name:    "restart with them",
				prepare: func(_ context.Context, w *world) error { return w.stop() },
				measure: restartQuietly,
				until:   "until it has been watched for 20s", most: restarted,
			},
		},
	}
}

// declareClosedAccount starts a manager and creates an account that allows no
// namespace.
func declareClosedAccount(ctx context.Context, w *world) error {
	if err := w.declareAccount(ctx); err != nil {
		return err
	}
	main := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName}}
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"allowedNamespaces":{"from":"Selector","selector":{"matchLabels":{"allowed":"true"}}}}}`))
	if err := w.env.Client.Patch(ctx, main, patch); err != nil {
		return fmt.Errorf("close the account: %w", err)
	}
	return w.start()
}

func declareStrangers(ctx context.Context, w *world, n int) (used, []figure, error) {
	from, err := w.read(ctx)
	if err != nil {
		return used{}, nil, err
	}
	targets, tags, err := largest(ctx, w)
	if err != nil {
		return used{}, nil, err
	}
	for i := range n { // One after the other: none is kept here.
		w.own[request("POST", "sessionaccesses")]++
		if err := w.env.Client.Create(ctx, stranger(fmt.Sprintf("stranger-%05d", i), targets, tags)); err != nil {
			return used{}, nil, fmt.Errorf("create stranger %d: %w", i, err)
		}
	}
	err = w.waitAccesses(ctx, n, func(a *v1alpha1.SessionAccess) bool {
		ready := meta.FindStatusCondition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == v1alpha1.ReasonNamespaceNotAllowed
	})
	if err != nil {
		return used{}, nil, err
	}
	u, err := w.since(ctx, from)
	return u, []figure{count("tags of each object", targets*tags)}, err
}

func restartQuietly(ctx context.Context, w *world) (used, []figure, error) {
	call := w.env.LastCall()
	if err := w.start(); err != nil {
		return used{}, nil, err
	}
	from, err := w.read(ctx)
	if err != nil {
		return used{}, nil, err
	}
	if _, err := w.env.WaitCall(ctx, call, bulkRead); err != nil {
		return used{}, nil, err
	}
	if err := watch(ctx, 2*settling); err != nil {
		return used{}, nil, err
	}
	u, err := w.since(ctx, from)
	return u, nil, err
}

// largest finds how many targets, and tags of each, the schema accepts.
func largest(ctx context.Context, w *world) (targets, tags int, err error) {
	targets, tags = 20, 50
	for {
		err := w.env.Client.Create(ctx, stranger("trial", targets, tags), client.DryRunAll)
		switch {
		case err == nil:
			return targets, tags, nil
		case !apierrors.IsInvalid(err) || tags == 1:
			return 0, 0, fmt.Errorf("find the largest SessionAccess: %w", err)
		case targets > 1:
			targets--
		default:
			tags--
		}
	}
}

// stranger is an object with tags that are as long as AWS takes them.
func stranger(name string, targets, tags int) *v1alpha1.SessionAccess {
	a := access(name, "user-0001", nil)
	a.Spec.NotAfter = &metav1.Time{Time: time.Now().Add(24 * time.Hour).Truncate(time.Second)}
	a.Spec.Targets = nil
	for i := range targets {
		target := v1alpha1.Target{Tags: map[string]string{}}
		for j := range tags {
			target.Tags[fmt.Sprintf("k%02d%02d%s", i, j, strings.Repeat("漢", 120))] = strings.Repeat("漢", 256)
		}
		a.Spec.Targets = append(a.Spec.Targets, target)
	}
	return a
}
