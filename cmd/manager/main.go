// Command manager is the operator: it converges AWS accounts to the
// SessionAccesses that a cluster holds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/metrics"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/lease"
)

// version is stamped by the build.
var version = "dev"

// stopTimeout is how long running reconciles may take to end. Every one of
// them can be broken off between any two calls.
const stopTimeout = 10 * time.Second

func main() {
	if slices.Equal(os.Args[1:], []string{checkUninstallCommand}) {
		if err := checkUninstall(ctrl.SetupSignalHandler()); err != nil {
			fmt.Fprintln(os.Stderr, "manager:", err)
			os.Exit(1)
		}
		return
	}
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := run(ctrl.SetupSignalHandler(), o); err != nil {
		fmt.Fprintln(os.Stderr, "manager:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	logger, err := newLogger(o.logLevel, o.logFormat)
	if err != nil {
		return err
	}
	log.SetLogger(logger)
	ctx = logr.NewContext(ctx, logger)

	config, err := clusterConfig()
	if err != nil {
		return err
	}
	var lock *lease.Lock
	if o.leaderElect {
		if lock, err = lease.New(config, o.leaderNamespace, o.leaderID); err != nil {
			return err
		}
	}
	mgr, err := newManager(config, o, lock)
	if err != nil {
		return fmt.Errorf("create the manager: %w", err)
	}
	owner, err := ownerID(ctx, mgr.GetAPIReader(), o.ownerID)
	if err != nil {
		return err
	}
	base, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithAppID("ssm-access-operator"),
		awsconfig.WithHTTPClient(awsclient.NewHTTPClient()), awsconfig.WithRetryer(awsclient.NewRetryer))
	if err != nil {
		return fmt.Errorf("load the AWS configuration: %w", err)
	}
	counted := metrics.New()
	if err := ctrlmetrics.Registry.Register(counted); err != nil {
		return fmt.Errorf("register the metrics: %w", err)
	}
	pool := iam.NewPool(awsclient.NewPool(awsclient.Options{
		Base: base, OwnerID: owner, Rate: o.awsRate, Burst: o.awsBurst, Logger: logger.WithName("aws"), OnCall: counted.ObserveCall,
	}), nil)
	if lock != nil {
		pool.Guard(func(string) error { return lock.Held() })
	}
	err = controllers.Setup(ctx, mgr, controllers.Options{
		OwnerID: owner, Pool: pool, ResyncInterval: o.resyncInterval, AccountSelector: o.accountSelector, Metrics: counted,
	})
	if err != nil {
		return fmt.Errorf("set up the controllers: %w", err)
	}
	logger.Info("Starting", "version", version, "owner", owner)
	return mgr.Start(ctx)
}

// clusterConfig is how the API server is reached.
func clusterConfig() (*rest.Config, error) {
	config, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("find the Kubernetes API server; set KUBECONFIG, or run in a cluster: %w", err)
	}
	// The API server has its own priority and fairness; a second limit here
	// would only make a large batch slow.
	config.QPS = -1
	// An environment may set client-go's gates for CBOR, which controller-runtime does not
	// encode custom resources in.
	config.ContentType = runtime.ContentTypeJSON
	return config, nil
}

// newManager makes the manager. lock is nil without leader election.
func newManager(config *rest.Config, o options, lock *lease.Lock) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register the kinds: %w", err)
	}
	timeout := stopTimeout
	managed := ctrl.Options{
		Scheme:                  scheme,
		Cache:                   controllers.CacheOptions(),
		Metrics:                 metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:  o.probeAddress,
		PprofBindAddress:        o.pprofAddress,
		GracefulShutdownTimeout: &timeout,
	}
	if lock != nil {
		managed.LeaderElection, managed.LeaderElectionResourceLockInterface = true, lock
		managed.LeaderElectionReleaseOnCancel = true
		managed.LeaseDuration, managed.RenewDeadline, managed.RetryPeriod = new(lease.Duration), new(lease.RenewDeadline), new(lease.RetryPeriod)
	}
	mgr, err := ctrl.NewManager(config, managed)
	if err != nil {
		return nil, err
	}
	return mgr, errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)) // The controllers add their own checks.
}
