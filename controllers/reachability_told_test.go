package controllers_test

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
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// changeNode changes a machine of the emulated fleet.
func (n nodes) changeNode(id string, change func(*fleet.Node)) {
	n.t.Helper()
	n.must(n.Emulator.Account(accountID).Region(region).Fleet.Change(id, change))
}

// strike has all calls of a kind go wrong until the fault is lifted.
func (n nodes) strike(kind faults.Kind, action string) (lift func()) {
	n.t.Helper()
	fault, err := n.Emulator.Inject(faults.Fault{Kind: kind, Action: action})
	n.must(err)
	return func() { n.Emulator.RemoveFault(fault) }
}

// looks are the events about the reachability of an access.
func (n nodes) looks(of string) []eventsv1.Event {
	n.t.Helper()
	var all eventsv1.EventList
	n.must(n.Client.List(n.t.Context(), &all))
	var told []eventsv1.Event
	for _, e := range all.Items {
		if e.Action == "Look" && e.Regarding.UID == n.access[of].UID {
			told = append(told, e)
		}
	}
	return told
}

// with has an access to a node with a document beside the others.
func (n nodes) with(name, node, document string) {
	n.t.Helper()
	a := access(name, "user02", node)
	a.Spec.Documents = []v1alpha1.DocumentReference{{Name: document}}
	n.access[name] = a
	n.create(a)
	n.connected(name)
}

func TestACallThatFailedTurnsNoVerdictAround(t *testing.T) {
	n := newNodes(t)
	n.allConnected()
	mend := n.breaks(fixtures.S7Node, stack.LogGroupMissing)
	n.resync()
	n.reasonIs(fixtures.S7Node, check.LogGroupNotFound)
	answer := n.strike(faults.ServerError, "logs:DescribeLogGroups")
	n.resync()
	older := func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return strings.Contains(c.Message, "earlier look")
	}
	got := n.reachable(fixtures.S7Node, older)
	if c := condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable); c.Status != metav1.ConditionFalse || c.Reason != string(check.LogGroupNotFound) {
		t.Errorf("what was found is now %s, %s: %s", c.Status, c.Reason, c.Message)
	}
	answer()
	n.resync()
	n.reachable(fixtures.S7Node, func(a *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return c.Reason == string(check.LogGroupNotFound) && !older(a, c)
	})
	mend()
	n.resync()
	n.connected(fixtures.S7Node)
	n.announced(n.access[fixtures.S7Node], v1alpha1.ReasonTargetsConnected)
	n.announced(n.access[fixtures.S7Node], string(check.LogGroupNotFound))
	if told := n.looks(fixtures.S7Node); len(told) != 2 {
		t.Errorf("%d changes were announced, want LogGroupNotFound and TargetsConnected: %+v", len(told), told)
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
		c := condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable)
		n.sentence(c.Message, action, check.PermissionMissing.Docs())
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
	n.announced(n.access["plain"], string(check.PermissionMissing))
	if told := n.looks("ssh"); len(told) != 0 {
		t.Errorf("of the access that asks for nothing was told %+v", told)
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
	n.told(got, fixtures.S7Node, check.AgentTooOld, stack.Connected)
	n.sentence(condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable).Message, "3.0.222.0", "log streaming", audited)
	n.changeNode(fixtures.S7Node, func(f *fleet.Node) { f.Agent.Version = version })
	n.resync()
	n.allConnected()
	if told := n.looks("ssh"); len(told) != 0 {
		t.Errorf("the agent can forward ports, and of that was told %+v", told)
	}
}

func TestANodeThatHasJustStartedIsNoFalseAlarm(t *testing.T) {
	n := newNodes(t)
	n.byTag()
	n.changeNode(fixtures.S7Node, func(f *fleet.Node) { f.Launched, f.Agent = n.Clock.Now().Add(resyncAfter-time.Minute), nil })
	n.resync()
	got := n.reasonIs("tag", check.InstanceStarting)
	c := condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable)
	if got.Status.Targets.Unknown != 1 || c.Status != metav1.ConditionUnknown || !strings.Contains(c.Message, "Wait") {
		t.Errorf("a minute after its start: %s, %+v: %s", c.Status, got.Status.Targets, c.Message)
	}
	n.announced(n.access["tag"], string(check.InstanceStarting))
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
	n.announced(n.access["tag"], string(check.AgentNeverSeen))
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
	n.announced(n.access["tag"], v1alpha1.ReasonTargetsConnected)
	kinds := map[string]string{string(check.AgentNeverSeen): "Warning", v1alpha1.ReasonTargetsConnected: "Normal"}
	told := n.looks("tag")
	for _, e := range told {
		if e.Series != nil || e.Type != kinds[e.Reason] {
			t.Errorf("%s %s is announced again and again: %+v", e.Type, e.Reason, e.Series)
		}
	}
	if len(told) != len(kinds) {
		t.Errorf("%d events tell of two changes: %+v", len(told), told)
	}
}

func TestAHybridNodeWhoseTierIsBeingChangedIsNotSaidToWork(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{})
	w.Emulator.SetTierTimes(ssm.TierTimes{Up: time.Hour, Down: time.Hour})
	n := nodes{world: w, account: account(), access: map[string]*v1alpha1.SessionAccess{hybridNode: access("site", "user01", hybridNode)}}
	n.create(n.access[hybridNode])
	got := n.reasonIs(hybridNode, check.StandardTier)
	n.told(got, hybridNode, check.StandardTier, stack.Connected)
	n.create(accountTier(v1alpha1.TierAdvanced))
	n.untilPending()
	n.resync()
	got = n.reasonIs(hybridNode, check.TierChanging)
	if c := condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable); c.Status == metav1.ConditionTrue || got.Status.Summary.Reachable == "" || len(got.Status.Targets.Failing) != 1 {
		t.Errorf("while the tier is being changed: %s, %+v", c.Status, got.Status.Targets)
	}
	n.advance(time.Hour, n.account)
	n.connected(hybridNode)
}
