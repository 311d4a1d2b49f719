package awsemulator_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/stack"
)

// shownBy lists for each cause the calls whose answers change while it is
// active, those about the agent aside.
var shownBy = map[stack.Cause]string{
	stack.AgentMissing: "", stack.AgentOffline: "", stack.AgentTooOld: "", stack.OnlineNotConnected: "",
	stack.InstanceStopped: "DescribeInstances", stack.MetadataOff: "DescribeInstances", stack.NoInstanceProfile: "DescribeInstances",
	stack.ProfileWithoutRole: "GetInstanceProfile", stack.RoleWithoutPermissions: "SimulatePrincipalPolicy",
	stack.RoleNotTrustingEC2: "GetInstanceProfile GetRole",
	stack.RoleWithoutS3:      "GetRolePolicy", stack.RoleWithoutLogs: "GetRolePolicy", stack.RoleWithoutKMS: "GetRolePolicy",
	stack.GroupWithoutEgress: "DescribeSecurityGroupRules", stack.EndpointWithoutIngress: "DescribeSecurityGroupRules",
	stack.RouteMissing: "DescribeRouteTables", stack.RouteBlackhole: "DescribeNatGateways DescribeRouteTables", stack.RouteByMainTable: "DescribeRouteTables",
	stack.ACLDeniesOut: "DescribeNetworkAcls", stack.ACLDeniesIn: "DescribeNetworkAcls",
	stack.DNSSupportOff: "enableDnsSupport", stack.DNSHostnamesOff: "enableDnsHostnames",
	stack.S3EndpointMissing: "DescribeRouteTables DescribeVpcEndpoints",
	stack.LogGroupMissing:   "DescribeLogGroups", stack.LogGroupNotEncrypted: "DescribeLogGroups", stack.KeyPolicyWithoutLogs: "GetKeyPolicy",
	stack.BucketMissing: "GetBucketEncryption", stack.BucketNotEncrypted: "GetBucketEncryption",
}

func shows(c stack.Cause) []string {
	calls, ok := shownBy[c]
	if !ok && strings.HasPrefix(string(c), "endpoint-") {
		calls = "DescribeVpcEndpoints"
	}
	return strings.Fields(calls)
}

// onlyNAT are the causes that a machine with endpoints does not have.
var onlyNAT = []stack.Cause{stack.RouteMissing, stack.RouteBlackhole, stack.RouteByMainTable, stack.ACLDeniesOut, stack.ACLDeniesIn}

func TestEachCauseBreaksOneThingAndMends(t *testing.T) {
	w, nat := newWorld(t, withS7), newWorld(t, func(o *awsemulator.Options) { o.Fixture = fixtures.S7NAT() })
	healthy, healthyNAT := w.look(fixtures.S7Node), nat.look(fixtures.S7NATNode)
	for _, cause := range stack.Causes() {
		t.Run(string(cause), func(t *testing.T) {
			w, node, healthy := w, fixtures.S7Node, healthy
			if slices.Contains(onlyNAT, cause) {
				if _, err := w.Break(account, region, node, cause); !errors.Is(err, stack.ErrNotHere) {
					t.Fatalf("to break it where there are endpoints answers %v", err)
				}
				w, node, healthy = nat, fixtures.S7NATNode, healthyNAT
			}
			repair := must(w.Break(account, region, node, cause))(t)
			changed := differences(healthy, w.look(node))
			want := slices.Concat(shows(cause), seenOfAgent(cause))
			slices.Sort(want)
			if !slices.Equal(changed, want) {
				t.Errorf("these calls answer otherwise: %v, want %v", changed, want)
			}
			for range 2 {
				if err := repair(); err != nil {
					t.Fatal(err)
				}
			}
			if left := differences(healthy, w.look(node)); len(left) != 0 {
				t.Errorf("after mending these calls still answer otherwise: %v", left)
			}
		})
	}
}

// seenOfAgent are the calls about the agent that answer otherwise.
func seenOfAgent(c stack.Cause) []string {
	switch stack.EffectOf(c) {
	case stack.Lost:
		return []string{"DescribeInstanceInformation", "GetConnectionStatus"}
	case stack.Disconnected:
		if c == stack.AgentTooOld {
			return []string{"DescribeInstanceInformation", "GetConnectionStatus"}
		}
		return []string{"GetConnectionStatus"}
	default:
		return nil
	}
}

