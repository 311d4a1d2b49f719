package assets

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// outputLines is how much of a failed command's output an error repeats.
const outputLines = 15

// fill puts all binaries into dir. It downloads etcd, kube-apiserver and kubectl
// where that works and then compiles the controllers alone, otherwise it
// compiles everything. Before each it says how long it takes.
func (b *build) fill(ctx context.Context, dir string, progress io.Writer) error {
	offered, err := b.findOffer(ctx)
	if err == nil {
		done := report(ctx, progress, fmt.Sprintf("downloading Kubernetes %s and compiling its two controllers", offered.version),
			"once per machine and version: about 2 minutes on two cores")
		if err = offered.take(ctx, dir); err == nil {
			defer done()
			return b.compile(ctx, dir, missing(dir))
		}
		done()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("download the control plane: %w", ctx.Err())
	}
	if slices.Contains(missing(dir), Kubectl) {
		_ = b.takeKubectl(ctx, dir) // What is missing is compiled.
	}
	names := missing(dir)
	done := report(ctx, progress, fmt.Sprintf("compiling %s of Kubernetes %s", strings.Join(names, ", "), b.version),
		"once per machine and version: about 6 minutes on two cores; nothing can be downloaded: "+err.Error())
	defer done()
	return b.compile(ctx, dir, names)
}

// compile builds the binaries called names into dir.
func (b *build) compile(ctx context.Context, dir string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	args := append([]string{"build", "-C", filepath.Join(b.root, moduleDir), "-o", dir + string(filepath.Separator)}, b.flags...)
	for _, name := range names {
		args = append(args, packages[name])
	}
	if _, err := b.run(ctx, 0, "go", args...); err != nil {
		return fmt.Errorf("%w\nCompiling needs the Go module proxy (see \"go env GOPROXY\") and about 4 GB of disk", err)
	}
	if slices.Contains(names, Etcd) {
		// Go names a binary after its directory.
		if err := os.Rename(filepath.Join(dir, "server"), filepath.Join(dir, Etcd)); err != nil {
			return fmt.Errorf("name the compiled etcd: %w", err)
		}
	}
	return nil
}

// run runs a command to its end, at most for limit unless that is 0, and
// returns its standard output. An error carries the end of its error output.
func (b *build) run(ctx context.Context, limit time.Duration, name string, args ...string) (string, error) {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// Neither a workspace nor flags of the caller may change what is built, and
	// the Go toolchain that is there has to do.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local",
		"GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	// An interrupted "go build" ends its compilers, a killed one does not.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("run %s %s: %w\n%s", filepath.Base(name), args[0], err, tail(stderr.String()))
	}
	return stdout.String(), nil
}

// tail returns the last lines of a command's output.
func tail(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return strings.Join(lines[max(0, len(lines)-outputLines):], "\n")
}
