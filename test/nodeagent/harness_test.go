package nodeagent_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/clock"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/shell"
	"github.com/ssm-access-operator/ssm-access-operator/test/nodeagent"
	"github.com/ssm-access-operator/ssm-access-operator/test/sessionclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/terminal"
)

const (
	account     = "488821267897"
	region      = "ap-northeast-1"
	serviceRole = "SSMServiceRole"
	// limit is how long anything here may take.
	limit = 30 * time.Second
)

// admin may do everything.
var admin = aws.Credentials{AccessKeyID: "AKIAEMULATEDADMIN000", SecretAccessKey: "emulated-secret-of-admin"}

// world is an emulator in which agents register.
type world struct {
	*awsemulator.Server
	t     testing.TB
	url   string
	clock *clock.Clock
}

func newWorld(tb testing.TB, fixture *fixtures.Fixture) *world {
	tb.Helper()
	w := &world{t: tb, clock: clock.Real()}
	var err error
	w.Server, err = awsemulator.New(awsemulator.Options{Fixture: fixture, EvaluateIAM: true, Seed: 1, Clock: w.clock})
	if err != nil {
		tb.Fatal(err)
	}
	running, err := w.Start("127.0.0.1:0", nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := running.Stop(); err != nil {
			tb.Error(err)
		}
	})
	w.url = running.URL
	w.Account(account).Region(region).SSM.SetTier("advanced")
	return w
}

func (w *world) config(c aws.Credentials) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: aws.String(w.url), Credentials: credentials.StaticCredentialsProvider{Value: c}, RetryMaxAttempts: 1}
}

func (w *world) ssm() *ssm.Client { return ssm.NewFromConfig(w.config(admin)) }

func (w *world) options() nodeagent.Options {
	return nodeagent.Options{
		Endpoint: w.url, Region: region, Version: "3.3.1142.0", Host: "site-pc",
		Run: func(command string) nodeagent.Program {
			return shell.New(shell.Options{User: "ssm-user", Host: "site-pc", Command: command})
		},
	}
}

// register registers a machine with a new activation.
func (w *world) register() *nodeagent.Identity {
	w.t.Helper()
	a, err := w.ssm().CreateActivation(w.t.Context(), &ssm.CreateActivationInput{IamRole: aws.String(serviceRole), DefaultInstanceName: aws.String("site")})
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := nodeagent.Register(w.t.Context(), w.options(), *a.ActivationId, *a.ActivationCode)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// start starts the agent of a machine.
func (w *world) start(id *nodeagent.Identity) *nodeagent.Agent {
	w.t.Helper()
	a, err := nodeagent.Start(w.t.Context(), w.options(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(a.Stop)
	w.await("the control channel to open", func() bool { return w.connected(id.Node) })
	return a
}

// await waits until something holds.
func (w *world) await(what string, holds func() bool) {
	w.t.Helper()
	ticker, deadline := time.NewTicker(5*time.Millisecond), time.After(limit)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *world) connected(node string) bool {
	w.t.Helper()
	out, err := w.ssm().GetConnectionStatus(w.t.Context(), &ssm.GetConnectionStatusInput{Target: &node})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Status == types.ConnectionStatusConnected
}

// information is what AWS lists of a node.
func (w *world) information(node string) types.InstanceInformation {
	w.t.Helper()
	out, err := w.ssm().DescribeInstanceInformation(w.t.Context(), &ssm.DescribeInstanceInformationInput{
		Filters: []types.InstanceInformationStringFilter{{Key: aws.String("InstanceIds"), Values: []string{node}}},
	})
	if err != nil || len(out.InstanceInformationList) != 1 {
		w.t.Fatalf("the node is listed as %+v (%v)", out, err)
	}
	return out.InstanceInformationList[0]
}

func (w *world) open(in ssm.StartSessionInput) *terminal.Terminal {
	w.t.Helper()
	o, err := sessionclient.Start(w.t.Context(), w.config(admin), &in)
	if err != nil {
		w.t.Fatal(err)
	}
	return terminal.Open(w.t, o)
}