func TestCausesAreMendedInAnyOrder(t *testing.T) {
	w := newWorld(t, withS7)
	healthy := w.look(fixtures.S7Node)
	rapid.Check(t, func(rt *rapid.T) {
		var mends []func() error
		for _, cause := range rapid.SliceOfNDistinct(rapid.SampledFrom(stack.Causes()), 2, 6, rapid.ID).Draw(rt, "causes") {
			repair, err := w.Break(account, region, fixtures.S7Node, cause)
			if errors.Is(err, stack.ErrNotHere) {
				continue
			}
			if err != nil {
				rt.Fatal(err)
			}
			mends = append(mends, repair)
		}
		for _, repair := range rapid.Permutation(mends).Draw(rt, "order") {
			if err := repair(); err != nil {
				rt.Fatal(err)
			}
		}
		if left := differences(healthy, w.look(fixtures.S7Node)); len(left) != 0 {
			rt.Fatalf("after mending these calls still answer otherwise: %v", left)
		}
	})
}

func TestNodeComesBackWithTheLastCauseOnly(t *testing.T) {
	w := newWorld(t, withS7)
	status := func() string {
		out := must(w.ssm(admin).GetConnectionStatus(ctx(t), &ssm.GetConnectionStatusInput{Target: aws.String(fixtures.S7Node)}))(t)
		information := must(w.ssm(admin).DescribeInstanceInformation(ctx(t), &ssm.DescribeInstanceInformationInput{}))(t)
		return string(out.Status) + " " + string(information.InstanceInformationList[0].PingStatus)
	}
	first := must(w.Break(account, region, fixtures.S7Node, stack.SSMMessagesEndpointMissing))(t)
	if got := status(); got != "notconnected Online" {
		t.Fatalf("without ssmmessages the node is %s", got)
	}
	second := must(w.Break(account, region, fixtures.S7Node, stack.GroupWithoutEgress))(t)
	if got := status(); got != "notconnected ConnectionLost" {
		t.Fatalf("without egress the node is %s", got)
	}
	if _, err := w.Break(account, region, fixtures.S7Node, stack.GroupWithoutEgress); err == nil {
		t.Fatal("a cause is brought about twice")
	}
	for i, repair := range []func() error{second, first} {
		if err := repair(); err != nil {
			t.Fatal(err)
		}
		if got := status(); got != []string{"notconnected Online", "connected Online"}[i] {
			t.Fatalf("after %d of 2 are mended the node is %s", i+1, got)
		}
	}
}

func TestControlEndpointBreaksAndMends(t *testing.T) {
	w := newWorld(t, withS7)
	const network = "accounts/" + account + "/regions/" + region + "/network/"
	if list := w.tell("GET", network+"causes", "")["list"].([]any); len(list) != len(stack.Causes()) {
		t.Fatalf("there are %d causes", len(list))
	}
	for _, cause := range []string{"group-without-egress", "metadata-off"} {
		w.tell("POST", network+"broken", `{"node":"`+fixtures.S7Node+`","cause":"`+cause+`"}`)
	}
	if _, err := w.open(admin, fixtures.S7Node); codeOf(err) != "TargetNotConnected" {
		t.Fatalf("a session opens on what is broken: %v", err)
	}
	if left := w.tell("DELETE", network+"broken?cause=metadata-off", "")["list"].([]any); len(left) != 1 {
		t.Fatalf("still broken is %v", left)
	}
	w.tell("DELETE", network+"broken", "")
	if left := w.tell("GET", network+"broken", "")["list"].([]any); len(left) != 0 {
		t.Fatalf("still broken is %v", left)
	}
	must(w.open(admin, fixtures.S7Node))(t)
	for _, body := range []string{`{"node":"i-none","cause":"metadata-off"}`, `{"node":"` + fixtures.S7Node + `","cause":"bad-luck"}`, `{"node":"` + fixtures.S7Node + `","cause":"route-missing"}`} {
		if status, out := w.ask("POST", network+"broken", body); status != http.StatusBadRequest || out["error"] == "" {
			t.Errorf("%s is answered with %d %v", body, status, out)
		}
	}
}
