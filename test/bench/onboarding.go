package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const (
	// instances that each grant is for.
	instances = 10
	// apart is how many instances separate two grants of one user. They overlap by
	// half, so that ten grants fit into one policy of the size that IAM allows.
	apart = instances / 2
)

// load is what a suite declares, and what it may cost.
type load struct {
	// users, and grants of each of them.
	users, each int
	// fleets are how many sets of nodes there are: users of one set may reach the
	// same nodes.
	fleets int
	// first means that everything is declared before the manager starts, which
	// then finds one batch. Otherwise the manager is faster than the declarations.
	first bool
	// resyncCalls bounds the calls to IAM and STS of a resync or a restart.
	resyncCalls float64
	// cpu bounds the manager's CPU time of an onboarding, resyncCPU that of a
	// resync, in seconds, and memory its peak in MiB. NaN: it is not bounded.
	cpu, resyncCPU, memory float64
	// interval between resyncs and time to watch one: so short that one comes
	// soon, and so long that it ends before the next.
	interval, watch time.Duration
}

// grants that are declared.
func (l load) grants() int { return l.users * l.each }

// machines are the instances of all grants, and one more of each set, which a
// change adds.
func (l load) machines() func(*fixtures.Account, *fixtures.Region) {
	return connected(l.fleets, apart*(l.each-1)+instances+1)
}

// accesses are the declarations.
func (l load) accesses(users []string) []*v1alpha1.SessionAccess {
	all := make([]*v1alpha1.SessionAccess, 0, l.grants())
	for i, user := range users {
		for j := range l.each {
			all = append(all, access(grantName(user, j), user, instanceIDs(i%l.fleets, apart*j, instances)))
		}
	}
	return all
}

// grantName is the name of a user's grant number j.
func grantName(user string, j int) string { return fmt.Sprintf("%s-%d", user, j) }

// onboarding creates all of the load at once. It ends when everything has been
// written, so that nothing of it is counted as a restart's.
func onboarding(l load) row {
	return row{
		name: fmt.Sprintf("onboard %d users, %d grants of %d instances each", l.users, l.grants(), instances),
		prepare: func(ctx context.Context, w *world) error {
			if l.first {
				return l.declare(ctx, w)
			}
			return w.start()
		},
		measure: func(ctx context.Context, w *world) (used, []figure, error) {
			from, err := w.read(ctx)
			if err != nil {
				return used{}, nil, err
			}
			if l.first {
				err = w.start()
			} else {
				err = l.join(ctx, w)
			}
			if err != nil {
				return used{}, nil, err
			}
			return l.settled(ctx, w, from)
		},
		until: "until all report whether their nodes are reachable",
		most: bounds{
			calls: l.identityCalls(), awsWrites: writesPerUser * float64(l.users),
			status: statusWritesPerObject * float64(l.grants()+1), other: unbounded, events: unbounded,
			cpu: l.cpu, memory: l.memory,
		},
	}
}

// declare creates the account and all of the load.
func (l load) declare(ctx context.Context, w *world) error {
	if err := w.declareAccount(ctx); err != nil {
		return err
	}
	return createAll(ctx, w, l.accesses(w.users))
}

// join creates the account, and all of the load once it is verified: before, an
// object would first say that it waits for it.
func (l load) join(ctx context.Context, w *world) error {
	if err := w.declareAccount(ctx); err != nil {
		return err
	}
	main := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: accountName}}
	_, err := testenv.WaitFor(ctx, w.env.Client, main, func(a *v1alpha1.AWSAccount) bool {
		return meta.IsStatusConditionTrue(a.Status.Conditions, v1alpha1.ConditionReady)
	})
	if err != nil {
		return fmt.Errorf("wait for the account: %w", err)
	}
	return createAll(ctx, w, l.accesses(w.users))
}

// settled waits until everything has been written, and says what it took.
func (l load) settled(ctx context.Context, w *world, from reading) (used, []figure, error) {
	if err := w.waitReady(ctx, l.grants()); err != nil {
		return used{}, nil, err
	}
	ready := time.Since(from.at)
	if err := w.waitSettled(ctx, l.grants()); err != nil {
		return used{}, nil, err
	}
	u, err := w.since(ctx, from)
	return u, []figure{
		ratio("calls to IAM and STS a grant", float64(u.identityCalls())/float64(l.grants())),
		seconds("time until all are ready", ready),
	}, err
}

// identityCalls bounds the calls to IAM and STS of an onboarding: those that AWS
// needs for a grant, or, where a user has several, the writes that are allowed.
func (l load) identityCalls() float64 {
	if l.each > 1 {
		return writesPerUser*float64(l.users) + callsOnTop
	}
	return callsPerUser*float64(l.users) + callsOnTop
}

// unbounded is no bound.
var unbounded = math.NaN()

// free bounds nothing.
var free = bounds{
	calls: unbounded, awsWrites: unbounded, status: unbounded, other: unbounded, events: unbounded, cpu: unbounded, memory: unbounded,
}
