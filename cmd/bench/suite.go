package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// row is one thing that is measured. Rows of a suite run one after another, each
// on what the one before has left.
type row struct {
	name string
	// prepare is not measured. Nil: there is nothing to prepare.
	prepare func(context.Context, *world) error
	measure func(context.Context, *world) ([]figure, error)
}

// suite is rows that share an account and a cluster.
type suite struct {
	name string
	// users that the account has.
	users []string
	// flags of the manager.
	flags []string
	rows  []row
}

// suites lists everything that is measured. This is where rows are added.
func suites(n size) []suite {
	return []suite{
		{
			name:  "quiet",
			users: names("user", n.users),
			// The limiter would only add waiting to what is counted here.
			flags: []string{"--aws-rate=10000", "--aws-burst=10000"},
			rows: []row{
				onboarding(n.users),
				restart(),
				resync(),
				change(),
				revocation(),
			},
		},
		{
			name:  "busy",
			users: append(names("victim", 2), names("user", n.principals)...),
			rows: []row{
				revocationBehind(n.grants, n.principals),
				revocationAfterRestart(n.grants),
			},
		},
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
	figures, err := r.measure(ctx, w)
	for i := range figures {
		figures[i].row = r.name
	}
	return figures, err
}

// names numbers them from 1: "user-0001".
func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%04d", prefix, i+1)
	}
	return all
}
