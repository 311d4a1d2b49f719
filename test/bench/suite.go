package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// row is one thing that is measured. Rows of a suite run one after another, each
// on what the one before has left.
type row struct {
	name string
	// prepare is not measured. Nil: there is nothing to prepare.
	prepare func(context.Context, *world) error
	// measure says what has been used, and the figures that only this row has.
	measure func(context.Context, *world) (used, []figure, error)
	// until says what the time that is measured ends with.
	until string
	most  bounds
}

// suite is rows that share an account and a cluster.
type suite struct {
	name string
	// users that the account has.
	users []string
	// machines adds what else the account has. Nil: nothing.
	machines func(*fixtures.Account, *fixtures.Region)
	// further are the accounts after the first.
	further []fixtures.Account
	// flags of the manager.
	flags []string
	rows  []row
	// optional suites are measured only when they, or all, are asked for.
	optional bool
}

// suites lists everything that is measured. This is where rows are added.
func suites(n size) []suite {
	return []suite{quiet(n), crowd(n), nodes(), others(), busy(n), neighbours(), strangers(n), large(n)}
}

// unlimited takes the limiter out of the way, where it would only add waiting to
// what is counted.
func unlimited() []string { return []string{"--aws-rate=100000", "--aws-burst=100000"} }

func quiet(n size) suite {
	l := load{
		users: n.users, each: 1, fleets: n.users, resyncCalls: 10, cpu: unbounded, resyncCPU: unbounded, memory: unbounded,
		interval: 20 * time.Second, watch: 10 * time.Second,
	}
	return suite{
		name: "quiet", users: names("user", n.users), machines: l.machines(), flags: unlimited(),
		rows: []row{onboarding(l), effects(l), restart(l), resync(l), change(), revocation(), closing()},
	}
}

// crowding is how many times the users of quiet crowd has.
const crowding = 5

// crowd shows whether the costs of an onboarding grow in proportion.
func crowd(n size) suite {
	users := crowding * n.users
	l := load{users: users, each: 1, fleets: users, cpu: unbounded, memory: unbounded}
	return suite{
		name: "crowd", users: names("user", users), machines: l.machines(), flags: unlimited(),
		rows: []row{onboarding(l)},
	}
}

// soon reads the account so often that a resync need not be waited for long.
var soon = load{interval: 30 * time.Second, watch: 15 * time.Second}

func nodes() suite {
	f := fleet{nodes: 1000, offline: 20, vpcs: 5, each: 50}
	return suite{
		name: "nodes", users: names("user", f.grants()), machines: f.machines, flags: unlimited(),
		rows: []row{reachability(f, soon)},
	}
}

func others() suite {
	// A list of nodes serves for two minutes: resyncs that are further apart read
	// it each time, as those of an operator at work do.
	l := load{interval: 130 * time.Second, watch: 30 * time.Second}
	return suite{
		name: "others", flags: unlimited(),
		rows: []row{steady(kinds{documents: 100, activations: 100, each: 10}, l)},
	}
}

// victims are the users of busy whose grants are deleted, one in each row.
const victims = 3

func busy(n size) suite {
	return suite{
		name: "busy", users: append(names("victim", victims), names("user", n.principals)...), machines: connected(victims+n.grants, 2),
		rows: []row{revocationBehind(n.grants, n.principals), closingBehind(n.grants), revocationAfterRestart(n.grants)},
	}
}

// neighbours shows that neither an account nor a tenant delays another. The rows
// are measured at the default rate.
func neighbours() suite {
	users := append(names("hung", hungPeople), "victim", "mine")
	return suite{
		name: "neighbours", users: users, machines: connected(hungPeople+crowdObjects+2, 2), further: []fixtures.Account{healthyAccount()},
		rows: []row{revocationBesideHang(), revocationBesideNeighbour(), resyncBesideInvented()},
	}
}

// large takes long, and is measured only when it is asked for.
func large(n size) suite {
	l := load{
		users: n.large, each: 10, fleets: max(1, n.large/10), first: true, resyncCalls: 30, cpu: 60, resyncCPU: 2, memory: 250,
		interval: 2 * time.Minute, watch: time.Minute,
	}
	return suite{
		name: "large", optional: true, users: names("user", n.large), machines: l.machines(),
		rows: []row{onboarding(l), restart(l), resync(l), drift(l)},
	}
}

// run starts what a suite needs, measures its rows, and stops everything.
func (s suite) run(ctx context.Context, o options, progress io.Writer) (figures []figure, err error) {
	fmt.Fprintf(progress, "Starting a control plane and an account with %d users.\n", len(s.users))
	w, err := newWorld(ctx, s, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, r := range s.rows {
		fmt.Fprintf(progress, "Measuring: %s.\n", r.name)
		measured, err := r.run(ctx, w)
		if err != nil {
			return figures, fmt.Errorf("measure %q: %w\nThe manager's log is %s", r.name, err, w.log.Name())
		}
		figures = append(figures, measured...)
	}
	return figures, nil
}

func (r row) run(ctx context.Context, w *world) ([]figure, error) {
	if r.prepare != nil {
		if err := r.prepare(ctx, w); err != nil {
			return nil, err
		}
	}
	u, figures, err := r.measure(ctx, w)
	if err != nil {
		return nil, err
	}
	figures = append(figures, u.figures(r.until, r.most)...)
	for i := range figures {
		figures[i].row = r.name
	}
	return figures, nil
}

// notMeasured is a line for each row of a suite that was not run.
func (s suite) notMeasured() []figure {
	command := "go run ./test/bench --suite=" + s.name
	if s.optional {
		command = "make bench-large"
	}
	var figures []figure
	for _, r := range s.rows {
		figures = append(figures, notMeasured(r.name, command))
	}
	return figures
}

// names numbers them from 1: "user-0001".
func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%04d", prefix, i+1)
	}
	return all
}
