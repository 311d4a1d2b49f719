// Package lend lets the packages of one test run use the same control planes. A
// control plane takes some ten seconds to start, and each package is a process
// of its own.
//
// The process that runs the tests serves a Lender on a socket, and names the
// socket in the environment variable Variable. A test process borrows a control
// plane for as long as it holds its connection, so it returns the control plane
// however it ends. The Lender starts one only when all others are lent: there
// are as many as packages run at once.
package lend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
)

// Variable is the environment variable with the path of the Lender's socket.
const Variable = "SSM_ACCESS_CONTROL_PLANES"

// Plane is what a borrower needs to use a control plane.
type Plane struct {
	// KubeconfigPath is a file with an administrator's credentials.
	KubeconfigPath string `json:"kubeconfigPath"`
	// KubectlPath is a kubectl at most one minor version away.
	KubectlPath string `json:"kubectlPath"`
	// EtcdURL is where etcd listens.
	EtcdURL string `json:"etcdURL"`
	// Error says why there is no control plane, and is empty otherwise.
	Error string `json:"error,omitempty"`
}

// Borrow borrows a control plane from the Lender that Variable names. It returns
// false when there is none. ctx bounds the wait alone. The borrower has the
// control plane to itself until it calls giveBack or ends.
func Borrow(ctx context.Context) (plane Plane, giveBack func() error, borrowed bool, err error) {
	socket := os.Getenv(Variable)
	if socket == "" {
		return Plane{}, nil, false, nil
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return Plane{}, nil, false, fmt.Errorf("borrow a control plane; unset %s to start one instead: %w", Variable, err)
	}
	unblock := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer unblock()
	if err := json.NewDecoder(connection).Decode(&plane); err != nil {
		return Plane{}, nil, false, errors.Join(fmt.Errorf("borrow a control plane: %w", err), ctx.Err(), connection.Close())
	}
	if plane.Error != "" {
		return Plane{}, nil, false, errors.Join(fmt.Errorf("borrow a control plane: %s", plane.Error), connection.Close())
	}
	return plane, connection.Close, true, nil
}

// Lender starts control planes and lends each to one borrower at a time.
type Lender struct {
	// Start starts a control plane that runs until stop is called. It may be
	// called concurrently.
	Start func(ctx context.Context) (plane Plane, stop func() error, err error)

	mu    sync.Mutex
	free  []Plane
	stops []func() error
}

// Serve lends control planes over the listener until ctx ends. Then it closes
// the listener, waits until no borrower is served any more, stops all control
// planes and returns what went wrong in that.
func (l *Lender) Serve(ctx context.Context, listener net.Listener) error {
	closeListener := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer closeListener()
	var borrowers sync.WaitGroup
	var broken error
	for {
		connection, err := listener.Accept()
		if err != nil {
			if ctx.Err() == nil {
				broken = fmt.Errorf("lend control planes: %w", err)
			}
			break
		}
		borrowers.Go(func() { l.lend(ctx, connection) })
	}
	borrowers.Wait()
	errs := []error{broken}
	for _, stop := range l.stops {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

// lend serves one borrower until it closes its connection or ctx ends.
func (l *Lender) lend(ctx context.Context, connection net.Conn) {
	unblock := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer unblock()
	defer func() { _ = connection.Close() }()
	plane, err := l.take(ctx)
	if err != nil {
		_ = answer(connection, Plane{Error: err.Error()}) // The borrower may be gone.
		return
	}
	defer l.put(plane)
	if answer(connection, plane) != nil {
		return
	}
	_, _ = connection.Read(make([]byte, 1)) // It returns at the end: borrowers send nothing.
}

func answer(connection net.Conn, plane Plane) error {
	if err := json.NewEncoder(connection).Encode(plane); err != nil {
		return fmt.Errorf("lend a control plane: %w", err)
	}
	return nil
}

// take returns a control plane that no other borrower has.
func (l *Lender) take(ctx context.Context) (Plane, error) {
	l.mu.Lock()
	if last := len(l.free) - 1; last >= 0 {
		plane := l.free[last]
		l.free = l.free[:last]
		l.mu.Unlock()
		return plane, nil
	}
	l.mu.Unlock()
	plane, stop, err := l.Start(ctx)
	if err != nil {
		return Plane{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stops = append(l.stops, stop)
	return plane, nil
}

func (l *Lender) put(plane Plane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, plane)
}
