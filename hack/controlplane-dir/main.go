// Command controlplane-dir prints the directory that holds the binaries of the
// Kubernetes control plane which the tests and the demo run, and nothing else,
// on standard output. It downloads or compiles them first when they are missing
// and reports its progress on standard error.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane/assets"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "There is no control plane:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := assets.Ensure(ctx, os.Stderr)
	if err != nil {
		return err
	}
	_, err = fmt.Println(dir)
	return err
}
