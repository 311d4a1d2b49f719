package reachability_test

import (
	"strings"
	"testing"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// changeNode changes a machine of the emulated fleet.
func (n nodes) changeNode(id string, change func(*fleet.Node)) {
	n.T.Helper()
	n.Must(n.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Change(id, change))
}

// strike has all calls of a kind go wrong until the fault is lifted.
func (n nodes) strike(kind faults.Kind, action string) (lift func()) {
	n.T.Helper()
	fault, err := n.Emulator.Inject(faults.Fault{Kind: kind, Action: action})
	n.Must(err)
	return func() { n.Emulator.RemoveFault(fault) }
}

// looks are the events about the reachability of an access.
func (n nodes) looks(of string) []eventsv1.Event {
	n.T.Helper()
	var all eventsv1.EventList
	n.Must(n.Client.List(n.T.Context(), &all))
	var reported []eventsv1.Event
	for _, e := range all.Items {
		if e.Action == "Look" && e.Regarding.UID == n.access[of].UID {
			reported = append(reported, e)
		}
	}
	return reported
}

// with has an access to a node with a document beside the others.
func (n nodes) with(name, node, document string) {
	n.T.Helper()
	a := scenario.Access(name, "user02", node)
	a.Spec.Documents = []v1alpha1.DocumentReference{{Name: document}}
	n.access[name] = a
	n.Create(a)
	n.connected(name)
}

func TestACallThatFailedTurnsNoVerdictAround(t *testing.T) {
	n := newNodes(t)
	n.allConnected()
	repair := n.breaks(fixtures.S7Node, stack.LogGroupMissing)
	n.resync()
	n.reasonIs(fixtures.S7Node, check.LogGroupNotFound)
	answer := n.strike(faults.ServerError, "logs:DescribeLogGroups")
	n.resync()
	older := func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return strings.Contains(c.Message, "earlier look")
	}
	got := n.reachable(fixtures.S7Node, older)
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable); c.Status != metav1.ConditionFalse || c.Reason != string(check.LogGroupNotFound) {
		t.Errorf("what was found is now %s, %s: %s", c.Status, c.Reason, c.Message)
	}
	answer()
	n.resync()
	n.reachable(fixtures.S7Node, func(a *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return c.Reason == string(check.LogGroupNotFound) && !older(a, c)
	})
	repair()
	n.resync()
	n.connected(fixtures.S7Node)
	n.AwaitEvent(n.access[fixtures.S7Node], v1alpha1.ReasonTargetsConnected)
	n.AwaitEvent(n.access[fixtures.S7Node], string(check.LogGroupNotFound))
	if reported := n.looks(fixtures.S7Node); len(reported) != 2 {
		t.Errorf("%d changes were announced, want LogGroupNotFound and TargetsConnected: %+v", len(reported), reported)
	}
}

func TestWhatMayNotBeReadOfAConnectedNodeIsNotSaidToWork(t *testing.T) {
	n := newNodes(t)
	n.with("plain", fixtures.S7Node, v1alpha1.DefaultDocument)
	n.with("ssh", fixtures.S7Node, "AWS-StartSSHSession")
	n.allConnected()
	for _, action := range []string{"logs:DescribeLogGroups", "iam:SimulatePrincipalPolicy", "ssm:GetDocument"} {
		allow := n.strike(faults.AccessDenied, action)
		n.resync()
		got := n.reasonIs(fixtures.S7Node, check.PermissionMissing)
		c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable)
		n.ExpectSentence(c.Message, action, check.PermissionMissing.Docs())
		if f := got.Status.Targets.Failing; c.Status != metav1.ConditionUnknown || got.Status.Summary.Reachable != "1/1?" || len(f) != 1 || f[0].State != v1alpha1.TargetUnknown {
			t.Errorf("without %s: %s, %s reachable, %+v", action, c.Status, got.Status.Summary.Reachable, f)
		}
		if action == "ssm:GetDocument" {
			n.reasonIs("plain", check.PermissionMissing)
		}
		allow()
		n.resync()
		n.allConnected()
	}
	// Of what asks for nothing there was nothing to tell, but for what it asks for.
	n.AwaitEvent(n.access["plain"], string(check.PermissionMissing))
	if reported := n.looks("ssh"); len(reported) != 0 {
		t.Errorf("of the access that asks for nothing was reported %+v", reported)
	}
}

