package invariants

import (
	"context"
	"errors"
	"net/http"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// Keeper keeps a manager running: when one has been cut off, it starts the next.
type Keeper struct {
	done chan struct{}
	err  error // set before done is closed
	stop context.CancelFunc
}

// Keep runs a manager until the cut comes, and another one after it. It returns
// at once.
func (b *Bed) Keep(ctx context.Context, cut *Cut) *Keeper {
	ctx, cancel := context.WithCancel(ctx)
	k := &Keeper{done: make(chan struct{}), stop: cancel}
	go func() {
		defer close(k.done)
		k.err = b.keep(ctx, cut)
	}()
	return k
}

// Stop ends the managers and returns what went wrong with them.
func (k *Keeper) Stop() error {
	k.stop()
	<-k.done
	return k.err
}

func (b *Bed) keep(ctx context.Context, cut *Cut) error {
	first, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel() // A manager that is cut off while it starts never gets ready.
		select {
		case <-cut.Dead():
		case <-first.Done():
		}
	}()
	m, err := b.StartManager(first, b.cutOff(cut))
	if err == nil {
		select {
		case <-cut.Dead():
		case <-ctx.Done():
		}
		err = m.Stop()
	}
	if ctx.Err() != nil {
		return nil
	}
	select {
	case <-cut.Dead():
	default:
		return err
	}
	next, err := b.StartManager(ctx, b.Options())
	if err != nil {
		return err
	}
	<-ctx.Done()
	return next.Stop()
}

// Options are those of an undisturbed manager.
func (b *Bed) Options() testenv.ManagerOptions {
	return testenv.ManagerOptions{ResyncInterval: resync, AttemptTimeout: b.AttemptTimeout, Log: b.log()}
}

// cutOff are the options of a manager that a cut is for.
func (b *Bed) cutOff(cut *Cut) testenv.ManagerOptions {
	operator := b.AWSConfig(b.Operator())
	operator.HTTPClient = cut.AWS(nil)
	o := b.Through(cut.Kubernetes)
	o.AWS = &operator
	return o
}

// Through are the options of a manager that reaches the cluster through a
// transport.
func (b *Bed) Through(wrap func(http.RoundTripper) http.RoundTripper) testenv.ManagerOptions {
	config := b.OperatorConfig()
	config.Wrap(wrap)
	o := b.Options()
	o.API = config
	return o
}

// Close ends everything. The keepers must have been stopped.
func (b *Bed) Close(keepers ...*Keeper) error {
	var errs []error
	for _, k := range keepers {
		errs = append(errs, k.Stop())
	}
	return errors.Join(append(errs, b.Env.Close())...)
}
