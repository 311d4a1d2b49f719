package reachability_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
)

// reasons has for each cause the reason that is reported first.
var reasons = map[stack.Cause]check.Reason{
	stack.AgentMissing: check.AgentNeverSeen, stack.AgentOffline: check.AgentOffline, stack.AgentTooOld: check.AgentTooOld,
	stack.OnlineNotConnected: check.ChannelClosed, stack.InstanceStopped: check.InstanceNotRunning, stack.MetadataOff: check.MetadataServiceOff,

	stack.NoInstanceProfile: check.NoInstanceProfile, stack.ProfileWithoutRole: check.ProfileWithoutRole,
	stack.RoleWithoutPermissions: check.RolePermissionMissing, stack.RoleNotTrustingEC2: check.RoleNotTrusted,
	stack.RoleWithoutS3: check.RolePermissionMissing, stack.RoleWithoutLogs: check.RolePermissionMissing, stack.RoleWithoutKMS: check.RolePermissionMissing,

	stack.GroupWithoutEgress: check.EgressBlocked, stack.RouteMissing: check.NoRoute, stack.RouteBlackhole: check.RouteBlackhole,
	stack.RouteByMainTable: check.NoRoute, stack.ACLDeniesOut: check.ACLBlocksRequest, stack.ACLDeniesIn: check.ACLBlocksAnswer,
	stack.EndpointWithoutIngress: check.IngressBlocked, stack.DNSSupportOff: check.DNSSupportOff, stack.DNSHostnamesOff: check.DNSHostnamesOff,

	stack.SSMEndpointMissing: check.EndpointMissing, stack.SSMMessagesEndpointMissing: check.EndpointMissing,
	stack.LogsEndpointMissing: check.EndpointMissing, stack.S3EndpointMissing: check.EndpointMissing, stack.KMSEndpointMissing: check.EndpointMissing,
	stack.SSMEndpointWrongVPC: check.EndpointMissing, stack.SSMMessagesEndpointWrongVPC: check.EndpointMissing,
	stack.SSMEndpointWrongSubnet: check.ACLBlocksRequest, stack.SSMMessagesEndpointWrongSubnet: check.ACLBlocksRequest,
	stack.SSMEndpointPending: check.EndpointNotAvailable, stack.SSMMessagesEndpointPending: check.EndpointNotAvailable,
	stack.SSMEndpointFailed: check.EndpointNotAvailable, stack.SSMMessagesEndpointFailed: check.EndpointNotAvailable,
	stack.SSMEndpointPrivateDNSOff: check.EndpointPrivateDNSOff, stack.SSMMessagesEndpointPrivateDNSOff: check.EndpointPrivateDNSOff,
	stack.SSMEndpointPolicyDenies: check.EndpointPolicyDenies, stack.SSMMessagesEndpointPolicyDenies: check.EndpointPolicyDenies,

	stack.LogGroupMissing: check.LogGroupNotFound, stack.LogGroupNotEncrypted: check.LogGroupNotEncrypted,
	stack.KeyPolicyWithoutLogs: check.LogKeyDenies, stack.BucketMissing: check.BucketNotFound, stack.BucketNotEncrypted: check.BucketNotEncrypted,
}

