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

const (
	// toolsDir is the directory, below the root of the checkout, of the Go
	// module that pins setup-envtest.
	toolsDir = "hack/tools"

	setupEnvtest = "sigs.k8s.io/controller-runtime/tools/setup-envtest"

	// buildDownloaderLimit bounds the compilation of setup-envtest, a minute's
	// work, so that a slow module proxy is noticed here and reported below.
	buildDownloaderLimit = 5 * time.Minute

	// indexLimit bounds the question which versions can be downloaded: on a
	// network that drops packets it would otherwise take minutes to fail.
	indexLimit = 20 * time.Second

	// downloadLimit bounds the download itself, about 100 MB. Compiling takes
	// about as long.
	downloadLimit = 10 * time.Minute

	// outputLines is how much of a failed command's output an error repeats.
	outputLines = 15
)

// fill puts all binaries into dir: those that can be downloaded from there, and
// the others, at least the controller manager, from source.
func (b *build) fill(ctx context.Context, dir string, progress io.Writer) error {
	if err := b.download(ctx, dir, progress); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("download the control plane: %w", ctx.Err())
		}
		fmt.Fprintf(progress, "control plane: no download: %v\n", err)
	}
	return b.compile(ctx, dir, missing(dir), progress)
}

// download puts those binaries into dir that setup-envtest offers for the minor
// version of Kubernetes: its archives lack most patch releases.
func (b *build) download(ctx context.Context, dir string, progress io.Writer) error {
	done := report(ctx, progress, "trying to download etcd, kube-apiserver and kubectl")
	defer done()

	tool := filepath.Join(dir, "setup-envtest")
	defer os.Remove(tool)
	if _, err := b.run(ctx, buildDownloaderLimit, "go", "build", "-C", filepath.Join(b.root, toolsDir),
		"-mod=readonly", "-buildvcs=false", "-o", tool, setupEnvtest); err != nil {
		return err
	}
	store := filepath.Join(dir, "envtest")
	defer os.RemoveAll(store)
	minor := b.version[1:strings.LastIndex(b.version, ".")] + ".x"
	if _, err := b.run(ctx, indexLimit, tool, "list", minor, "--bin-dir", store); err != nil {
		return err
	}
	out, err := b.run(ctx, downloadLimit, tool, "use", minor, "--bin-dir", store, "--use-env=false", "--print", "path")
	if err != nil {
		return err
	}
	unpacked := strings.TrimSpace(out)
	// It is unpacked read-only.
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return fmt.Errorf("open the download: %w", err)
	}
	for _, name := range Names() {
		err := os.Rename(filepath.Join(unpacked, name), filepath.Join(dir, name))
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("take %s from the download: %w", name, err)
		}
	}
	return nil
}

// compile builds the binaries called names into dir.
func (b *build) compile(ctx context.Context, dir string, names []string, progress io.Writer) error {
	fmt.Fprintln(progress, "control plane: what follows happens once per machine and version; compiling all of it takes about 12 min on two cores")
	done := report(ctx, progress, fmt.Sprintf("compiling %s of Kubernetes %s", strings.Join(names, ", "), b.version))
	defer done()

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
