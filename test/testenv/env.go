package testenv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

// Options say how Start starts. The zero value is usable.
type Options struct {
	// Cluster to use. Nil: one is started, and stopped by Close.
	Cluster *Cluster
	// ClusterOptions are for that one.
	ClusterOptions ClusterOptions
	// Fixture is what the emulated AWS holds. Nil: fixtures.S1.
	Fixture *fixtures.Fixture
	// AllowAll leaves the emulator's callers unjudged. Otherwise each of them,
	// the operator too, may do what IAM's policies allow it.
	AllowAll bool
	// Policies are the file names of the documents in config/iam that the operator
	// has, each as a policy of its own. None: all of Cluster.OperatorPolicies.
	Policies []string
	// Withheld are actions, such as "iam:GetUser", that the operator is not
	// allowed, out of those that config/iam recommends.
	Withheld []string
	// Boundary puts config/iam/boundary-policy.json on the operator as its
	// permissions boundary.
	Boundary bool
	// WithheldByBoundary are actions that the boundary does not allow, out of those
	// that it should.
	WithheldByBoundary []string
	// ConsistencyDelay is how far the emulator's IAM lags its own writes.
	ConsistencyDelay time.Duration
	// Clock is the emulator's, and that of managers in this process. Nil: one
	// that runs with the machine's, and can be advanced.
	Clock *clock.Clock
}

// Env is an emulated AWS and a cluster, without a manager at first.
type Env struct {
	*Cluster
	// Emulator is the emulated AWS, to look into and to disturb.
	Emulator *awsemulator.Server
	// URL of the emulator, for AWS_ENDPOINT_URL.
	URL string
	// Account is the first account of the fixture, and Region the first region
	// that has something in it.
	Account fixtures.Account
	Region  string
	// Clock of the emulator and of managers in this process.
	Clock Clock

	arrivals *bell
	close    func() error

	mu      sync.Mutex
	closers []func() error // the last first
}

// Clock is a clock that tests can advance. It is a clock.PassiveClock of
// k8s.io/utils.
type Clock struct{ *clock.Clock }

// Since is the time that has passed since t.
func (c Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Start starts what the options ask for. ctx bounds the start alone; Close ends
// everything.
func Start(ctx context.Context, o Options) (*Env, error) {
	e := &Env{Cluster: o.Cluster, arrivals: newBell()}
	e.close = sync.OnceValue(e.closeAll)
	if err := e.takeCluster(ctx, o.ClusterOptions); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.startEmulator(o); err != nil { //nolint:contextcheck // It outlives the start.
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// takeCluster waits for the cluster to be free, or starts one.
func (e *Env) takeCluster(ctx context.Context, o ClusterOptions) error {
	if e.Cluster == nil {
		cluster, err := StartCluster(ctx, o)
		if err != nil {
			return err
		}
		e.Cluster = cluster
		e.onClose(cluster.Stop)
		return nil
	}
	select {
	case <-e.free:
	case <-ctx.Done():
		return fmt.Errorf("wait for the cluster: %w", ctx.Err())
	}
	e.onClose(func() error { //nolint:contextcheck // The context of the start has ended by then.
		defer func() { e.free <- struct{}{} }()
		return e.clear(context.Background())
	})
	return nil
}

func (e *Env) startEmulator(o Options) error {
	if o.Fixture == nil {
		o.Fixture = fixtures.S1()
	}
	if err := e.permitOperator(o.Fixture, o.Policies, o.Withheld); err != nil {
		return err
	}
	if o.Boundary {
		if err := e.boundOperator(o.Fixture, o.WithheldByBoundary); err != nil {
			return err
		}
	}
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if len(o.Fixture.Accounts) == 0 {
		return errors.New("start the emulator: the fixture has no account")
	}
	e.Clock, e.Account = Clock{o.Clock}, o.Fixture.Accounts[0]
	e.Region = "ap-northeast-1"
	if regions := slices.Sorted(maps.Keys(e.Account.Regions)); len(regions) > 0 {
		e.Region = regions[0]
	}
	server, err := awsemulator.New(awsemulator.Options{
		Fixture: o.Fixture, EvaluateIAM: !o.AllowAll, ConsistencyDelay: o.ConsistencyDelay, Clock: o.Clock, Seed: 1,
	})
	if err != nil {
		return err
	}
	server.OnCall(e.arrivals.ring)
	server.OnFault(e.arrivals.ring)
	server.OnAnswer(e.arrivals.ring)
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		return err
	}
	e.Emulator, e.URL = server, running.URL
	e.onClose(running.Stop)
	return nil
}

// Namespace makes sure that a namespace with exactly these labels exists, apart
// from those that Kubernetes adds. It waits for a namespace that is being
// deleted.
func (e *Env) Namespace(ctx context.Context, name string, labels map[string]string) error {
	for {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
		err := e.Client.Create(ctx, namespace)
		if !apierrors.IsAlreadyExists(err) {
			return err
		}
		if err := e.Client.Get(ctx, client.ObjectKeyFromObject(namespace), namespace); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return err
		}
		if namespace.DeletionTimestamp.IsZero() {
			namespace.Labels = maps.Clone(labels)
			return e.Client.Update(ctx, namespace)
		}
		if err := WaitGone(ctx, e.Client, namespace); err != nil {
			return err
		}
	}
}

// Close ends the managers and the emulator, clears the cluster and, where Start
// started it, stops it. Further calls do nothing and return the same error.
func (e *Env) Close() error { return e.close() }

// onClose has Close call f before what was registered earlier.
func (e *Env) onClose(f func() error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closers = append(e.closers, f)
}

func (e *Env) closeAll() error {
	e.mu.Lock()
	closers := e.closers
	e.mu.Unlock()
	var errs []error
	for _, f := range slices.Backward(closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