// A region-deny as AWS's guides give it names the services without a region in NotAction.
// It holds for every simulation that is sent without aws:RequestedRegion.
func TestAServiceControlPolicyIsACauseOnlyWhereItDeniesTheNode(t *testing.T) {
	deny := func(region string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["iam:*","sts:*"],"Resource":"*",` +
			`"Condition":{"StringNotEquals":{"aws:RequestedRegion":"` + region + `"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}}]}`
	}
	n := newNodes(t)
	n.allConnected()
	n.Must(n.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, deny(scenario.Region)}))
	n.breaks(fixtures.S7Node, stack.AgentOffline)
	n.resync()
	offline := n.reachable(fixtures.S7Node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return c.Status == metav1.ConditionFalse })
	n.expectReported(offline, fixtures.S7Node, check.AgentOffline, stack.Lost)

	n.Must(n.IAM().SetServiceControlPolicies([]string{iam.FullAWSAccess, deny("eu-central-1")}))
	n.resync()
	denied := n.reachable(fixtures.S7Node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
		return c.Reason == string(check.DeniedByOrganization)
	})
	n.ExpectSentence(scenario.Condition(denied.Status.Conditions, v1alpha1.ConditionTargetsReachable).Message, "service control policy")
}

// behindNAT are the causes that a node with endpoints does not have.
var behindNAT = []stack.Cause{stack.RouteMissing, stack.RouteBlackhole, stack.RouteByMainTable, stack.ACLDeniesOut, stack.ACLDeniesIn}

func nodeOf(causes ...stack.Cause) string {
	if slices.ContainsFunc(causes, func(c stack.Cause) bool { return slices.Contains(behindNAT, c) }) {
		return fixtures.S7NATNode
	}
	return fixtures.S7Node
}

func TestEachCauseIsToldFirstAndGoesWhenItIsMended(t *testing.T) {
	n := newNodes(t)
	n.allConnected()
	for _, cause := range stack.Causes() {
		t.Run(string(cause), func(t *testing.T) {
			n.T = t
			want, ok := reasons[cause]
			if !ok {
				t.Fatal("nothing says what is reported of this cause")
			}
			node := nodeOf(cause)
			repair := n.breaks(node, cause)
			n.resync()
			got := n.reachable(node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return c.Status == metav1.ConditionFalse })
			n.expectReported(got, node, want, stack.EffectOf(cause))
			repair()
			n.resync()
			back := n.connected(node)
			n.allConnected() // Nodes share a role, so the others reported what it lacked too.
			if len(back.Status.Targets.Failing) != 0 || back.Status.Summary.Reachable != "1/1" {
				t.Errorf("after mending, %s are reachable and %+v fails", back.Status.Summary.Reachable, back.Status.Targets.Failing)
			}
		})
	}
}

// expectReported checks what an access says of its node while something is broken.
func (n nodes) expectReported(a *v1alpha1.SessionAccess, node string, want check.Reason, effect stack.Effect) {
	n.T.Helper()
	reachable := scenario.Condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable)
	if reachable.Reason != string(want) {
		n.T.Errorf("the reason is %s, want %s: %s", reachable.Reason, want, reachable.Message)
	}
	n.ExpectSentence(reachable.Message, want.Docs())
	if ready := scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
		n.T.Errorf("Ready is %s for %s, and the permission is in place", ready.Status, ready.Reason)
	}
	state, summary := v1alpha1.TargetNotConnected, "0/1"
	if effect == stack.Connected {
		state, summary = v1alpha1.TargetImpaired, "1/1"
	}
	if f := a.Status.Targets.Failing; len(f) != 1 || f[0].ID != node || f[0].State != state || f[0].Reason != string(want) || f[0].Message == "" || f[0].Remedy == "" {
		n.T.Errorf("the failing targets are %+v, want %s %s", f, state, want)
	}
	if a.Status.Summary.Reachable != summary {
		n.T.Errorf("%s are reachable, want %s", a.Status.Summary.Reachable, summary)
	}
}

func TestOfTwoCausesTheOneToMendFirstIsTold(t *testing.T) {
	n := newNodes(t)
	n.allConnected()
	// The first of each pair must be reported.
	for _, pair := range [][2]stack.Cause{
		{stack.InstanceStopped, stack.NoInstanceProfile},
		{stack.MetadataOff, stack.RoleWithoutPermissions},
		{stack.NoInstanceProfile, stack.GroupWithoutEgress},
		{stack.RoleNotTrustingEC2, stack.RoleWithoutPermissions},
		{stack.RoleWithoutPermissions, stack.SSMEndpointMissing},
		{stack.DNSSupportOff, stack.SSMEndpointPrivateDNSOff},
		{stack.SSMEndpointMissing, stack.EndpointWithoutIngress},
		{stack.SSMMessagesEndpointFailed, stack.GroupWithoutEgress},
		{stack.GroupWithoutEgress, stack.EndpointWithoutIngress},
		{stack.GroupWithoutEgress, stack.LogGroupMissing},
		{stack.EndpointWithoutIngress, stack.AgentOffline},
		{stack.RouteBlackhole, stack.ACLDeniesOut},
		{stack.LogGroupMissing, stack.RoleWithoutS3},
	} {
		t.Run(string(pair[0])+" and "+string(pair[1]), func(t *testing.T) {
			n.T = t
			node := nodeOf(pair[0], pair[1])
			second := n.breaks(node, pair[1])
			first := n.breaks(node, pair[0])
			n.resync()
			n.reasonIs(node, reasons[pair[0]])
			first()
			n.resync()
			n.reasonIs(node, reasons[pair[1]])
			second()
			n.resync()
			n.allConnected()
		})
	}
}

// reasonIs waits until TargetsReachable of the access to a node has a reason.
func (n nodes) reasonIs(node string, want check.Reason) *v1alpha1.SessionAccess {
	n.T.Helper()
	return n.reachable(node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return c.Reason == string(want) })
}

// onlyWith has what must be unlike the healthy stack for an action to be needed:
// where all addresses may be reached, those of an endpoint in the node's own
// subnet do not matter.
var onlyWith = map[string]stack.Cause{"ec2:DescribeSubnets": stack.SSMEndpointWrongSubnet}

func TestWhatMayNotBeReadIsNotCheckedAndSaysSo(t *testing.T) {
	n := newNodes(t)
	for node := range n.access {
		n.connected(node)
		n.breaks(node, stack.AgentOffline)
	}
	for action, calls := range scenario.ReachabilityActions {
		t.Run(strings.ReplaceAll(action, ":", " "), func(t *testing.T) {
			n.T = t
			repair := func() {}
			if cause, ok := onlyWith[action]; ok {
				repair = n.breaks(fixtures.S7Node, cause)
			}
			fault, err := n.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: calls})
			n.Must(err)
			n.resync()
			got := n.actionNamed(action)
			if ready := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
				t.Errorf("Ready is %s: %s", ready.Status, ready.Message)
			}
			if c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable); action == "ssm:GetConnectionStatus" && (c.Status != metav1.ConditionUnknown || got.Status.Targets.Unknown != 1) {
				t.Errorf("a node that the operator may not ask about is %s, %+v: %s", c.Status, got.Status.Targets, c.Message)
			}
			n.Emulator.RemoveFault(fault)
			repair()
			n.resync()
			for node := range n.access {
				n.reachable(node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool {
					return c.Reason == string(check.AgentOffline) && !strings.Contains(c.Message, action)
				})
			}
		})
	}
}

// actionNamed waits until TargetsReachable of an access names an action: that of
// the node behind the NAT gateway, whose network asks for the most, save for what
// only endpoints need.
func (n nodes) actionNamed(action string) *v1alpha1.SessionAccess {
	n.T.Helper()
	node := fixtures.S7NATNode
	if action == "ec2:DescribeSubnets" {
		node = fixtures.S7Node
	}
	return n.reachable(node, func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return strings.Contains(c.Message, action) })
}

// byTag has an access by tag, which all nodes carry, beside the others.
func (n nodes) byTag() *v1alpha1.SessionAccess {
	n.T.Helper()
	tags := map[string]string{"Role": "step"}
	for node := range n.access {
		n.SetNodeTags(node, tags)
	}
	grant := scenario.Access("by-tag", "user02")
	grant.Spec.Targets = []v1alpha1.Target{{Tags: tags}}
	n.access["tag"] = grant
	n.Create(grant)
	return n.connected("tag")
}

func TestAGrantOfTagsCountsWhatCarriesThem(t *testing.T) {
	n := newNodes(t)
	got := n.byTag()
	if got.Status.Summary.Reachable != "2/2" {
		t.Errorf("%s are reachable", got.Status.Summary.Reachable)
	}
	n.breaks(fixtures.S7Node, stack.AgentMissing)
	n.resync()
	got = n.reasonIs("tag", check.AgentNeverSeen)
	if f := got.Status.Targets.Failing; got.Status.Summary.Reachable != "1/2" || len(f) != 1 || f[0].ID != fixtures.S7Node || f[0].Region != scenario.Region {
		t.Errorf("%s are reachable, and %+v fail", got.Status.Summary.Reachable, f)
	}
	n.Must(n.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Change(fixtures.S7NATNode, func(f *fleet.Node) { f.Tags = nil }))
	n.Must(n.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Change(fixtures.S7Node, func(f *fleet.Node) { f.Tags = nil }))
	n.resync()
	n.reasonIs("tag", check.Reason(v1alpha1.ReasonNoTargets))
}

func TestNodesThatNobodyMayLookForAreNotSaidToBeNone(t *testing.T) {
	n := newNodes(t)
	n.byTag()
	for _, action := range []string{"ec2:DescribeInstances", "ssm:DescribeInstanceInformation"} {
		_, err := n.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
		n.Must(err)
		n.resync()
		got := n.reachable("tag", func(_ *v1alpha1.SessionAccess, c metav1.Condition) bool { return strings.Contains(c.Message, action) })
		c := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionTargetsReachable)
		if !got.Status.Targets.Incomplete || c.Status != metav1.ConditionUnknown || strings.Contains(c.Message, "All ") {
			t.Errorf("without %s the nodes are said to be all: %s, %s", action, c.Status, c.Message)
		}
	}
	n.reasonIs("tag", check.PermissionMissing)
}

func TestWhatCannotBeLookedAtKeepsWhatWasKnownForAWhile(t *testing.T) {
	n := newNodes(t)
	n.connected(fixtures.S7Node)
	fault, err := n.Emulator.Inject(faults.Fault{Kind: faults.ServerError, Action: "ssm:DescribeInstanceInformation"})
	n.Must(err)
	n.resync()
	n.Eventually(func() bool { return n.HasFired(fault) })
	for range 3 {
		n.resync()
	}
	got := n.reasonIs(fixtures.S7Node, check.Reason(v1alpha1.ReasonNotLookedAt))
	if got.Status.Targets != nil || got.Status.Summary.Reachable != "" {
		t.Errorf("%+v reports nodes that could not be looked at", got.Status.Targets)
	}
	n.Emulator.RemoveFault(fault)
	n.resync()
	n.connected(fixtures.S7Node)
}

func TestAReachabilityThatStaysIsNotWrittenAgain(t *testing.T) {
	n := newNodes(t)
	n.breaks(fixtures.S7Node, stack.GroupWithoutEgress)
	n.resync()
	before := n.reasonIs(fixtures.S7Node, check.EgressBlocked)
	seen := n.LastCall()
	for range 2 {
		n.resync()
		n.Eventually(func() bool {
			log := n.Emulator.CallLog(seen)
			i := slices.IndexFunc(log, func(c calls.Call) bool { return strings.HasPrefix(c.Operation, "SimulatePrincipal") })
			if i >= 0 {
				seen = log[i].N
			}
			return i >= 0
		})
	}
	// The other access is written, after whatever the look has made of this one.
	n.breaks(fixtures.S7NATNode, stack.RouteMissing)
	n.resync()
	n.reasonIs(fixtures.S7NATNode, check.NoRoute)
	after := before.DeepCopy()
	n.Must(n.Client.Get(t.Context(), scenario.KeyOf(before), after))
	if after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the status was written again: %+v", after.Status.Conditions)
	}
}
