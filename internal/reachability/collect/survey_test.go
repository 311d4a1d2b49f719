package collect_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
)

func request(ids ...string) collect.Request {
	r := collect.Request{Nodes: map[string][]string{}, Documents: map[string][]string{region: {"SSM-SessionManagerRunShell"}}}
	for _, id := range ids {
		r.Nodes[id] = []string{region}
	}
	return r
}

func judge(s *collect.Survey, id string, documents ...string) []check.Check {
	return check.Judge(s.Facts(id, s.Documents(s.Region(id), documents)))
}

func TestAThousandNodesOfWhichTwentyAreDownKeepTheBudget(t *testing.T) {
	const nodes, down, vpcs = 1000, 20, 5
	w := newWorld(t, newFleet(vpcs, nodes, func(i int) bool { return i < down }))
	r := request()
	for i := range nodes {
		r.Nodes[nodeID(i)] = []string{region}
	}
	s, calls := w.take(r)
	if budget := nodes/50 + 12*vpcs + 3*down; calls > budget {
		t.Errorf("the survey took %d calls, and the budget is %d", calls, budget)
	}
	t.Logf("%d nodes, %d of them down, in %d VPCs: %d calls", nodes, down, vpcs, calls)
	for i := range nodes {
		first, failed := check.FirstFailure(judge(s, nodeID(i)))
		if failed != (i < down) || failed && first.Reason != check.AgentOffline {
			t.Fatalf("the first failure on node %d is %v %+v", i, failed, first)
		}
	}
}

func TestConnectedNodesCostTheirShareOfAPage(t *testing.T) {
	w := newWorld(t, newFleet(2, 150, func(int) bool { return false }))
	r := request()
	r.Documents = nil
	for i := range 150 {
		r.Nodes[nodeID(i)] = []string{region}
	}
	if _, calls := w.take(r); calls != 3+10 {
		t.Errorf("150 connected nodes took %d calls, want 3 pages of 50, and 10 nodes asked in turn", calls)
	}
}

func TestANodeThatReportsAndIsNotConnectedIsFoundInTurn(t *testing.T) {
	const nodes = 25
	w := newWorld(t, newFleet(1, nodes, func(int) bool { return false }))
	if err := w.Account(accountID).Region(region).Fleet.SetAgent(nodeID(nodes-1), true, false); err != nil {
		t.Fatal(err)
	}
	r := request()
	r.Memory = &collect.Memory{}
	for i := range nodes {
		r.Nodes[nodeID(i)] = []string{region}
	}
	for round := range 6 {
		s, _ := w.take(r)
		first, failed := check.FirstFailure(judge(s, nodeID(nodes-1)))
		if found := round >= 2; failed != found || failed && first.Reason != check.ChannelClosed {
			t.Errorf("in survey %d the node is judged %v %+v", round, failed, first)
		}
	}
	if err := w.Account(accountID).Region(region).Fleet.SetAgent(nodeID(nodes-1), true, true); err != nil {
		t.Fatal(err)
	}
	s, _ := w.take(r)
	if _, failed := check.FirstFailure(judge(s, nodeID(nodes-1))); failed {
		t.Error("the node is still judged not to be connected")
	}
}

// What stops the control channel of such a node is found like that of any other.
func TestTheNetworkOfANodeThatReportsAndIsNotConnectedIsRead(t *testing.T) {
	w := newWorld(t, newFleet(1, 1, func(int) bool { return false }))
	if err := w.Account(accountID).Region(region).Fleet.SetAgent(nodeID(0), true, false); err != nil {
		t.Fatal(err)
	}
	s, _ := w.take(request(nodeID(0)))
	for _, c := range judge(s, nodeID(0)) {
		if c.Result == check.NotChecked {
			t.Errorf("%s was not checked: %s", c.Name, c.Message)
		}
	}
}

func TestNodesOfATagAreFoundWithAndWithoutAgent(t *testing.T) {
	w := newWorld(t, newFleet(1, 3, func(int) bool { return false }))
	nodes := w.Account(accountID).Region(region).Fleet
	if err := nodes.Change(nodeID(1), func(n *fleet.Node) { n.Agent = nil }); err != nil {
		t.Fatal(err)
	}
	if err := nodes.Change(nodeID(2), func(n *fleet.Node) { n.State = "terminated" }); err != nil {
		t.Fatal(err)
	}
	all := collect.Selection{Region: region, Tags: map[string]string{"fleet": "all"}}
	other := collect.Selection{Region: region, Tags: map[string]string{"fleet": "al*"}}
	s, _ := w.take(collect.Request{Selections: []collect.Selection{all, other, all}})
	if ids, more, denied := s.Selected(all); len(ids) != 2 || more || len(denied) != 0 {
		t.Fatalf("found %v, %v", ids, more)
	}
	if ids, _, _ := s.Selected(other); len(ids) != 0 {
		t.Errorf("a star in a tag's value found %v", ids)
	}
	if first, _ := check.FirstFailure(judge(s, nodeID(1))); first.Reason != check.AgentNeverSeen {
		t.Errorf("the node without agent is judged %+v", first)
	}
}

