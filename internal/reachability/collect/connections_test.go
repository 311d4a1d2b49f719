package collect_test

import (
	"fmt"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
)

// invalid is a failure that the SDK does not try again.
func invalid(action string, nth int) faults.Fault {
	return faults.Fault{Kind: faults.Error, Action: action, Code: "ValidationException", Message: "no", Nth: nth}
}

func (w world) inject(f faults.Fault) (id string) {
	w.t.Helper()
	id, err := w.Inject(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// close has a node report without a control channel.
func (w world) close(i int) {
	w.t.Helper()
	if err := w.Account(accountID).Region(region).Fleet.SetAgent(nodeID(i), true, false); err != nil {
		w.t.Fatal(err)
	}
}

// ofAll asks for the first nodes of a fleet.
func ofAll(nodes int) collect.Request {
	r := request()
	r.Memory = &collect.Memory{}
	for i := range nodes {
		r.Nodes[nodeID(i)] = []string{region}
	}
	return r
}

// closed counts the nodes that are known not to be connected.
func closed(s *collect.Survey, nodes int) int {
	n := 0
	for i := range nodes {
		if status, known := s.Facts(nodeID(i), nil).Node.Connection.Get(); known && status == check.StatusNotConnected {
			n++
		}
	}
	return n
}

func TestARefusalOfOneRegionLeavesTheAnswersOfAnother(t *testing.T) {
	for when, other := range map[string]string{"before": "i-0b00000000000dead", "after": "i-0d00000000000dead"} {
		t.Run(when, func(t *testing.T) {
			w := newWorld(t, newFleet(1, 3, func(int) bool { return true }))
			r := ofAll(3)
			r.Nodes[other] = []string{elsewhere}
			nth := 1
			if when == "after" {
				nth = 4
			}
			w.inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:GetConnectionStatus", Nth: nth})
			s, _ := w.take(r)
			if n := closed(s, 3); n != 3 {
				t.Errorf("%d of 3 nodes are known not to be connected", n)
			}
			if missing := s.Facts(other, nil).Node.Connection.Missing(); !missing.Denied {
				t.Errorf("of the node that may not be asked about, %+v is missing", missing)
			}
		})
	}
}

func TestNoAnswerAboutOneNodeLeavesTheOthers(t *testing.T) {
	w := newWorld(t, newFleet(1, 3, func(int) bool { return true }))
	w.inject(invalid("ssm:GetConnectionStatus", 2))
	s, _ := w.take(ofAll(3))
	if n := closed(s, 3); n != 2 {
		t.Errorf("%d of 3 nodes are known not to be connected, want 2", n)
	}
	if missing := s.Facts(nodeID(1), nil).Node.Connection.Missing(); missing.Denied || missing.Action != "ssm:GetConnectionStatus" {
		t.Errorf("of the node without answer, %+v is missing", missing)
	}
}

func TestARegionWithoutAnswersIsNotAskedOn(t *testing.T) {
	w := newWorld(t, newFleet(1, 20, func(int) bool { return true }))
	w.inject(invalid("ssm:GetConnectionStatus", 0))
	s, _ := w.take(ofAll(20))
	if n := w.called("GetConnectionStatus"); n != 5 {
		t.Errorf("it was asked %d times", n)
	}
	if missing := s.Facts(nodeID(19), nil).Node.Connection.Missing(); missing.Action != "ssm:GetConnectionStatus" {
		t.Errorf("of a node that was not asked about, %+v is missing", missing)
	}
}

// called counts the calls of an operation in the last survey.
func (w world) called(operation string) int {
	n := 0
	for _, c := range w.CallLog(0) {
		if c.Operation == operation {
			n++
		}
	}
	return n
}

func TestANodeThatWasNotConnectedIsNotWithoutAnAnswer(t *testing.T) {
	for name, fault := range map[string]faults.Fault{
		"refused": {Kind: faults.AccessDenied, Action: "ssm:GetConnectionStatus"}, "unanswered": invalid("ssm:GetConnectionStatus", 0),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, newFleet(1, 12, func(int) bool { return false }))
			for i := range 8 {
				w.close(i)
			}
			r := ofAll(12)
			if s, _ := w.take(r); closed(s, 12) != 8 {
				t.Fatalf("%d of 8 nodes were found not to be connected", closed(s, 12))
			}
			id := w.inject(fault)
			if s, _ := w.take(r); closed(s, 12) != 8 {
				t.Errorf("without an answer, %d of 8 nodes are not connected", closed(s, 12))
			}
			w.RemoveFault(id)
			if err := w.Account(accountID).Region(region).Fleet.SetAgent(nodeID(3), true, true); err != nil {
				t.Fatal(err)
			}
			if s, _ := w.take(r); closed(s, 12) != 7 {
				t.Errorf("%d nodes are not connected when one of 8 is again", closed(s, 12))
			}
		})
	}
}

