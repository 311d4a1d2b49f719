// Command kubectl-ssm_access is the kubectl plugin "kubectl ssm-access". It shows what
// manifests of ssm-access-operator grant before they are merged. It uses the caller's
// kubeconfig and AWS profile, never the operator's.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	err := newRoot(streams).ExecuteContext(ctx)
	stop()
	code := exitCode(err)
	if code != 0 && !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, "error:", err)
	}
	os.Exit(code)
}

// errReported is a failure that standard error describes already.
var errReported = errors.New("the manifests have problems")

// exitCode is 0 for success and 1 for errors.
func exitCode(err error) int {
	if err != nil {
		return 1
	}
	return 0
}
