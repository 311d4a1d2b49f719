package nodeagent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/nodeagent"
)

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
}

func TestNodeIsOnlineBecauseItsAgentReports(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	id := w.register()
	if n := w.information(id.Node); n.PingStatus != types.PingStatusConnectionLost || n.AgentVersion != nil || w.connected(id.Node) {
		t.Errorf("a node whose agent never ran is %+v", n)
	}
	a := w.start(id)
	n := w.information(id.Node)
	if n.PingStatus != types.PingStatusOnline || aws.ToString(n.AgentVersion) != "3.3.1142.0" || aws.ToString(n.ComputerName) != "site-pc" {
		t.Errorf("a node whose agent reports is %+v", n)
	}
	a.Stop()
	w.await("the control channel to close", func() bool { return !w.connected(id.Node) })
	if n := w.information(id.Node); n.PingStatus != types.PingStatusOnline {
		t.Errorf("the node is %s as soon as its agent stops", n.PingStatus)
	}
	w.clock.Advance(time.Hour)
	if n := w.information(id.Node); n.PingStatus != types.PingStatusConnectionLost {
		t.Errorf("a node that reports no longer is %s", n.PingStatus)
	}
}

func TestShellOfANodeAnswersUntilItIsLeft(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	a := w.start(w.register())
	x := w.open(ssm.StartSessionInput{Target: aws.String(a.Node())})
	x.Types("id -un", "ssm-user")
	if err := x.Resize(132, 50); err != nil {
		t.Fatal(err)
	}
	x.Types("stty size", "50 132")
	if _, err := io.WriteString(x, "exit\r"); err != nil {
		t.Fatal(err)
	}
	if reason := x.WaitClosed(limit); reason != "" {
		t.Errorf("the session ends with %q", reason)
	}
	active, err := w.ssm().DescribeSessions(t.Context(), &ssm.DescribeSessionsInput{State: types.SessionStateActive})
	if err != nil || len(active.Sessions) != 0 {
		t.Errorf("the open sessions are %+v (%v)", active, err)
	}
}

func TestSessionOfANodeContinuesAfterACutAndEndsWhenItIsTerminated(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	a := w.start(w.register())
	x := w.open(ssm.StartSessionInput{Target: aws.String(a.Node())})
	x.Types("echo before", "before")
	if !w.CutSession(x.ID) {
		t.Fatal("there is no connection to cut")
	}
	x.Types("echo after", "after")
	if _, err := w.ssm().TerminateSession(t.Context(), &ssm.TerminateSessionInput{SessionId: &x.ID}); err != nil {
		t.Fatal(err)
	}
	x.WaitClosed(2 * time.Second)
	w.open(ssm.StartSessionInput{Target: aws.String(a.Node())}).Types("echo again", "again")
}

func TestCommandOfADocumentRunsOnANode(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	a := w.start(w.register())
	x := w.open(ssm.StartSessionInput{
		Target: aws.String(a.Node()), DocumentName: aws.String("AWS-StartInteractiveCommand"), Parameters: map[string][]string{"command": {"echo from a document"}},
	})
	if out, _ := io.ReadAll(x); string(out) != "from a document\r\n" {
		t.Errorf("the command prints %q", out)
	}
	x.WaitClosed(limit)
}

func TestSessionThatANodeCannotRunEndsWithItsReason(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	a := w.start(w.register())
	x := w.open(ssm.StartSessionInput{Target: aws.String(a.Node()), DocumentName: aws.String("AWS-StartSSHSession")})
	if reason := x.WaitClosed(limit); !strings.Contains(reason, "no sessions of type Port") {
		t.Errorf("the session ends with %q", reason)
	}
}

func TestNodeIsReachedNoLongerWhenItIsDeregistered(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	id := w.register()
	a := w.start(id)
	if _, err := w.ssm().DeregisterManagedInstance(t.Context(), &ssm.DeregisterManagedInstanceInput{InstanceId: &id.Node}); err != nil {
		t.Fatal(err)
	}
	_, err := w.ssm().StartSession(t.Context(), &ssm.StartSessionInput{Target: &id.Node})
	wantCode(t, err, "TargetNotConnected")
	a.Stop()
	_, err = nodeagent.Start(t.Context(), w.options(), id)
	wantCode(t, err, "InvalidInstanceId")
}

func TestOnlyTheMachineThatRegisteredGetsCredentials(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	id, other := w.register(), w.register()
	impostor := *other
	impostor.Node = id.Node
	_, err := nodeagent.Start(t.Context(), w.options(), &impostor)
	wantCode(t, err, "InvalidSignatureException")
	elsewhere := w.options()
	elsewhere.Region = "eu-west-1"
	_, err = nodeagent.Start(t.Context(), elsewhere, id)
	wantCode(t, err, "InvalidInstanceId")
	unknown := *id
	unknown.Node = "mi-00000000000000000"
	_, err = nodeagent.Start(t.Context(), w.options(), &unknown)
	wantCode(t, err, "InvalidInstanceId")
	w.start(id)
}

func TestRoleOfANodeIsJudgedByItsPolicies(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	id := w.register()
	if err := w.Account(account).IAM.Detach(iam.Role, serviceRole, "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"); err != nil {
		t.Fatal(err)
	}
	_, err := nodeagent.Start(t.Context(), w.options(), id)
	wantCode(t, err, "AccessDeniedException")
}

func TestActivationIsOfOneRegion(t *testing.T) {
	w := newWorld(t, fixtures.S1())
	a, err := w.ssm().CreateActivation(t.Context(), &ssm.CreateActivationInput{IamRole: aws.String(serviceRole)})
	if err != nil {
		t.Fatal(err)
	}
	port := w.url[strings.LastIndex(w.url, ":"):]
	for name, code := range map[string]string{"eu-west-1": "InvalidActivation", region: ""} {
		o := w.options()
		o.Endpoint = "http://ssm." + name + ".localhost" + port
		o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1"+port)
		}}}
		_, err := nodeagent.Register(t.Context(), o, *a.ActivationId, *a.ActivationCode)
		if code == "" && err != nil {
			t.Errorf("in its own region it is refused: %v", err)
		}
		if code != "" {
			wantCode(t, err, code)
		}
	}
}
