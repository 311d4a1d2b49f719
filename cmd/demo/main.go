// Command demo shows the operator at work: a real Kubernetes API server, the
// operator as a process of its own, and an emulated AWS that judges every call
// by the IAM policies of its caller. It needs no cluster and no AWS account.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"
)

// timeLimit is for the whole demo, which takes less than a minute.
const timeLimit = 5 * time.Minute

// options are the command line.
type options struct {
	manager    string
	directory  string
	playground bool
}

func main() { os.Exit(execute(os.Args[1:])) }

// execute returns the exit code.
func execute(args []string) int {
	o, err := parseOptions(args, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	ctrllog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		if ctx.Err() != nil && o.playground {
			fmt.Fprintln(os.Stdout, "Everything is stopped.") // As the user asked.
			return 0
		}
		if ctx.Err() != nil {
			// Whatever was in progress fails then, which needs no report.
			err = errors.New("interrupted; everything is stopped")
		}
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		return 1
	}
	return 0
}

func parseOptions(args []string, output io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&o.manager, "manager", "bin/manager", "`file` of the operator's binary, as \"make build\" makes it")
	flags.StringVar(&o.directory, "dir", "bin", "existing `directory` for the logs and for playground.env")
	flags.BoolVar(&o.playground, "playground", false, "leave everything running until it is interrupted, and write playground.env to source")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("it takes flags only, not %q; --help lists them", flags.Arg(0))
	}
	return o, nil
}

// run plays the demo, or the playground, and stops whatever it started.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	started := time.Now()
	s, err := setStage(ctx, o, out)
	if err != nil {
		return err
	}
	defer func() { err = s.strike(err) }()
	if o.playground {
		return s.whileOperatorRuns(ctx, func(ctx context.Context) error { return s.playground(ctx, o.directory) })
	}
	limited, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	if err := s.whileOperatorRuns(limited, s.play); err != nil {
		return err
	}
	s.say("Every cell is as declared. It took %s.", time.Since(started).Round(time.Second))
	return nil
}
