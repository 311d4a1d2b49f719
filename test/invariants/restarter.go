package invariants

import (
	"context"
	"errors"
	"net/http"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// Restarter keeps a manager running: when one has been cut off, it starts the next.
type Restarter struct {
	done chan struct{}
	err  error // set before done is closed
	stop context.CancelFunc
}

// Keep runs a manager until it reaches the crash point, and another one after it. It returns
// at once.
func (h *Harness) Keep(ctx context.Context, crash *CrashPoint) *Restarter {
	ctx, cancel := context.WithCancel(ctx)
	k := &Restarter{done: make(chan struct{}), stop: cancel}
	go func() {
		defer close(k.done)
		k.err = h.keep(ctx, crash)
	}()
	return k
}

// Stop ends the managers and returns what went wrong with them.
func (k *Restarter) Stop() error {
	k.stop()
	<-k.done
	return k.err
}

func (h *Harness) keep(ctx context.Context, crash *CrashPoint) error {
	first, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel() // A manager that is cut off while it starts never gets ready.
		select {
		case <-crash.Dead():
		case <-first.Done():
		}
	}()
	m, err := h.StartManager(first, h.crashingAt(crash))
	if err == nil {
		select {
		case <-crash.Dead():
		case <-ctx.Done():
		}
		err = m.Stop()
	}
	if ctx.Err() != nil {
		return nil
	}
	select {
	case <-crash.Dead():
	default:
		return err
	}
	next, err := h.StartManager(ctx, h.Options())
	if err != nil {
		return err
	}
	<-ctx.Done()
	return next.Stop()
}

// Options are those of an undisturbed manager.
func (h *Harness) Options() testenv.ManagerOptions {
	return testenv.ManagerOptions{ResyncInterval: resync, AttemptTimeout: h.AttemptTimeout, Log: h.log()}
}

// crashingAt are the options of a manager that a crash point is for.
func (h *Harness) crashingAt(crash *CrashPoint) testenv.ManagerOptions {
	operator := h.AWSConfig(h.Operator())
	operator.HTTPClient = crash.AWS(nil)
	o := h.Through(crash.Kubernetes)
	o.AWS = &operator
	return o
}

// Through are the options of a manager that reaches the cluster through a
// transport.
func (h *Harness) Through(wrap func(http.RoundTripper) http.RoundTripper) testenv.ManagerOptions {
	config := h.OperatorConfig()
	config.Wrap(wrap)
	o := h.Options()
	o.API = config
	return o
}

// Close ends everything. The restarters must have been stopped.
func (h *Harness) Close(restarters ...*Restarter) error {
	var errs []error
	for _, k := range restarters {
		errs = append(errs, k.Stop())
	}
	return errors.Join(append(errs, h.Env.Close())...)
}
