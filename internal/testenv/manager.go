package testenv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-logr/logr"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ssm-access-operator/ssm-access-operator/controllers"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

const (
	// DefaultOwner is the owner id of managers that are given none.
	DefaultOwner = "0a1b2c3d"

	// fast is a rate and a burst of calls to AWS that never make a test wait.
	fast = 10_000

	// stopLimit bounds how long a manager may take to end.
	stopLimit = 20 * time.Second
)

// ManagerOptions say how StartManager runs the operator. The zero value is
// usable.
type ManagerOptions struct {
	// OwnerID of the installation. Empty: DefaultOwner.
	OwnerID string
	// ResyncInterval of the accounts. Zero: five minutes, which no test lasts.
	ResyncInterval time.Duration
	// Clock of the controllers and of the consistency window. Nil: the Env's.
	Clock clock.PassiveClock
	// Rate and Burst of calls to AWS. Zero: so high that nothing waits.
	Rate  float64
	Burst int
	// AWS is how the operator reaches AWS. Nil: as the fixture's operator.
	AWS *aws.Config
	// OnCall is told of every finished call to AWS.
	OnCall func(cloud.Call)
	// Log gets what the manager logs. The zero value logs nothing.
	Log logr.Logger
}

// Manager is the operator running in this process.
type Manager struct {
	// Manager is controller-runtime's.
	ctrl.Manager

	cancel context.CancelFunc
	ended  chan struct{}
	err    error // set before ended is closed
}

// StartManager starts the operator in this process, and returns when its caches
// are filled. It runs until Stop or until the Env is closed. Several may run one
// after another, as after a restart, or side by side, as several clusters do.
func (e *Env) StartManager(ctx context.Context, o ManagerOptions) (*Manager, error) {
	e.complete(&o)
	limit := stopLimit
	mgr, err := ctrl.NewManager(e.Config, ctrl.Options{
		Scheme:                  e.Client.Scheme(),
		Logger:                  o.Log,
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		GracefulShutdownTimeout: &limit,
		// A process registers each controller's name once otherwise.
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("create a manager: %w", err)
	}
	running, cancel := context.WithCancel(logr.NewContext(context.WithoutCancel(ctx), o.Log))
	pool := cloud.NewPool(cloud.PoolOptions{
		Base: *o.AWS, OwnerID: o.OwnerID, Rate: o.Rate, Burst: o.Burst, Clock: o.Clock, OnCall: o.OnCall, Logger: o.Log,
	})
	err = controllers.Setup(running, mgr, controllers.Options{
		OwnerID: o.OwnerID, Pool: pool, ResyncInterval: o.ResyncInterval, Clock: o.Clock,
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("set up the controllers: %w", err)
	}
	m := &Manager{Manager: mgr, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(m.ended)
		m.err = mgr.Start(running)
	}()
	e.onClose(m.Stop)
	if err := m.waitSynced(ctx); err != nil {
		return nil, errors.Join(err, m.Stop())
	}
	return m, nil
}

// complete fills in the defaults.
func (e *Env) complete(o *ManagerOptions) {
	if o.OwnerID == "" {
		o.OwnerID = DefaultOwner
	}
	if o.ResyncInterval == 0 {
		o.ResyncInterval = 5 * time.Minute
	}
	if o.Clock == nil {
		o.Clock = e.Clock
	}
	if o.Rate == 0 {
		o.Rate, o.Burst = fast, fast
	}
	if o.AWS == nil {
		operator := e.AWSConfig(e.Operator())
		o.AWS = &operator
	}
	if o.Log.GetSink() == nil {
		o.Log = logr.Discard()
	}
}

// Stop ends the manager, waits until it has ended, and returns why. Further
// calls return the same.
func (m *Manager) Stop() error {
	m.cancel()
	<-m.ended
	if m.err != nil {
		return fmt.Errorf("run the manager: %w", m.err)
	}
	return nil
}

// waitSynced returns when the caches are filled, or the manager has ended first.
func (m *Manager) waitSynced(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	go func() {
		defer cancel() // Its caches will never be filled.
		select {
		case <-m.ended:
		case <-ctx.Done():
		}
	}()
	if !m.GetCache().WaitForCacheSync(ctx) {
		return errors.New("the caches of the manager were not filled")
	}
	return nil
}
