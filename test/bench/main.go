// Command bench measures what the operator costs: calls to AWS, writes to the
// API server, time, CPU and memory. It runs the real manager as a process of its
// own, a real Kubernetes API server and an emulated AWS that answers without
// delay, prints one table, and fails when a bound does not hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// options are the command line.
type options struct {
	manager   string
	directory string
	suite     string
	// benchmarks is a file to which the figures are added for benchstat.
	benchmarks string
	profiler   string
	all        bool
	size       size
}

// managerFlags are those of the manager in every suite.
func (o options) managerFlags() []string {
	if o.profiler == "" {
		return nil
	}
	return []string{"--pprof-bind-address=" + o.profiler}
}

// measures reports whether to measure a suite.
func (o options) measures(s suite) bool {
	if o.suite != "" {
		return o.suite == s.name
	}
	return o.all || !s.optional
}

// size is how large the declarations are.
type size struct {
	// users are onboarded with one grant each.
	users int
	// principals of a larger account, and grants over them that are queued.
	principals, grants int
	// large is the number of users of a large account, with ten grants each.
	large int
	// strangers are objects of a namespace that no account allows.
	strangers int
}

func main() { os.Exit(execute(os.Args[1:])) }

// execute returns the exit code.
func execute(args []string) int {
	o, err := parseOptions(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 2
	}
	ctrllog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "\nbench:", err)
		return 1
	}
	return 0
}

func parseOptions(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&o.manager, "manager", "bin/manager", "`file` of the operator's binary, as \"make build\" makes it")
	flags.StringVar(&o.directory, "dir", "bin", "existing `directory` for the logs")
	flags.StringVar(&o.suite, "suite", "", "`name` of the only suite to measure: quiet, crowd, nodes, others, busy, neighbours, strangers or large. Empty: all but large, which takes long; see --all")
	flags.StringVar(&o.benchmarks, "benchmarks", "", "`file` to which the figures are added in Go's format of benchmarks, to compare two builds with benchstat. Empty: none")
	flags.BoolVar(&o.all, "all", false, "measure large too, where no suite is named")
	flags.StringVar(&o.profiler, "profiler", "", "`host:port` of the manager's profiler, such as 127.0.0.1:6060, to see where CPU and memory go. Empty: it is off")
	flags.IntVar(&o.size.users, "users", 200, fmt.Sprintf("`number` of users that are onboarded with one grant each, and %d times as many in the suite crowd", crowding))
	flags.IntVar(&o.size.principals, "principals", 1000, "`number` of principals of the queued grants")
	flags.IntVar(&o.size.grants, "grants", 3000, "`number` of grants that are queued when a revocation comes")
	flags.IntVar(&o.size.large, "large", 1000, "`number` of users in the suite large, with ten grants each")
	flags.IntVar(&o.size.strangers, "strangers", 1000, "`number` of objects in a namespace that no account allows")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("it takes flags only, not %q; --help lists them", flags.Arg(0))
	case o.suite != "" && !slices.ContainsFunc(suites(o.size), func(s suite) bool { return s.name == o.suite }):
		return o, fmt.Errorf("there is no suite %q; --help names them", o.suite)
	case o.size.users < 3, o.size.large < 1, o.size.principals < 1, o.size.grants < o.size.principals:
		return o, errors.New("it takes at least 3 users, 1 in the suite large, 1 principal, and a grant for each principal")
	}
	return o, nil
}

// run measures every suite and prints the table.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	var figures []figure
	for _, s := range suites(o.size) {
		if !o.measures(s) {
			figures = append(figures, s.notMeasured()...)
			continue
		}
		measured, err := s.run(ctx, o, progress)
		if figures = append(figures, measured...); err != nil {
			printTable(out, figures)
			return err
		}
	}
	printTable(out, figures)
	return errors.Join(broken(figures), appendBenchmarks(o.benchmarks, figures))
}
