package main

import (
	"context"
	"fmt"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// restartWatch is how long a restarted manager is watched: longer than it takes
// until what it has read counts as proof.
const restartWatch = awsclient.ConsistencyWindow + 10*time.Second

// idle bounds a manager that finds nothing to do: it writes nothing.
func (l load) idle(cpu float64) bounds {
	return bounds{calls: l.resyncCalls, cpu: cpu, memory: l.memory}
}

// restart starts the manager on an account and a cluster that agree.
func restart(l load) row {
	return row{
		name: fmt.Sprintf("restart with %d grants, watched for %s", l.grants(), restartWatch),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.waitUsage(ctx); err != nil {
				return err
			}
			return w.stop()
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			if err := w.start(); err != nil {
				return used{}, nil, err
			}
			read, err := w.env.WaitCall(ctx, from.call, bulkRead)
			if err != nil {
				return used{}, nil, err
			}
			if err := watch(ctx, restartWatch); err != nil {
				return used{}, nil, err
			}
			u, err := w.since(ctx, from)
			if err != nil {
				return used{}, nil, err
			}
			u.took = u.lastCall(from.at).Sub(from.at)
			return u, []figure{millis("time to the first bulk read", read.Time.Sub(from.at))}, nil
		},
		until: "until the last call to AWS",
		most:  l.idle(unbounded),
	}
}

// resync reads an account again that agrees with the cluster.
func resync(l load) row {
	return row{
		name: fmt.Sprintf("resync with %d grants", l.grants()),
		prepare: func(ctx context.Context, w *world) error {
			if err := w.stop(); err != nil {
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
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			u, err := l.nextResync(ctx, w)
			return u, nil, err
		},
		until: resyncUntil,
		most:  l.idle(l.resyncCPU),
	}
}

// resyncUntil says what the time of a resync is.
const resyncUntil = "from the first call to AWS to the last"

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
	u, err := w.since(ctx, from)
	u.took = u.span()
	return u, err
}

// waitUsage waits until the AWSAccount's status shows how many policies exist.
// The manager writes it some seconds after the last policy: a manager that is
// stopped before leaves that write to the next.
func (w *world) waitUsage(ctx context.Context) error {
	admin := awsiam.NewFromConfig(w.env.AWSConfig(w.env.Credentials("admin")))
	summary, err := admin.GetAccountSummary(ctx, &awsiam.GetAccountSummaryInput{})
	if err != nil {
		return fmt.Errorf("count the policies of the account: %w", err)
	}
	policies := summary.SummaryMap["Policies"]
	main := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName}}
	_, err = testenv.WaitFor(ctx, w.env.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return a.Status.Policies != nil && a.Status.Policies.Used != nil && *a.Status.Policies.Used == policies
	})
	if err != nil {
		return fmt.Errorf("wait until the account shows its %d policies: %w", policies, err)
	}
	return nil
}

// resyncFlag makes the manager read the account as often as the load says.
func (l load) resyncFlag() string { return fmt.Sprintf("--resync-interval=%s", l.interval) }

func bulkRead(c calls.Call) bool { return c.Operation == "GetAccountAuthorizationDetails" }
