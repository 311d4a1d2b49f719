package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ssm-access-operator/ssm-access-operator/controllers"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/metrics"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
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
	// AttemptTimeout is the ceiling for one request to AWS. Zero: the operator's own.
	AttemptTimeout time.Duration
	// AWS is how the operator reaches AWS. Nil: as the fixture's operator.
	AWS *aws.Config
	// API is how the operator reaches the API server. Nil: with the rights of
	// config/rbac.
	API *rest.Config
	// OnCall receives every finished call to AWS.
	OnCall func(awsclient.Call)
	// Guard, when set, is called before each write to AWS, as the lease is.
	Guard awsclient.Guard
	// AccountSelector of the AWSAccounts that the manager works on. Empty: all.
	AccountSelector string
	// Log gets what the manager logs. The zero value logs nothing.
	Log logr.Logger
}

// Manager is the operator running in this process.
type Manager struct {
	// Manager is controller-runtime's.
	ctrl.Manager
	// Metrics of the operator, registered nowhere.
	Metrics *metrics.Metrics

	checks map[string]healthz.Checker
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
	mgr, err := ctrl.NewManager(o.API, ctrl.Options{
		Scheme:                  e.Client.Scheme(),
		Cache:                   controllers.CacheOptions(),
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
	m := &Manager{Manager: mgr, Metrics: metrics.New(), checks: map[string]healthz.Checker{}, cancel: cancel, ended: make(chan struct{})}
	if err := m.setUp(running, o); err != nil {
		cancel()
		return nil, fmt.Errorf("set up the controllers: %w", err)
	}
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

// setUp registers the controllers, as the operator's main does.
func (m *Manager) setUp(ctx context.Context, o ManagerOptions) error {
	selector, err := labels.Parse(o.AccountSelector)
	if err != nil {
		return err
	}
	pool := iam.NewPool(awsclient.NewPool(awsclient.Options{
		Base: *o.AWS, OwnerID: o.OwnerID, Rate: o.Rate, Burst: o.Burst, AttemptTimeout: o.AttemptTimeout, Logger: o.Log,
		OnCall: func(call awsclient.Call) {
			m.Metrics.ObserveCall(call)
			if o.OnCall != nil {
				o.OnCall(call)
			}
		},
	}), o.Clock)
	if o.Guard != nil {
		pool.Guard(o.Guard)
	}
	return controllers.Setup(ctx, m, controllers.Options{
		OwnerID: o.OwnerID, Pool: pool, ResyncInterval: o.ResyncInterval, Clock: o.Clock, AccountSelector: selector, Metrics: m.Metrics,
	})
}

// AddReadyzCheck keeps a check for Ready, and passes it on to
// controller-runtime.
func (m *Manager) AddReadyzCheck(name string, check healthz.Checker) error {
	m.checks[name] = check
	return m.Manager.AddReadyzCheck(name, check)
}

// Ready is what /readyz answers: nil, or why not.
func (m *Manager) Ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/readyz", http.NoBody)
	if err != nil {
		return err
	}
	var errs []error
	for name, check := range m.checks {
		if err := check(request); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
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
	if o.API == nil {
		o.API = e.OperatorConfig()
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
