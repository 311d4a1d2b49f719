package sessionclient_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/terminal"
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

func (w *world) open(o sessionclient.Options) *terminal.Terminal {
	w.t.Helper()
	return terminal.Open(w.t, o)
}

// setAgent gives the node an agent of a version.
func (w *world) setAgent(version string) {
	w.t.Helper()
	err := w.Account("488821267897").Region(region).Fleet.Change(pc01, func(n *fleet.Node) { n.Agent.Version = version })
	if err != nil {
		w.t.Fatal(err)
	}
}
