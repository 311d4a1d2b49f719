package check_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func verdict(id string, changes ...func(*check.Facts)) check.Verdict {
	f := changed(stack(), changes...)
	f.Node.ID = id
	return check.Verdict{Node: id, Checks: check.Judge(f)}
}

func TestTheCommonestCauseComesFirst(t *testing.T) {
	stopped := onInstance(func(i *check.Instance) { i.State = "stopped" })
	verdicts := []check.Verdict{
		verdict("i-5", without("ssmmessages")), verdict("i-4", stopped), verdict("i-3", stopped),
		verdict("i-2", up), verdict("i-1", up, onBucket(check.Is(check.Bucket{}))), verdict("i-6", hiddenConnection), verdict("i-7", rules("sg-node")),
	}
	s := check.Summarize(verdicts)
	down, unknown, impaired := s.In[check.StateDown], s.In[check.StateUnknown], s.In[check.StateImpaired]
	if got := fmt.Sprint(s.Total, s.Connected, down.Count, unknown.Count, impaired.Count); got != "7 2 4 1 1" {
		t.Errorf("got %s", got)
	}
	var causes []string
	for _, c := range slices.Concat(down.Causes, unknown.Causes, impaired.Causes) {
		causes = append(causes, fmt.Sprint(c.Reason, " ", c.Count, " ", c.Node))
	}
	want := []string{"InstanceNotRunning 2 i-3", "EgressBlocked 1 i-7", "EndpointMissing 1 i-5", "AgentOffline 1 i-6", "BucketNotFound 1 i-1"}
	if !slices.Equal(causes, want) {
		t.Errorf("got %q", causes)
	}
	slices.Reverse(verdicts)
	if !reflect.DeepEqual(check.Summarize(verdicts), s) {
		t.Error("the order of the verdicts matters")
	}
	if first, told := verdicts[0].First(); !told || first.Reason != check.EgressBlocked {
		t.Errorf("%+v", first)
	}
}

// up: AWS calls the node connected. plain: its documents ask for nothing.
var (
	up    = func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) }
	plain = onContent(func(c *check.Content) { *c = check.Content{SessionType: "Standard_Stream"} })
)

// unread: a connected node about which nothing else was read.
func unread(f *check.Facts) {
	up(f)
	f.Node.Agent = check.Denied[check.Agent]("ssm:DescribeInstanceInformation")
	f.Instance, f.Role, f.DefaultRole, f.Network, f.Logging = check.Known[check.Instance]{}, check.Known[check.Role]{}, check.Known[check.Role]{}, nil, nil
}

func TestWhatAVerdictComesTo(t *testing.T) {
	for _, tc := range []struct {
		story  string
		change func(*check.Facts)
		state  check.State
		reason check.Reason
	}{
		{"healthy", up, check.StateInOrder, ""},
		{"down", together(), check.StateDown, check.AgentOffline},
		{"not known whether connected", hiddenConnection, check.StateUnknown, check.AgentOffline},
		{"nothing asked for, and nothing read", together(plain, unread), check.StateInOrder, ""},
		{"nothing asked for, and a version in disorder", together(up, plain, onAgent(func(a *check.Agent) { a.Version = "new" })), check.StateInOrder, ""},
		{"a log group gone", together(up, onGroup(check.Is(check.LogGroup{}))), check.StateImpaired, check.LogGroupNotFound},
		{"a log group that may not be looked for", together(up, onGroup(check.Denied[check.LogGroup]("logs:DescribeLogGroups"))), check.StateUnjudged, check.PermissionMissing},
		{"a log group that gave no answer", together(up, onGroup(check.Unread[check.LogGroup]("logs:DescribeLogGroups"))), check.StateUnjudged, check.ReadFailed},
		{"a document beyond the bounds", together(up, func(f *check.Facts) { f.Documents[1].Content = check.Known[check.Content]{} }), check.StateUnjudged, check.NotRead},
		{"a document that may not be read", together(unread, func(f *check.Facts) { f.Documents[1].Content = check.Denied[check.Content]("ssm:GetDocument") }), check.StateUnjudged, check.PermissionMissing},
		{"a version in disorder", together(up, onAgent(func(a *check.Agent) { a.Version = "new" })), check.StateUnjudged, check.NotUnderstood},
		{"an old agent", together(up, onAgent(func(a *check.Agent) { a.Version = "3.0.222.0" })), check.StateImpaired, check.AgentTooOld},
		{"an old agent, after a gap", together(up, onAgent(func(a *check.Agent) { a.Version = "3.0.222.0" }), onGroup(check.Denied[check.LogGroup]("logs:DescribeLogGroups"))), check.StateImpaired, check.AgentTooOld},
		{"a gap, and something gone", together(up, onGroup(check.Denied[check.LogGroup]("logs:DescribeLogGroups")), onBucket(check.Is(check.Bucket{}))), check.StateImpaired, check.BucketNotFound},
		{"an endpoint perhaps elsewhere", together(up, without("logs"), routed(check.Route{Destination: "10.0.0.0/8", Target: "tgw-1"})), check.StateUnjudged, check.EndpointElsewhere},
	} {
		v := verdict("i-1", tc.change)
		first, told := v.First()
		if v.State() != tc.state || first.Reason != tc.reason || told != (tc.reason != "") {
			t.Errorf("%s: state %d, %+v; want %d, %s", tc.story, v.State(), first, tc.state, tc.reason)
		}
		if told && (first.Message == "" || first.Remedy == "") {
			t.Errorf("%s: %+v does not say what to do", tc.story, first)
		}
		if kept := (check.Verdict{Node: "i-1", Checks: v.Telling()}); len(kept.Checks) > 2 || kept.State() != tc.state {
			t.Errorf("%s: %+v does not tell the same", tc.story, kept.Checks)
		}
	}
}

