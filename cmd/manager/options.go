package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
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
	leaderID        string
	selector        string
	accountSelector labels.Selector
	metricsAddress  string
	probeAddress    string
	pprofAddress    string
	logLevel        string
	logFormat       string
}

// defaultLease is the lease of a manager that works on all accounts.
const defaultLease = "manager.ssm-access.dev"

// minResync keeps a typing error from reading whole accounts without a pause.
const minResync = time.Second

func parseOptions(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&o.ownerID, "owner-id", "", "`id` of this installation, 8 hex digits: its IAM policies live under /ssm-access/<id>/. Empty: made from the UID of the kube-system namespace. Give the id of a lost cluster to take over its policies.")
	flags.DurationVar(&o.resyncInterval, "resync-interval", 5*time.Minute, "how often each account is verified, read and repaired, as a `duration` such as 5m")
	flags.Float64Var(&o.awsRate, "aws-rate", awsclient.DefaultRate, "greatest `rate` of calls to AWS, in requests a second for each account, service and region")
	flags.IntVar(&o.awsBurst, "aws-burst", awsclient.DefaultBurst, "`number` of calls to AWS that may come at once after a pause, for each account, service and region")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "work only while holding the lease, so that several replicas can run; a replica that does not hold it writes nothing to AWS")
	flags.StringVar(&o.leaderNamespace, "leader-election-namespace", "", "`namespace` of the lease. Empty: the pod's own; outside of a cluster it must be given with --leader-elect")
	flags.StringVar(&o.leaderID, "leader-election-id", defaultLease, "`name` of the lease; with --account-selector each manager needs one of its own")
	flags.StringVar(&o.selector, "account-selector", "", "label `selector` of the AWSAccounts that this manager works on, with the objects that name them, such as shard=a or !shard. Empty: all. The selectors of the managers of one cluster must not overlap.")
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", "0", "`host:port` of the metrics, such as :8080; 0 turns them off")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", "0", "`host:port` of /healthz and /readyz, such as :8081; 0 turns them off")
	flags.StringVar(&o.pprofAddress, "pprof-bind-address", "0", "`host:port` of Go's profiler, such as 127.0.0.1:6060; 0 turns it off. It shows memory of the process to whoever reaches it")
	flags.StringVar(&o.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error; debug adds a line for each call to AWS")
	flags.StringVar(&o.logFormat, "log-format", "json", "`format` of the log: json or console")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("manager takes flags only, not %q; --help lists them", flags.Arg(0))
	}
	if o.selector != "" {
		selector, err := labels.Parse(o.selector)
		if err != nil {
			return o, fmt.Errorf("--account-selector %q is no label selector, for example shard=a: %w", o.selector, err)
		}
		o.accountSelector = selector
	}
	return o, o.validate()
}

func (o options) validate() error {
	switch {
	case o.ownerID != "" && !policy.ValidOwner(o.ownerID):
		return fmt.Errorf("--owner-id %q is not 8 lower-case hex digits, for example 0a1b2c3d", o.ownerID)
	case o.resyncInterval < minResync:
		return fmt.Errorf("--resync-interval %s is shorter than %s; 5m is usual", o.resyncInterval, minResync)
	case o.leaderElect && o.leaderID == "":
		return errors.New("--leader-election-id must not be empty with --leader-elect")
	case o.leaderElect && o.selector != "" && o.leaderID == defaultLease:
		return errors.New("--account-selector with --leader-elect needs a --leader-election-id of its own, or managers of other accounts would wait for this one's lease; for example manager-a.ssm-access.dev")
	case o.awsRate <= 0:
		return fmt.Errorf("--aws-rate %v must be greater than 0", o.awsRate)
	case o.awsBurst < 1:
		return fmt.Errorf("--aws-burst %d must be at least 1", o.awsBurst)
	}
	return nil
}
