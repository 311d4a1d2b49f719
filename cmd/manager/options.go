package main

import (
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// options are the command line.
type options struct {
	ownerID         string
	resyncInterval  time.Duration
	awsRate         float64
	awsBurst        int
	leaderElect     bool
	leaderNamespace string
	metricsAddress  string
	probeAddress    string
	logLevel        string
	logFormat       string
}

// minResync keeps a typing error from reading whole accounts without a pause.
const minResync = time.Second

func parseOptions(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&o.ownerID, "owner-id", "", "`id` of this installation, 8 hex digits: its IAM policies live under /ssm-access/<id>/. Empty: made from the UID of the kube-system namespace. Give the id of a lost cluster to take over its policies.")
	flags.DurationVar(&o.resyncInterval, "resync-interval", 5*time.Minute, "how often each account is verified, read and repaired, as a `duration` such as 5m")
	flags.Float64Var(&o.awsRate, "aws-rate", cloud.DefaultRate, "greatest `rate` of calls to AWS, in requests a second for each account and service")
	flags.IntVar(&o.awsBurst, "aws-burst", cloud.DefaultBurst, "`number` of calls to AWS that may come at once after a pause, for each account and service")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "work only while holding the lease manager.ssm-access.dev, so that several replicas can run")
	flags.StringVar(&o.leaderNamespace, "leader-election-namespace", "", "`namespace` of the lease. Empty: the pod's own; outside of a cluster it must be given with --leader-elect")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", "0", "`host:port` of the metrics, such as :8080; 0 turns them off")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", "0", "`host:port` of /healthz and /readyz, such as :8081; 0 turns them off")
	flags.StringVar(&o.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error; debug adds a line for each call to AWS")
	flags.StringVar(&o.logFormat, "log-format", "json", "`format` of the log: json or console")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("manager takes flags only, not %q; --help lists them", flags.Arg(0))
	}
	return o, o.validate()
}

func (o options) validate() error {
	switch {
	case o.ownerID != "" && !policy.ValidOwner(o.ownerID):
		return fmt.Errorf("--owner-id %q is not 8 lower-case hex digits, for example 0a1b2c3d", o.ownerID)
	case o.resyncInterval < minResync:
		return fmt.Errorf("--resync-interval %s is shorter than %s; 5m is usual", o.resyncInterval, minResync)
	case o.awsRate <= 0:
		return fmt.Errorf("--aws-rate %v must be greater than 0", o.awsRate)
	case o.awsBurst < 1:
		return fmt.Errorf("--aws-burst %d must be at least 1", o.awsBurst)
	}
	return nil
}