func TestAnAgentThatReportsAgainIsConnectedOnceThatIsSaid(t *testing.T) {
	const nodes = 40
	w := newWorld(t, newFleet(1, nodes, func(i int) bool { return i == nodes-1 }))
	r := ofAll(nodes)
	w.take(r)
	w.close(nodes - 1)
	if s, _ := w.take(r); closed(s, nodes) != 1 {
		t.Error("a node that was not connected is so because its agent reports")
	}
}

func TestWhatShutsManyNodesShowsAtOnce(t *testing.T) {
	const nodes, vpcs = 200, 2
	w := newWorld(t, newFleet(vpcs, nodes, func(int) bool { return false }))
	for i := 0; i < nodes; i += vpcs {
		w.close(i)
	}
	r := ofAll(nodes)
	for round := range 2 {
		s, calls := w.take(r)
		if n := closed(s, nodes); n != nodes/vpcs {
			t.Errorf("survey %d found %d of %d nodes that are not connected", round, n, nodes/vpcs)
		}
		if budget := nodes/50 + 12*vpcs + 3*nodes/vpcs; calls > budget {
			t.Errorf("survey %d took %d calls, and the budget is %d", round, calls, budget)
		}
	}
}

func TestLooksAtNewAccessesDoNotKeepOthersFromTheirTurn(t *testing.T) {
	const nodes = 25
	w := newWorld(t, newFleet(1, nodes, func(int) bool { return false }))
	w.close(nodes - 1)
	r := ofAll(nodes)
	fresh := collect.Request{Nodes: map[string][]string{nodeID(0): {region}}, Memory: r.Memory, Partial: true}
	for range 2 {
		w.take(r)
		w.take(fresh)
	}
	if s, _ := w.take(r); closed(s, nodes) != 1 {
		t.Error("the last node was not asked about in three surveys of all")
	}
}

func TestARegionWithoutAnswersFailsByItself(t *testing.T) {
	w := newWorld(t, newFleet(1, 2, func(int) bool { return true }))
	r := ofAll(2)
	r.Nodes["i-0b00000000000dead"] = []string{elsewhere}
	w.inject(invalid("ssm:DescribeInstanceInformation", 2))
	s, _ := w.take(r)
	if s.Failed([]string{region}, nil) != nil || s.Failed([]string{region, elsewhere}, nil) == nil {
		t.Errorf("%s: %v, %s: %v", region, s.Failed([]string{region}, nil), elsewhere, s.Failed([]string{elsewhere}, nil))
	}
	if n := closed(s, 2); n != 2 {
		t.Errorf("%d of 2 nodes are known not to be connected", n)
	}
}

func TestASelectionThatCannotBeReadFailsByItself(t *testing.T) {
	w := newWorld(t, newFleet(1, 2, func(int) bool { return true }))
	var all []collect.Selection
	for i := range 2 {
		all = append(all, collect.Selection{Region: region, Tags: map[string]string{"fleet": "all", "n": fmt.Sprint(i)}})
	}
	r := ofAll(2)
	r.Selections = all
	w.inject(invalid("ec2:DescribeInstances", 2))
	s, _ := w.take(r)
	if s.Failed([]string{region}, all[:1]) != nil || s.Failed(nil, all) == nil {
		t.Errorf("the first: %v, both: %v", s.Failed(nil, all[:1]), s.Failed(nil, all))
	}
	if n := closed(s, 2); n != 2 {
		t.Errorf("%d of 2 nodes are known not to be connected", n)
	}
}
