package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// progressInterval is how often a long step says that it still runs.
	progressInterval = time.Minute

	// lockInterval is how often the lock of another process is tried again.
	lockInterval = 500 * time.Millisecond
)

// Ensure returns the absolute path of a directory that passes Check, as Find
// does, and fills the cache first when that is needed: by a download where it
// works, by compiling otherwise.
// Lines for people, at least one a minute, go to progress. Parallel calls, of
// other processes too, wait for the first one instead of building twice; a
// call that fails or is cancelled leaves nothing behind that Find would return.
func Ensure(ctx context.Context, progress io.Writer) (string, error) {
	if dir, ok := fromEnvironment(); ok {
		return dir, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	build, err := newBuild(root)
	if err != nil {
		return "", err
	}
	if err := ensure(ctx, build.dir, progress, build.fill); err != nil {
		return "", fmt.Errorf("%w; run \"make controlplane\" again once that is mended, or set %s to a directory that holds %s",
			err, EnvDir, strings.Join(Names(), ", "))
	}
	return build.dir, nil
}

// ensure calls fill, with the path of an empty directory, unless dir is
// complete, and moves the result to dir in one step.
func ensure(ctx context.Context, dir string, progress io.Writer,
	fill func(ctx context.Context, dir string, progress io.Writer) error,
) error {
	if Check(dir) == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("create the cache of the control plane: %w", err)
	}
	unlock, err := lock(ctx, dir+".lock", progress)
	if err != nil {
		return err
	}
	defer unlock()
	if Check(dir) == nil {
		return nil // another process has filled it meanwhile
	}

	// The lock reserves the name, so what a killed process left is deleted too.
	partial := dir + ".partial"
	if err := errors.Join(os.RemoveAll(partial), os.RemoveAll(dir), os.Mkdir(partial, 0o755)); err != nil {
		return fmt.Errorf("prepare the cache of the control plane: %w", err)
	}
	defer os.RemoveAll(partial)
	if err := fill(ctx, partial, progress); err != nil {
		return err
	}
	if err := Check(partial); err != nil {
		return fmt.Errorf("build the control plane: %w", err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return fmt.Errorf("move the control plane into the cache: %w", err)
	}
	return nil
}

// lock takes an exclusive lock on the file at path. The kernel drops it when
// the process ends, however that happens.
func lock(ctx context.Context, path string, progress io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the cache of the control plane: %w", err)
	}
	locked, err := tryLock(file)
	if err == nil && !locked {
		err = waitForLock(ctx, file, progress)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}

// tryLock returns whether it got the lock.
func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// waitForLock tries again until it gets the lock: a call that blocks could not
// be cancelled.
func waitForLock(ctx context.Context, file *os.File, progress io.Writer) error {
	done := report(ctx, progress, "waiting for another process that builds it", "as long as that takes")
	defer done()
	retry := time.NewTicker(lockInterval)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
		if locked, err := tryLock(file); locked || err != nil {
			return err
		}
	}
}

// report says what is being done and a remark about it, and what is being done
// every minute until done is called.
func report(ctx context.Context, progress io.Writer, what, remark string) (done func()) {
	fmt.Fprintf(progress, "control plane: %s, %s\n", what, remark)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(ended)
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				fmt.Fprintf(progress, "control plane: still %s, %d min so far\n", what, int(time.Since(start).Minutes()))
			}
		}
	}()
	return func() { cancel(); <-ended }
}