func TestAnAgentThatLacksWhatADocumentUsesIsTold(t *testing.T) {
	n := newNodes(t)
	n.with("ssh", fixtures.S7Node, "AWS-StartSSHSession")
	n.allConnected()
	var version string
	n.changeNode(fixtures.S7Node, func(f *fleet.Node) { version, f.Agent.Version = f.Agent.Version, "3.0.222.0" })
	n.resync()
	got := n.reasonIs(fixtures.S7Node, check.AgentTooOld)
	n.expectReported(got, fixtures.S7Node, check.AgentTooOld, stack.Connected)
	n.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable).Message, "3.0.222.0", "log streaming", scenario.Audited)
	n.changeNode(fixtures.S7Node, func(f *fleet.Node) { f.Agent.Version = version })
	n.resync()
	n.allConnected()
	if reported := n.looks("ssh"); len(reported) != 0 {
		t.Errorf("the agent can forward ports, and of that was reported %+v", reported)
	}
}

func TestANodeThatHasJustStartedIsNoFalseAlarm(t *testing.T) {
	n := newNodes(t)
	n.byTag()
	n.changeNode(fixtures.S7Node, func(f *fleet.Node) { f.Launched, f.Agent = n.Clock.Now().Add(scenario.ResyncAfter-time.Minute), nil })
	n.resync()
	got := n.reasonIs("tag", check.InstanceStarting)
	c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable)
	if got.Status.Targets.Unknown != 1 || c.Status != metav1.ConditionUnknown || !strings.Contains(c.Message, "Wait") {
		t.Errorf("a minute after its start: %s, %+v: %s", c.Status, got.Status.Targets, c.Message)
	}
	n.AwaitEvent(n.access["tag"], string(check.InstanceStarting))
	for _, e := range n.looks("tag") {
		if e.Type != "Normal" {
			t.Errorf("a start is announced as %s: %s", e.Type, e.Note)
		}
	}
	n.resync()
	n.reasonIs("tag", check.AgentNeverSeen)
}

func TestAReachabilityIsAnnouncedWhenItChangesOnly(t *testing.T) {
	n := newNodes(t)
	n.byTag()
	first := n.breaks(fixtures.S7Node, stack.AgentMissing)
	n.resync()
	n.reasonIs("tag", check.AgentNeverSeen)
	n.AwaitEvent(n.access["tag"], string(check.AgentNeverSeen))
	// The status changes, and what is the matter stays.
	second := n.breaks(fixtures.S7NATNode, stack.AgentMissing)
	n.resync()
	n.reachable("tag", func(a *v1alpha1.SessionAccess, _ metav1.Condition) bool { return a.Status.Summary.Reachable == "0/2" })
	second()
	n.resync()
	n.reachable("tag", func(a *v1alpha1.SessionAccess, _ metav1.Condition) bool { return a.Status.Summary.Reachable == "1/2" })
	first()
	n.resync()
	n.connected("tag")
	n.AwaitEvent(n.access["tag"], v1alpha1.ReasonTargetsConnected)
	kinds := map[string]string{string(check.AgentNeverSeen): "Warning", v1alpha1.ReasonTargetsConnected: "Normal"}
	reported := n.looks("tag")
	for _, e := range reported {
		if e.Series != nil || e.Type != kinds[e.Reason] {
			t.Errorf("%s %s is announced again and again: %+v", e.Type, e.Reason, e.Series)
		}
	}
	if len(reported) != len(kinds) {
		t.Errorf("%d events report two changes: %+v", len(reported), reported)
	}
}

func TestAHybridNodeWhoseTierIsBeingChangedIsNotSaidToWork(t *testing.T) {
	w := scenario.NewForTiers(t, 1, testenv.ManagerOptions{})
	w.Emulator.SetTierTimes(ssm.TierTimes{Up: time.Hour, Down: time.Hour})
	n := nodes{World: w, account: scenario.Account(), access: map[string]*v1alpha1.SessionAccess{scenario.HybridNode: scenario.Access("site", "user01", scenario.HybridNode)}}
	n.Create(n.access[scenario.HybridNode])
	got := n.reasonIs(scenario.HybridNode, check.StandardTier)
	n.expectReported(got, scenario.HybridNode, check.StandardTier, stack.Connected)
	n.Create(scenario.AccountTier(v1alpha1.TierAdvanced))
	n.AwaitPendingTier()
	n.resync()
	got = n.reasonIs(scenario.HybridNode, check.TierChanging)
	if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable); c.Status == metav1.ConditionTrue || got.Status.Summary.Reachable == "" || len(got.Status.Targets.Failing) != 1 {
		t.Errorf("while the tier is being changed: %s, %+v", c.Status, got.Status.Targets)
	}
	n.Advance(time.Hour, n.account)
	n.connected(scenario.HybridNode)
}
