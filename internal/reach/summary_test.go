package reach_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

func verdict(id string, changes ...func(*reach.Facts)) reach.Verdict {
	f := changed(stack(), changes...)
	f.Node.ID = id
	return reach.Verdict{Node: id, Checks: reach.Judge(f)}
}

func TestTheCommonestCauseComesFirst(t *testing.T) {
	stopped := onInstance(func(i *reach.Instance) { i.State = "stopped" })
	verdicts := []reach.Verdict{
		verdict("i-5", without("ssmmessages")), verdict("i-4", stopped), verdict("i-3", stopped),
		verdict("i-2", up), verdict("i-1", up, onBucket(reach.Is(reach.Bucket{}))), verdict("i-6", hiddenConnection), verdict("i-7", rules("sg-node")),
	}
	s := reach.Summarize(verdicts)
	down, unknown, impaired := s.In[reach.StateDown], s.In[reach.StateUnknown], s.In[reach.StateImpaired]
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
	if !reflect.DeepEqual(reach.Summarize(verdicts), s) {
		t.Error("the order of the verdicts matters")
	}
	if first, told := verdicts[0].First(); !told || first.Reason != reach.EgressBlocked {
		t.Errorf("%+v", first)
	}
}

// up: AWS calls the node connected. plain: its documents ask for nothing.
var (
	up    = func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) }
	plain = onContent(func(c *reach.Content) { *c = reach.Content{SessionType: "Standard_Stream"} })
)

// unread: a connected node of which nothing else was read.
func unread(f *reach.Facts) {
	up(f)
	f.Node.Agent = reach.Denied[reach.Agent]("ssm:DescribeInstanceInformation")
	f.Instance, f.Role, f.DefaultRole, f.Network, f.Logging = reach.Known[reach.Instance]{}, reach.Known[reach.Role]{}, reach.Known[reach.Role]{}, nil, nil
}

func TestWhatAVerdictComesTo(t *testing.T) {
	for _, tc := range []struct {
		story  string
		change func(*reach.Facts)
		state  reach.State
		reason reach.Reason
	}{
		{"healthy", up, reach.StateInOrder, ""},
		{"down", together(), reach.StateDown, reach.AgentOffline},
		{"not known whether connected", hiddenConnection, reach.StateUnknown, reach.AgentOffline},
		{"nothing asked for, and nothing read", together(plain, unread), reach.StateInOrder, ""},
		{"nothing asked for, and a version in disorder", together(up, plain, onAgent(func(a *reach.Agent) { a.Version = "new" })), reach.StateInOrder, ""},
		{"a log group gone", together(up, onGroup(reach.Is(reach.LogGroup{}))), reach.StateImpaired, reach.LogGroupNotFound},
		{"a log group that may not be looked for", together(up, onGroup(reach.Denied[reach.LogGroup]("logs:DescribeLogGroups"))), reach.StateUnjudged, reach.PermissionMissing},
		{"a log group that gave no answer", together(up, onGroup(reach.Unread[reach.LogGroup]("logs:DescribeLogGroups"))), reach.StateUnjudged, reach.ReadFailed},
		{"a document beyond the bounds", together(up, func(f *reach.Facts) { f.Documents[1].Content = reach.Known[reach.Content]{} }), reach.StateUnjudged, reach.NotRead},
		{"a document that may not be read", together(unread, func(f *reach.Facts) { f.Documents[1].Content = reach.Denied[reach.Content]("ssm:GetDocument") }), reach.StateUnjudged, reach.PermissionMissing},
		{"a version in disorder", together(up, onAgent(func(a *reach.Agent) { a.Version = "new" })), reach.StateUnjudged, reach.NotUnderstood},
		{"an old agent", together(up, onAgent(func(a *reach.Agent) { a.Version = "3.0.222.0" })), reach.StateImpaired, reach.AgentTooOld},
		{"an old agent, after a gap", together(up, onAgent(func(a *reach.Agent) { a.Version = "3.0.222.0" }), onGroup(reach.Denied[reach.LogGroup]("logs:DescribeLogGroups"))), reach.StateImpaired, reach.AgentTooOld},
		{"a gap, and something gone", together(up, onGroup(reach.Denied[reach.LogGroup]("logs:DescribeLogGroups")), onBucket(reach.Is(reach.Bucket{}))), reach.StateImpaired, reach.BucketNotFound},
		{"an endpoint perhaps elsewhere", together(up, without("logs"), routed(reach.Route{Destination: "10.0.0.0/8", Target: "tgw-1"})), reach.StateUnjudged, reach.EndpointElsewhere},
	} {
		v := verdict("i-1", tc.change)
		first, told := v.First()
		if v.State() != tc.state || first.Reason != tc.reason || told != (tc.reason != "") {
			t.Errorf("%s: state %d, %+v; want %d, %s", tc.story, v.State(), first, tc.state, tc.reason)
		}
		if told && (first.Message == "" || first.Remedy == "") {
			t.Errorf("%s: %+v does not say what to do", tc.story, first)
		}
		if kept := (reach.Verdict{Node: "i-1", Checks: v.Telling()}); len(kept.Checks) > 2 || kept.State() != tc.state {
			t.Errorf("%s: %+v does not tell the same", tc.story, kept.Checks)
		}
	}
}