func TestOfAnEndlessTagTheFirstThousandAreLookedAt(t *testing.T) {
	w := newWorld(t, newFleet(1, collect.MaxSelected+50, func(int) bool { return false }))
	all := collect.Selection{Region: region, Tags: map[string]string{"fleet": "all"}}
	s, calls := w.take(collect.Request{Selections: []collect.Selection{all}})
	ids, more, _ := s.Selected(all)
	if len(ids) != collect.MaxSelected || !more || ids[0] != nodeID(0) {
		t.Errorf("found %d, more: %v", len(ids), more)
	}
	if calls > 35 {
		t.Errorf("it took %d calls", calls)
	}
}

func TestANodeIsLookedForInEachRegionOfItsGrants(t *testing.T) {
	w := newWorld(t, fixtures.S7())
	r := collect.Request{Nodes: map[string][]string{fixtures.S7Node: {elsewhere, region}, "i-0000000000000dead": {elsewhere, region}}}
	s, _ := w.take(r)
	if got := s.Region(fixtures.S7Node); got != region {
		t.Errorf("the node is in %s", got)
	}
	if _, failed := check.FirstFailure(judge(s, fixtures.S7Node)); failed {
		t.Error("the node that is connected is judged not to be")
	}
	if first, _ := check.FirstFailure(judge(s, "i-0000000000000dead")); first.Reason != check.InstanceNotFound {
		t.Errorf("the node that is nowhere is judged %+v", first)
	}
}

func TestWhatASessionDocumentAsksForIsReadOnce(t *testing.T) {
	f := fixtures.S7()
	r := f.Accounts[0].Regions[region]
	r.Documents = append(r.Documents, loggingDocument())
	f.Accounts[0].Regions[region] = r
	w := newWorld(t, f)
	ask := request(fixtures.S7Node)
	ask.Documents[region] = []string{"audited", "AWS-StartPortForwardingSession"}
	s, calls := w.take(ask)
	for _, c := range judge(s, fixtures.S7Node, "audited", "AWS-StartPortForwardingSession") {
		if c.Result != check.Pass {
			t.Errorf("on the healthy stack %s is %s: %s", c.Name, c.Result, c.Message)
		}
	}
	if calls > 18 {
		t.Errorf("one node with a document that logs took %d calls", calls)
	}
}

func TestWhatMayNotBeReadNamesItsActionAndIsAskedOnce(t *testing.T) {
	w := newWorld(t, newFleet(1, 5, func(int) bool { return true }))
	for _, operation := range []string{"GetConnectionStatus", "DescribeSecurityGroupRules"} {
		if _, err := w.Inject(faults.Fault{Action: "*:" + operation, Kind: faults.AccessDenied}); err != nil {
			t.Fatal(err)
		}
	}
	r := request()
	for i := range 5 {
		r.Nodes[nodeID(i)] = []string{region}
	}
	s, _ := w.take(r)
	for _, operation := range []string{"GetConnectionStatus", "DescribeSecurityGroupRules"} {
		n := 0
		for _, c := range w.CallLog(0) {
			if c.Operation == operation {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s was called %d times", operation, n)
		}
	}
	want := map[check.Name]string{check.CheckConnected: "ssm:GetConnectionStatus", check.CheckSecurityGroupEgress: "ec2:DescribeSecurityGroupRules"}
	for _, c := range judge(s, nodeID(4)) {
		if action, ok := want[c.Name]; ok && (c.Result != check.NotChecked || len(c.Missing) != 1 || c.Missing[0] != action) {
			t.Errorf("%s is %s and misses %v", c.Name, c.Result, c.Missing)
		}
	}
}

func TestASelectionNamesTheActionsForWantOfWhichItMayLackNodes(t *testing.T) {
	w := newWorld(t, newFleet(1, 3, func(int) bool { return false }))
	all := collect.Selection{Region: region, Tags: map[string]string{"fleet": "all"}}
	var want []string
	for _, refused := range []struct {
		action string
		found  int
	}{{"ec2:DescribeInstances", 3}, {"ssm:DescribeInstanceInformation", 0}} {
		if _, err := w.Inject(faults.Fault{Action: refused.action, Kind: faults.AccessDenied}); err != nil {
			t.Fatal(err)
		}
		want = append(want, refused.action)
		s, _ := w.take(collect.Request{Selections: []collect.Selection{all}})
		ids, _, denied := s.Selected(all)
		slices.Sort(denied)
		if len(ids) != refused.found || !slices.Equal(denied, want) {
			t.Errorf("found %v without %v, want %d without %v", ids, denied, refused.found, want)
		}
	}
}

func TestASurveyFailsWhereItCannotTellWhoIsConnected(t *testing.T) {
	w := newWorld(t, fixtures.S7())
	if _, err := w.Inject(faults.Fault{Action: "ssm:DescribeInstanceInformation", Kind: faults.ServerError}); err != nil {
		t.Fatal(err)
	}
	r := request(fixtures.S7Node)
	if _, err := collect.Take(t.Context(), w.account, w.Now(), &r); err == nil {
		t.Error("it did not fail")
	}
}
