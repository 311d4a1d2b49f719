package sessionclient_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
)

const (
	region = "ap-northeast-1"
	pc01   = "i-051cac51072605f39"
	// limit is how long anything here may take.
	limit = 30 * time.Second
)

// admin may do everything.
var admin = aws.Credentials{AccessKeyID: "AKIAEMULATEDADMIN000", SecretAccessKey: "emulated-secret-of-admin"}

// world is an emulator that clients connect to.
type world struct {
	*awsemulator.Server
	t   testing.TB
	url string
}

func newWorld(tb testing.TB, fixture *fixtures.Fixture) *world {
	tb.Helper()
	server, err := awsemulator.New(awsemulator.Options{Fixture: fixture, EvaluateIAM: true, Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	running, err := server.Start("127.0.0.1:0", nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := running.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return &world{Server: server, t: tb, url: running.URL}
}

func (w *world) ssm(c aws.Credentials) *ssm.Client { return ssm.NewFromConfig(w.config(c)) }

func (w *world) config(c aws.Credentials) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: aws.String(w.url), Credentials: credentials.StaticCredentialsProvider{Value: c}, RetryMaxAttempts: 1}
}

// options starts a session and returns how to connect to it.
func (w *world) options(in ssm.StartSessionInput) sessionclient.Options {
	w.t.Helper()
	if in.Target == nil {
		in.Target = aws.String(pc01)
	}
	o, err := sessionclient.Start(w.t.Context(), w.config(admin), &in)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// terminal is a session whose output is read line by line.
type terminal struct {
	*sessionclient.Session
	t     testing.TB
	lines *bufio.Reader
}

func (w *world) open(o sessionclient.Options) *terminal {
	w.t.Helper()
	s, err := sessionclient.Open(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return &terminal{s, w.t, bufio.NewReader(s)}
}

// types sends a line and checks that the shell answers it with this one.
func (x *terminal) types(line, want string) {
	x.t.Helper()
	if _, err := io.WriteString(x, line+"\r"); err != nil {
		x.t.Fatal(err)
	}
	for _, want := range []string{"$ " + line, want} {
		got, err := x.lines.ReadString('\n')
		if got = strings.TrimRight(got, "\r\n"); err != nil || got != want {
			x.t.Fatalf("%q is answered by %q (%v), want %q", line, got, err, want)
		}
	}
}

// waitClosed waits until the service has closed the session, and returns its reason.
func (x *terminal) waitClosed(within time.Duration) string {
	x.t.Helper()
	select {
	case <-x.Done():
	case <-time.After(within):
		x.t.Fatalf("the session is open after %v", within)
	}
	reason, closed := x.Closed()
	if !closed {
		x.t.Fatal("the session was lost, not closed")
	}
	return reason
}

// setAgent gives the node an agent of a version.
func (w *world) setAgent(version string) {
	w.t.Helper()
	err := w.Account("488821267897").Region(region).Fleet.Change(pc01, func(n *fleet.Node) { n.Agent.Version = version })
	if err != nil {
		w.t.Fatal(err)
	}
}
