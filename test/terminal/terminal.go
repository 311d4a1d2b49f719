// Package terminal reads and writes open sessions line by line, for tests.
package terminal

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

// Terminal is a session whose output is read line by line.
type Terminal struct {
	*sessionclient.Session
	// ID of the session.
	ID    string
	tb    testing.TB
	lines *bufio.Reader
}

// Open opens a session, and closes it when the test ends.
func Open(tb testing.TB, o sessionclient.Options) *Terminal {
	tb.Helper()
	s, err := sessionclient.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return &Terminal{s, o.SessionID, tb, bufio.NewReader(s)}
}

// Types sends a line and checks that the shell answers it with this one.
func (x *Terminal) Types(line, want string) {
	x.tb.Helper()
	if _, err := io.WriteString(x, line+"\r"); err != nil {
		x.tb.Fatal(err)
	}
	for _, want := range []string{"$ " + line, want} {
		got, err := x.lines.ReadString('\n')
		if got = strings.TrimRight(got, "\r\n"); err != nil || got != want {
			x.tb.Fatalf("%q is answered by %q (%v), want %q", line, got, err, want)
		}
	}
}

// WaitClosed waits until the service has closed the session, and returns its reason.
func (x *Terminal) WaitClosed(within time.Duration) string {
	x.tb.Helper()
	select {
	case <-x.Done():
	case <-time.After(within):
		x.tb.Fatalf("the session is open after %v", within)
	}
	reason, closed := x.Closed()
	if !closed {
		x.tb.Fatal("the session was lost, not closed")
	}
	return reason
}
