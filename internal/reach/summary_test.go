package reach_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

func verdict(id string, changes ...func(*reach.Facts)) reach.Verdict {
	f := changed(stack(), changes...)
	f.Node.ID = id
	return reach.Verdict{Node: id, Checks: reach.Judge(f)}
}

func TestTheCommonestCauseComesFirst(t *testing.T) {
	stopped := onInstance(func(i *reach.Instance) { i.State = "stopped" })
	up := func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) }
	hidden := func(f *reach.Facts) {
		f.Node.Connection = reach.Denied[reach.ConnectionStatus]("ssm:GetConnectionStatus")
	}
	verdicts := []reach.Verdict{
		verdict("i-5", without("ssmmessages")), verdict("i-4", stopped), verdict("i-3", stopped),
		verdict("i-2", up), verdict("i-1", up, onBucket(reach.Is(reach.Bucket{}))), verdict("i-6", hidden), verdict("i-7", rules("sg-node")),
	}
	s := reach.Summarize(verdicts)
	if got := fmt.Sprint(s.Total, s.Connected, s.NotConnected, s.Unknown, s.Impaired); got != "7 2 4 1 1" {
		t.Errorf("got %s", got)
	}
	var causes []string
	for _, c := range append(s.Causes, s.Impairments...) {
		causes = append(causes, fmt.Sprint(c.Reason, " ", c.Count, " ", c.Node))
	}
	want := []string{"InstanceNotRunning 2 i-3", "AgentOffline 1 i-6", "EgressBlocked 1 i-7", "EndpointMissing 1 i-5", "BucketNotFound 1 i-1"}
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

func TestNothingToTellOfAHealthyNode(t *testing.T) {
	v := verdict("i-1", func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) })
	if c, told := v.First(); told {
		t.Errorf("%+v", c)
	}
	if s := reach.Summarize(nil); s.Total != 0 || s.Causes != nil {
		t.Errorf("%+v", s)
	}
}
