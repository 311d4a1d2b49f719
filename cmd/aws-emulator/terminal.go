package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

// sizeInterval is how often the client checks the size of the terminal.
const sizeInterval = 500 * time.Millisecond

// endOfFile is what Ctrl-D sends.
const endOfFile = 0x04

// converse connects a session to a terminal, or to a port of this machine, until it
// has ended.
func converse(ctx context.Context, s *sessionclient.Session, id string, in *os.File, out io.Writer) error {
	kind, err := s.Type(ctx)
	if err == nil && kind == "Port" {
		err = forward(ctx, s, out)
	} else if err == nil {
		err = typeAndShow(ctx, s, in, out)
	}
	reason, closed := s.Closed()
	switch {
	case !closed:
		return err
	case reason != "":
		fmt.Fprintf(out, "\n\nSessionId: %s : %s\n\n", id, reason)
	default:
		fmt.Fprintf(out, "\n\nExiting session with sessionId: %s.\n\n", id)
	}
	return nil
}

func typeAndShow(ctx context.Context, s *sessionclient.Session, in *os.File, out io.Writer) error {
	descriptor := int(in.Fd())
	if term.IsTerminal(descriptor) {
		before, err := term.MakeRaw(descriptor)
		if err != nil {
			return fmt.Errorf("use the terminal: %w", err)
		}
		defer term.Restore(descriptor, before) //nolint:errcheck // Nothing can be done about it.
		go followSize(ctx, s, descriptor)
	}
	// It ends with the process: a read of a terminal cannot be interrupted.
	go typeInto(s, in)
	if _, err := io.Copy(out, s); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// typeInto sends what is typed. At the end of the input it leaves the shell.
func typeInto(s *sessionclient.Session, in io.Reader) {
	b := make([]byte, 1024)
	for {
		n, err := in.Read(b)
		if n > 0 {
			// A shell waits for the return key.
			if _, failed := s.Write(bytes.ReplaceAll(b[:n], []byte("\n"), []byte("\r"))); failed != nil {
				return
			}
		}
		if err != nil {
			_, _ = s.Write([]byte{endOfFile}) // It fails where the session has ended.
			return
		}
	}
}

// followSize sends the size of the terminal, now and when it changes.
func followSize(ctx context.Context, s *sessionclient.Session, descriptor int) {
	ticker := time.NewTicker(sizeInterval)
	defer ticker.Stop()
	lastColumns, lastRows := 0, 0
	for {
		if columns, rows, err := term.GetSize(descriptor); err == nil && (columns != lastColumns || rows != lastRows) {
			lastColumns, lastRows = columns, rows
			if s.Resize(columns, rows) != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.Done():
			return
		case <-ticker.C:
		}
	}
}

// forward connects a free port of this machine to the port of the session.
func forward(ctx context.Context, s *sessionclient.Session, out io.Writer) error {
	port, err := s.Port(ctx)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for connections: %w", err)
	}
	fmt.Fprintf(out, "Port %d opened.\nWaiting for connections...\n", listener.Addr().(*net.TCPAddr).Port)
	go func() {
		select {
		case <-ctx.Done():
		case <-s.Done():
		}
		listener.Close()
	}()
	for {
		local, err := listener.Accept()
		if err != nil {
			return ctx.Err()
		}
		remote, err := port.Connect()
		if err != nil {
			fmt.Fprintln(out, err)
			_ = local.Close() // Nothing was written to it.
			continue
		}
		go func() {
			defer func() { _ = local.Close() }() // Either side may have closed it.
			_, _ = io.Copy(remote, local)        // It ends with either end.
		}()
		go func() {
			defer func() { _ = local.Close() }() // Either side may have closed it.
			_, _ = io.Copy(local, remote)        // It ends with either end.
		}()
	}
}
