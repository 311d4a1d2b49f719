package awsemulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// stopTime is how long a server waits for requests in flight when it stops.
const stopTime = 5 * time.Second

// Running is an emulator that listens.
type Running struct {
	// URL is the endpoint, for AWS_ENDPOINT_URL.
	URL    string
	cancel context.CancelFunc
	server *http.Server
	stop   func()
	done   chan error
}

// Start listens on an address, as "127.0.0.1:0", and serves until Stop. certs
// makes it serve TLS; nil serves plain HTTP.
func (s *Server) Start(address string, certs *Certificate) (*Running, error) {
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 30 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	r := &Running{URL: "http://" + listener.Addr().String(), cancel: cancel, server: server, stop: s.Close, done: make(chan error, 1)}
	serve := func() error { return server.Serve(listener) }
	if certs != nil {
		r.URL = "https://" + listener.Addr().String()
		server.TLSConfig = certs.config()
		serve = func() error { return server.ServeTLS(listener, "", "") }
	}
	go func() { r.done <- serve() }()
	return r, nil
}

// Wait returns when the server has ended, with the error that ended it.
func (r *Running) Wait() error {
	err := <-r.done
	r.done <- err
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Stop ends the server: calls that a fault holds are cut, the others answered.
func (r *Running) Stop() error {
	r.cancel()
	r.stop()
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := r.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		// A client that has dialled and sent nothing yet is waited for as if it had.
		err = r.server.Close()
	}
	if err != nil {
		return fmt.Errorf("stop the emulator: %w", err)
	}
	return r.Wait()
}
