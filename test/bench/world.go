package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// world is what the rows of a suite share.
type world struct {
	env     *testenv.Env
	manager *testenv.Process
	binary  string
	flags   []string
	environ []string // as the Deployment sets it
	users   []string
	log     *os.File
	// own counts the writes of this program to objects of the project's kinds.
	own apiWrites
}

// newWorld starts a control plane and an account, and no manager.
func newWorld(ctx context.Context, s suite, o options) (*world, error) {
	binary, err := filepath.Abs(o.manager)
	if err != nil {
		return nil, fmt.Errorf("find the operator's binary: %w", err)
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("there is no binary of the operator, build it with \"make build\": %w", err)
	}
	environ, err := deployedEnvironment(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(o.directory, "bench-manager-"+s.name+".log"))
	if err != nil {
		return nil, fmt.Errorf("make a log: %w", err)
	}
	w := &world{binary: binary, flags: slices.Concat(s.flags, o.managerFlags()), environ: environ, users: s.users, log: log, own: apiWrites{}}
	w.env, err = testenv.Start(ctx, testenv.Options{Fixture: s.fixture(), AllowAll: len(s.further) > 0})
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// start starts the manager, with further flags than the suite's.
func (w *world) start(flags ...string) (err error) {
	w.manager, err = w.env.StartProcess(testenv.ProcessOptions{
		Binary: w.binary, Args: append(append([]string{}, w.flags...), flags...), Log: w.log, Env: w.environ,
	})
	return err
}

// stop stops the manager. What it has used is no longer read: the next one begins
// at 0.
func (w *world) stop() error {
	err := w.manager.Stop()
	w.manager = nil
	return err
}

// close stops everything.
func (w *world) close() error {
	var err error
	if w.env != nil {
		err = w.env.Close()
	}
	return errors.Join(err, w.log.Close())
}

// watch lets time pass, while whatever happens is counted.
func watch(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