func hiddenConnection(f *reach.Facts) {
	f.Node.Connection = reach.Denied[reach.ConnectionStatus]("ssm:GetConnectionStatus")
}

func TestAMachineThatHasJustStartedIsNotBlamed(t *testing.T) {
	launched := func(ago time.Duration) func(*reach.Facts) {
		return onInstance(func(i *reach.Instance) { i.Launched = noon.Add(-ago) })
	}
	pending := onInstance(func(i *reach.Instance) { i.State = "pending" })
	unseen := onAgent(func(a *reach.Agent) { *a = reach.Agent{} })
	reports := onAgent(func(a *reach.Agent) { a.PingStatus, a.LastPing = reach.PingOnline, noon })
	for _, tc := range []struct {
		story  string
		change func(*reach.Facts)
		state  reach.State
		reason reach.Reason
	}{
		{"never seen", together(launched(time.Minute), unseen), reach.StateUnknown, reach.InstanceStarting},
		{"pending", together(pending, unseen), reach.StateUnknown, reach.InstanceStarting},
		{"started again", launched(time.Minute), reach.StateUnknown, reach.InstanceStarting},
		{"no channel yet", together(launched(time.Minute), reports), reach.StateUnknown, reach.InstanceStarting},
		{"without a way out", together(launched(time.Minute), unseen, rules("sg-node")), reach.StateUnknown, reach.EgressBlocked},
		{"connected", together(launched(time.Minute), up), reach.StateInOrder, ""},
		{"for too long", together(launched(5*time.Minute), unseen), reach.StateDown, reach.AgentNeverSeen},
		{"and stopped", together(launched(time.Minute), onInstance(func(i *reach.Instance) { i.State = "stopped" })), reach.StateDown, reach.InstanceNotRunning},
	} {
		v := verdict("i-1", tc.change)
		if first, _ := v.First(); v.State() != tc.state || first.Reason != tc.reason {
			t.Errorf("%s: state %d, %+v; want %d, %s", tc.story, v.State(), first, tc.state, tc.reason)
		}
	}
	for _, name := range []reach.Name{reach.CheckInstanceState, reach.CheckAgentOnline, reach.CheckConnected} {
		if c, _ := find(reach.Judge(changed(stack(), launched(time.Minute), unseen)), name); c.Reason != reach.InstanceStarting || !strings.HasPrefix(c.Remedy, "Wait") {
			t.Errorf("%+v", c)
		}
	}
}

func TestWhatIsTerminatedIsNotToBeStarted(t *testing.T) {
	for state, terminated := range map[string]bool{"terminated": true, "shutting-down": true, "stopped": false, "stopping": false, "running": false} {
		if got := (&reach.Instance{State: state}).Terminated(); got != terminated {
			t.Errorf("%s: %t", state, got)
		}
		v := verdict("i-1", onInstance(func(i *reach.Instance) { i.State = state }))
		if first, _ := v.First(); terminated && strings.Contains(first.Remedy, "Start") || strings.HasPrefix(state, "stop") && !strings.Contains(first.Remedy, "Start") {
			t.Errorf("%s: %s", state, first.Remedy)
		}
	}
}

func TestNothingToTellOfAHealthyNode(t *testing.T) {
	v := verdict("i-1", func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) })
	if c, told := v.First(); told {
		t.Errorf("%+v", c)
	}
	if s := reach.Summarize(nil); s.Total != 0 || len(s.In) != 0 {
		t.Errorf("%+v", s)
	}
}
