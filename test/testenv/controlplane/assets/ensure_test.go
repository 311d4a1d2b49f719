package assets

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestParallelCallsBuildOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "v1")
	var fills atomic.Int32
	fill := func(_ context.Context, dir string, _ io.Writer) error {
		fills.Add(1)
		putBinaries(t, dir, Names()...)
		return nil
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := ensure(t.Context(), dir, io.Discard, fill); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if fills.Load() != 1 {
		t.Errorf("built %d times, want once", fills.Load())
	}
	if err := Check(dir); err != nil {
		t.Error(err)
	}
}

func TestFailedBuildLeavesNothingAndIsTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v1")
	broken := errors.New("disk full")
	err := ensure(t.Context(), dir, io.Discard, func(_ context.Context, dir string, _ io.Writer) error {
		putBinaries(t, dir, Etcd)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	for _, path := range []string{dir, dir + ".partial"} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
	if err := ensure(t.Context(), dir, io.Discard, func(_ context.Context, dir string, _ io.Writer) error {
		putBinaries(t, dir, Names()...)
		return nil
	}); err != nil {
		t.Errorf("second try: %v", err)
	}
}

func TestBuildThatForgetsABinaryIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v1")
	err := ensure(t.Context(), dir, io.Discard, func(_ context.Context, dir string, _ io.Writer) error {
		putBinaries(t, dir, Etcd, APIServer, Kubectl)
		return nil
	})
	if !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
}

func TestRemainsOfAKilledBuildAreNotTakenOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "v1")
	putBinaries(t, dir+".partial", "half-linked")
	if err := ensure(t.Context(), dir, io.Discard, func(_ context.Context, dir string, _ io.Writer) error {
		putBinaries(t, dir, Names()...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "half-linked")); !os.IsNotExist(err) {
		t.Errorf("half-linked is in the cache: %v", err)
	}
}

func TestWaitingForAnotherBuildCanBeCancelled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v1.lock")
	unlock, err := lock(t.Context(), path, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lock(ctx, path, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
