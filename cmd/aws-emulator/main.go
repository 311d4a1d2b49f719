// Command aws-emulator serves an emulated AWS for demos and tests.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `aws-emulator serves IAM, STS, Session Manager and a part of EC2 as AWS does, over
the wire and out of memory. Point AWS_ENDPOINT_URL at the URL that it prints, and
use an access key of the fixture. Everything is gone when it stops.

Without --fixture it holds account 488821267897 in ap-northeast-1 with two users
(user01, user02), two instances (PC01, PC02) and the operator's own identities.
GET URL/_emulator/health tells whether it is ready; see the package documentation
of test/awsemulator for the rest of the control endpoint.

aws-emulator connect opens a session on a node: see aws-emulator connect --help.

Flags:
`

func main() {
	if len(os.Args) > 1 && os.Args[1] == "connect" {
		os.Exit(connectMain(os.Args[2:]))
	}
	c, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	if err := serve(c); err != nil {
		fmt.Fprintln(os.Stderr, "aws-emulator:", err)
		os.Exit(1)
	}
}

// serve runs until the process gets a signal to stop.
func serve(c config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, c, os.Stdout)
}

// connectMain opens a session and returns the exit code.
func connectMain(args []string) int {
	c, err := parseConnect(args, os.Getenv, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := connect(ctx, c, os.Getenv, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "aws-emulator connect:", err)
		return 1
	}
	return 0
}