func hiddenConnection(f *check.Facts) {
	f.Node.Connection = check.Denied[check.ConnectionStatus]("ssm:GetConnectionStatus")
}

func TestAMachineThatHasJustStartedIsNotBlamed(t *testing.T) {
	launched := func(ago time.Duration) func(*check.Facts) {
		return onInstance(func(i *check.Instance) { i.Launched = noon.Add(-ago) })
	}
	pending := onInstance(func(i *check.Instance) { i.State = "pending" })
	unseen := onAgent(func(a *check.Agent) { *a = check.Agent{} })
	reports := onAgent(func(a *check.Agent) { a.PingStatus, a.LastPing = check.PingOnline, noon })
	for _, tc := range []struct {
		story  string
		change func(*check.Facts)
		state  check.State
		reason check.Reason
	}{
		{"never seen", together(launched(time.Minute), unseen), check.StateUnknown, check.InstanceStarting},
		{"pending", together(pending, unseen), check.StateUnknown, check.InstanceStarting},
		{"started again", launched(time.Minute), check.StateUnknown, check.InstanceStarting},
		{"no channel yet", together(launched(time.Minute), reports), check.StateUnknown, check.InstanceStarting},
		{"without a way out", together(launched(time.Minute), unseen, rules("sg-node")), check.StateUnknown, check.EgressBlocked},
		{"connected", together(launched(time.Minute), up), check.StateInOrder, ""},
		{"for too long", together(launched(5*time.Minute), unseen), check.StateDown, check.AgentNeverSeen},
		{"and stopped", together(launched(time.Minute), onInstance(func(i *check.Instance) { i.State = "stopped" })), check.StateDown, check.InstanceNotRunning},
	} {
		v := verdict("i-1", tc.change)
		if first, _ := v.First(); v.State() != tc.state || first.Reason != tc.reason {
			t.Errorf("%s: state %d, %+v; want %d, %s", tc.story, v.State(), first, tc.state, tc.reason)
		}
	}
	for _, name := range []check.Name{check.CheckInstanceState, check.CheckAgentOnline, check.CheckConnected} {
		if c, _ := find(check.Judge(changed(stack(), launched(time.Minute), unseen)), name); c.Reason != check.InstanceStarting || !strings.HasPrefix(c.Remedy, "Wait") {
			t.Errorf("%+v", c)
		}
	}
}

func TestWhatIsTerminatedIsNotToBeStarted(t *testing.T) {
	for state, terminated := range map[string]bool{"terminated": true, "shutting-down": true, "stopped": false, "stopping": false, "running": false} {
		if got := (&check.Instance{State: state}).Terminated(); got != terminated {
			t.Errorf("%s: %t", state, got)
		}
		v := verdict("i-1", onInstance(func(i *check.Instance) { i.State = state }))
		if first, _ := v.First(); terminated && strings.Contains(first.Remedy, "Start") || strings.HasPrefix(state, "stop") && !strings.Contains(first.Remedy, "Start") {
			t.Errorf("%s: %s", state, first.Remedy)
		}
	}
}

func TestNothingToTellOfAHealthyNode(t *testing.T) {
	v := verdict("i-1", func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) })
	if c, told := v.First(); told {
		t.Errorf("%+v", c)
	}
	if s := check.Summarize(nil); s.Total != 0 || len(s.In) != 0 {
		t.Errorf("%+v", s)
	}
}
