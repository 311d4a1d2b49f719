package lend_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/controlplane/lend"
)

// house is a running Lender whose control planes are numbers.
type house struct {
	started, stopped atomic.Int32
	refuse           atomic.Bool
	end              func() error
}

func open(t *testing.T) *house {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(lend.Variable, socket)
	h := &house{}
	lender := &lend.Lender{Start: func(context.Context) (lend.Plane, func() error, error) {
		if h.refuse.Load() {
			return lend.Plane{}, nil, errors.New("no room")
		}
		n := h.started.Add(1)
		return lend.Plane{KubeconfigPath: strconv.Itoa(int(n))}, func() error { h.stopped.Add(1); return nil }, nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- lender.Serve(ctx, listener) }()
	h.end = func() error {
		cancel()
		return <-ended
	}
	return h
}

func borrow(t *testing.T) (name string, giveBack func() error) {
	t.Helper()
	plane, giveBack, borrowed, err := lend.Borrow(t.Context())
	if err != nil || !borrowed {
		t.Fatalf("borrowed = %v, %v", borrowed, err)
	}
	return plane.KubeconfigPath, giveBack
}

func TestTwoBorrowersNeverShareAControlPlane(t *testing.T) {
	h := open(t)
	first, giveBack := borrow(t)
	if second, _ := borrow(t); second == first {
		t.Error("two have the same")
	}
	if err := giveBack(); err != nil {
		t.Fatal(err)
	}
	if err := h.end(); err != nil || h.stopped.Load() != 2 {
		t.Errorf("%d of %d stopped, %v", h.stopped.Load(), h.started.Load(), err)
	}
}

func TestAControlPlaneThatWasGivenBackIsLentAgain(t *testing.T) {
	h := open(t)
	for range 20 {
		_, giveBack := borrow(t)
		if err := giveBack(); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.end(); err != nil {
		t.Fatal(err)
	}
	// The next connection can come before the lender has read the end of the last.
	if n := h.started.Load(); n >= 20 || n != h.stopped.Load() {
		t.Errorf("%d were started and %d stopped", n, h.stopped.Load())
	}
}

func TestABorrowerHearsWhyThereIsNone(t *testing.T) {
	h := open(t)
	h.refuse.Store(true)
	if _, _, _, err := lend.Borrow(t.Context()); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v", err)
	}
	if err := h.end(); err != nil {
		t.Error(err)
	}
	if _, _, _, err := lend.Borrow(t.Context()); err == nil || !strings.Contains(err.Error(), lend.Variable) {
		t.Errorf("after the end: %v", err)
	}
}

func TestWithoutALenderNothingIsBorrowed(t *testing.T) {
	t.Setenv(lend.Variable, "")
	if _, _, borrowed, err := lend.Borrow(t.Context()); borrowed || err != nil {
		t.Errorf("borrowed = %v, %v", borrowed, err)
	}
}
