package reach_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

var (
	nat       = reach.Route{Destination: "0.0.0.0/0", Target: "nat-1"}
	noSSM     = without("ssm", "ssmmessages", "ec2messages", "logs", "s3", "kms")
	https     = reach.Rule{Egress: true, Protocol: "tcp", FromPort: 443, ToPort: 443}
	elsewhere = onNetwork(func(n *reach.Network) {
		list, _ := n.Endpoints.Get()
		for i := range list {
			list[i].Subnets = []string{"subnet-endpoints"}
		}
	})
	profileless = onInstance(func(i *reach.Instance) { i.ProfileARN = "" })
	// managedRole is that of default host management, with what it may.
	managedRole = func(f *reach.Facts) {
		f.DefaultRole = f.Role
		change(&f.DefaultRole, func(r *reach.Role) { r.Name, r.Trust = "managed", reach.Is(trust("ssm.amazonaws.com")) })
	}
	managed = together(profileless, managedRole)
)

func to(cidr string) reach.Rule { r := https; r.CIDR = cidr; return r }

func deny(egress bool, from, to int32) reach.ACLEntry {
	return reach.ACLEntry{Number: 50, Egress: egress, Protocol: "6", FromPort: from, ToPort: to, CIDR: "0.0.0.0/0"}
}

// A finding is a change of the stack and what one check then says.
type finding struct {
	// story of the change. One that tells of a way or of another place mends
	// other causes.
	story  string
	change func(*reach.Facts)
	check  reach.Name
	result reach.Result
	reason reach.Reason
}

// findings of a stack whose document logs. Each that fails is the first that does.
var findings = []finding{
	{"stopped", onInstance(func(i *reach.Instance) { i.State = "stopped" }), reach.CheckInstanceState, reach.Fail, reach.InstanceNotRunning},
	{"gone", onInstance(func(i *reach.Instance) { *i = reach.Instance{} }), reach.CheckInstanceState, reach.Fail, reach.InstanceNotFound},
	{"terminated", onInstance(func(i *reach.Instance) { i.State = "terminated" }), reach.CheckInstanceState, reach.Fail, reach.InstanceNotRunning},
	{"metadata service off", onInstance(func(i *reach.Instance) { i.Metadata.Endpoint = "disabled" }), reach.CheckMetadataService, reach.Fail, reach.MetadataServiceOff},
	{"no profile", profileless, reach.CheckInstanceProfile, reach.Fail, reach.NoInstanceProfile},
	{"profile without role", onRole(func(r *reach.Role) { *r = reach.Role{} }), reach.CheckInstanceProfile, reach.Fail, reach.ProfileWithoutRole},
	{"host management", managed, reach.CheckInstanceProfile, reach.Pass, reach.InOrder},
	{"host management, old agent", together(managed, onAgent(func(a *reach.Agent) { a.Version = "3.2.581.0" })), reach.CheckInstanceProfile, reach.Fail, reach.HostManagementNeedsNewerAgent},
	{"host management, IMDSv1", together(managed, onInstance(func(i *reach.Instance) { i.Metadata.Tokens = "optional" })), reach.CheckInstanceProfile, reach.Warn, reach.HostManagementNeedsIMDSv2},
	{"no permission, host management on", together(disallow("ssm:UpdateInstanceInformation", instances), func(f *reach.Facts) {
		f.DefaultRole = reach.Is(reach.Role{Name: "AWSSystemsManagerDefaultEC2InstanceManagementRole"})
	}), reach.CheckRolePermissions, reach.Warn, reach.RolePermissionMissing},
	{"no permission, host management hidden", together(disallow("ssm:UpdateInstanceInformation", instances), erasures["default"]), reach.CheckRolePermissions, reach.Warn, reach.RolePermissionMissing},
	{"host management without its role, no permission", together(disallow("ssm:UpdateInstanceInformation", instances), func(f *reach.Facts) {
		f.DefaultRole = reach.Is(reach.Role{Name: "managed", Missing: true})
	}), reach.CheckRolePermissions, reach.Fail, reach.RolePermissionMissing},
	{"host management, role gone", together(profileless, func(f *reach.Facts) {
		f.DefaultRole = reach.Is(reach.Role{Name: "managed", Missing: true})
	}), reach.CheckRoleTrust, reach.Fail, reach.DefaultRoleNotFound},
	{"host management, role for instances", together(managed, func(f *reach.Facts) {
		change(&f.DefaultRole, func(r *reach.Role) { r.Trust = reach.Is(trust("ec2.amazonaws.com")) })
	}), reach.CheckRoleTrust, reach.Fail, reach.RoleNotTrusted},
	{"host management, trust", managed, reach.CheckRoleTrust, reach.Pass, reach.InOrder},
	{"host management without permission", together(disallow("ssm:UpdateInstanceInformation", instances), managed), reach.CheckRolePermissions, reach.Fail, reach.RolePermissionMissing},
	{"trusts another service", onRole(func(r *reach.Role) {
		r.Trust = reach.Is(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	}), reach.CheckRoleTrust, reach.Fail, reach.RoleNotTrusted},
	{"trusts under conditions", onRole(func(r *reach.Role) {
		r.Trust = reach.Is(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"Bool":{"x":"true"}}}]}`)
	}), reach.CheckRoleTrust, reach.Warn, reach.RoleNotTrusted},
	{"trust in disorder", onRole(func(r *reach.Role) { r.Trust = reach.Is(`{`) }), reach.CheckRoleTrust, reach.NotChecked, reach.NotUnderstood},
	{"permission missing", disallow("ssmmessages:OpenDataChannel", "*"), reach.CheckRolePermissions, reach.Fail, reach.RolePermissionMissing},
	{"DNS support off", onNetwork(func(n *reach.Network) { n.DNSSupport = reach.Is(false) }), reach.CheckDNSSupport, reach.Fail, reach.DNSSupportOff},
	{"DNS host names off", onNetwork(func(n *reach.Network) { n.DNSHostnames = reach.Is(false) }), reach.CheckDNSHostnames, reach.Fail, reach.DNSHostnamesOff},
	{"DNS host names off, no endpoints", together(noSSM, routed(nat), onNetwork(func(n *reach.Network) { n.DNSHostnames = reach.Is(false) })), reach.CheckDNSHostnames, reach.Pass, reach.NotNeeded},

	{"DNS host names off, a way out", together(routed(nat), onNetwork(func(n *reach.Network) { n.DNSHostnames = reach.Is(false) })), reach.CheckDNSHostnames, reach.Pass, reach.NotNeeded},
	{"DNS host names off, a way out past a closed endpoint", together(routed(nat), rules("sg-endpoint"), onNetwork(func(n *reach.Network) { n.DNSHostnames = reach.Is(false) })), reach.CheckEndpointIngress, reach.Pass, reach.NotNeeded},
	{"DNS host names hidden, a way out", together(routed(nat), onNetwork(func(n *reach.Network) { n.DNSHostnames = reach.Denied[bool]("ec2:DescribeVpcAttribute") })), reach.CheckEndpointIngress, reach.NotChecked, reach.PermissionMissing},

	{"no endpoint, no route", noSSM, reach.CheckRoute, reach.Fail, reach.NoRoute},
	{"NAT instead of endpoints", together(noSSM, routed(nat)), reach.CheckRoute, reach.Pass, reach.InOrder},
	{"NAT gone", together(noSSM, routed(reach.Route{Destination: "0.0.0.0/0", Target: "nat-1", Blackhole: true})), reach.CheckRoute, reach.Fail, reach.RouteBlackhole},
	{"NAT gone, beside a live half", together(noSSM, routed(reach.Route{Destination: "0.0.0.0/0", Target: "nat-1", Blackhole: true}, reach.Route{Destination: "0.0.0.0/1", Target: "nat-2"})), reach.CheckRoute, reach.Fail, reach.RouteBlackhole},
	{"NAT in two halves", together(noSSM, routed(reach.Route{Destination: "0.0.0.0/1", Target: "nat-1"}, reach.Route{Destination: "128.0.0.0/1", Target: "nat-1"})), reach.CheckRoute, reach.Pass, reach.InOrder},
	{"internet gateway, private address", together(noSSM, routed(reach.Route{Destination: "0.0.0.0/0", Target: "igw-1"})), reach.CheckRoute, reach.Fail, reach.NoPublicAddress},
	{"internet gateway, public address", together(noSSM, routed(reach.Route{Destination: "0.0.0.0/0", Target: "igw-1"}), onPrimary(func(n *reach.Interface) { n.Public = true })), reach.CheckRoute, reach.Pass, reach.InOrder},
	{"transit gateway", together(noSSM, routed(reach.Route{Destination: "0.0.0.0/0", Target: "tgw-1"})), reach.CheckRoute, reach.Warn, reach.RouteOutOfSight},
	{"IPv6 only", together(noSSM, routed(reach.Route{Destination: "::/0", Target: "eigw-1"}), onPrimary(func(n *reach.Interface) { n.IPv6 = true }), rules("sg-node", to("::/0"))), reach.CheckRoute, reach.Warn, reach.RouteOnlyIPv6},
	{"IPv6 route, no IPv6 address", together(noSSM, routed(reach.Route{Destination: "::/0", Target: "eigw-1"})), reach.CheckRoute, reach.Fail, reach.NoRoute},
	{"some IPv6 route, IPv6 address", together(noSSM, routed(reach.Route{Destination: "2001:db8::/32", Target: "eigw-1"}), onPrimary(func(n *reach.Interface) { n.IPv6 = true })), reach.CheckRoute, reach.Warn, reach.RouteOutOfSight},
	{"peering", together(noSSM, routed(reach.Route{Destination: "10.9.0.0/16", Target: "pcx-1"})), reach.CheckRoute, reach.Warn, reach.RouteOutOfSight},
	{"main table", together(noSSM, onNetwork(func(n *reach.Network) {
		tables, _ := n.RouteTables.Get()
		tables[0].Routes, tables[1].Subnets = append(tables[0].Routes, nat), nil
	})), reach.CheckRoute, reach.Pass, reach.InOrder},

	{"ssmmessages missing", without("ssmmessages"), reach.CheckEndpointPresent, reach.Fail, reach.EndpointMissing},
	{"ssmmessages perhaps elsewhere", together(without("ssmmessages"), routed(reach.Route{Destination: "10.0.0.0/8", Target: "tgw-1"})), reach.CheckEndpointPresent, reach.Warn, reach.EndpointElsewhere},
	{"ec2messages missing", without("ec2messages"), reach.CheckEndpointPresent, reach.Pass, reach.InOrder},
	{"ec2messages missing, old agent", together(without("ec2messages"), onAgent(func(a *reach.Agent) { a.Version = "3.2.2303.0" })), reach.CheckEndpointPresent, reach.Warn, reach.EndpointMissing},
	{"endpoint failed", onEndpoint("ssm", func(e *reach.Endpoint) { e.State = "Failed" }), reach.CheckEndpointState, reach.Fail, reach.EndpointNotAvailable},
	{"endpoint available in capitals", onEndpoint("ssm", func(e *reach.Endpoint) { e.State = "Available" }), reach.CheckEndpointState, reach.Pass, reach.InOrder},
	{"endpoint nowhere", onEndpoint("ssm", func(e *reach.Endpoint) { e.Subnets = nil }), reach.CheckEndpointSubnet, reach.Fail, reach.EndpointWithoutSubnet},
	{"private DNS off", onEndpoint("ssm", func(e *reach.Endpoint) { e.PrivateDNS = false }), reach.CheckEndpointPrivateDNS, reach.Fail, reach.EndpointPrivateDNSOff},
	{"private DNS off, a way out", together(routed(nat), onEndpoint("ssm", func(e *reach.Endpoint) { e.PrivateDNS = false })), reach.CheckEndpointPrivateDNS, reach.Pass, reach.InOrder},
	{"private DNS off, another network", together(routed(reach.Route{Destination: "10.0.0.0/8", Target: "pcx-1"}), onEndpoint("ssm", func(e *reach.Endpoint) { e.PrivateDNS = false })), reach.CheckEndpointPrivateDNS, reach.Warn, reach.EndpointPrivateDNSOff},
	{"policy denies", onEndpoint("ssmmessages", func(e *reach.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssmmessages:Create*","Resource":"*"}]}`
	}), reach.CheckEndpointPolicy, reach.Fail, reach.EndpointPolicyDenies},
	{"policy for one organisation", onEndpoint("ssmmessages", func(e *reach.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}`
	}), reach.CheckEndpointPolicy, reach.Warn, reach.EndpointPolicyUnclear},
	{"policy for instances only", onEndpoint("ssm", func(e *reach.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:UpdateInstanceInformation","Resource":"arn:aws:ec2:*:488821267897:instance/*"}]}`
	}), reach.CheckEndpointPolicy, reach.Pass, reach.InOrder},
	{"policy for this instance only", onEndpoint("ssm", func(e *reach.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:*","Resource":"arn:aws:ec2:ap-northeast-1:488821267897:instance/` + node + `"}]}`
	}), reach.CheckEndpointPolicy, reach.Pass, reach.InOrder},
	{"policy for another instance", onEndpoint("ssm", func(e *reach.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:*","Resource":"arn:aws:ec2:ap-northeast-1:488821267897:instance/i-0"}]}`
	}), reach.CheckEndpointPolicy, reach.Fail, reach.EndpointPolicyDenies},
	{"policy in disorder", onEndpoint("ssm", func(e *reach.Endpoint) { e.Policy = `[]` }), reach.CheckEndpointPolicy, reach.NotChecked, reach.NotUnderstood},

	{"egress closed", rules("sg-node"), reach.CheckSecurityGroupEgress, reach.Fail, reach.EgressBlocked},
	{"egress to another port", rules("sg-node", reach.Rule{Egress: true, Protocol: "tcp", FromPort: 80, ToPort: 442, CIDR: "0.0.0.0/0"}), reach.CheckSecurityGroupEgress, reach.Fail, reach.EgressBlocked},
	{"egress over UDP", rules("sg-node", reach.Rule{Egress: true, Protocol: "udp", FromPort: 443, ToPort: 443, CIDR: "0.0.0.0/0"}), reach.CheckSecurityGroupEgress, reach.Fail, reach.EgressBlocked},
	{"egress to the subnet", rules("sg-node", to("10.0.2.0/24")), reach.CheckSecurityGroupEgress, reach.Pass, reach.InOrder},
	{"egress to the halves of the subnet", rules("sg-node", to("10.0.2.0/25"), to("10.0.2.128/25")), reach.CheckSecurityGroupEgress, reach.Pass, reach.InOrder},
	{"egress to the endpoint's group", rules("sg-node", reach.Rule{Egress: true, Protocol: "tcp", FromPort: 443, ToPort: 443, Group: "sg-endpoint"}), reach.CheckSecurityGroupEgress, reach.Pass, reach.InOrder},
	{"egress to one address of unknown ones", rules("sg-node", to("10.0.2.20/32")), reach.CheckSecurityGroupEgress, reach.NotChecked, reach.NotRead},
	{"egress to a list", together(rules("sg-node", reach.Rule{Egress: true, Protocol: "-1", PrefixList: "pl-own"}), onNetwork(func(n *reach.Network) {
		n.PrefixLists = map[string]reach.Known[[]string]{"pl-own": reach.Is([]string{"10.0.0.0/8"})}
	})), reach.CheckSecurityGroupEgress, reach.Pass, reach.InOrder},
	{"egress to a list that is hidden", together(rules("sg-node", reach.Rule{Egress: true, Protocol: "-1", PrefixList: "pl-own"}), onNetwork(func(n *reach.Network) {
		n.PrefixLists = map[string]reach.Known[[]string]{"pl-own": reach.Denied[[]string]("ec2:GetManagedPrefixListEntries")}
	})), reach.CheckSecurityGroupEgress, reach.NotChecked, reach.PermissionMissing},
	{"egress over NAT to some", together(noSSM, routed(nat), rules("sg-node", to("52.0.0.0/8"))), reach.CheckSecurityGroupEgress, reach.Warn, reach.EgressPartly},
	{"second interface closed", onInstance(func(i *reach.Instance) {
		i.Interfaces = append([]reach.Interface{{ID: "eni-2", Device: 1, Subnet: subnet, Groups: []string{"sg-closed"}}}, i.Interfaces...)
	}), reach.CheckSecurityGroupEgress, reach.Warn, reach.EgressPartly},

	{"list stops requests within the subnet", entries(deny(true, 443, 443)), reach.CheckNetworkACL, reach.Pass, reach.InOrder},
	{"list stops requests", together(elsewhere, entries(deny(true, 443, 443))), reach.CheckNetworkACL, reach.Fail, reach.ACLBlocksRequest},
	{"list stops answers", together(elsewhere, entries(deny(false, 1024, 65535))), reach.CheckNetworkACL, reach.Fail, reach.ACLBlocksAnswer},
	{"list stops some answers", together(elsewhere, entries(deny(false, 40000, 65535))), reach.CheckNetworkACL, reach.Warn, reach.ACLBlocksAnswer},
	{"list stops answers to old ports", together(elsewhere, entries(deny(false, 1024, 32767))), reach.CheckNetworkACL, reach.Pass, reach.InOrder},
	{"list stops requests on the way out", together(noSSM, routed(nat), entries(deny(true, 0, 65535))), reach.CheckNetworkACL, reach.Fail, reach.ACLBlocksRequest},

	{"ingress closed", rules("sg-endpoint"), reach.CheckEndpointIngress, reach.Fail, reach.IngressBlocked},
	{"ingress from others", rules("sg-endpoint", reach.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.9.0/24"}), reach.CheckEndpointIngress, reach.Fail, reach.IngressBlocked},
	{"ingress of an unknown address", together(onPrimary(func(n *reach.Interface) { n.Address = "" })), reach.CheckEndpointIngress, reach.NotChecked, reach.NotRead},
	{"list and an unknown address", together(elsewhere, onPrimary(func(n *reach.Interface) { n.Address = "" })), reach.CheckNetworkACL, reach.NotChecked, reach.NotRead},
	{"rule in disorder", rules("sg-node", to("everywhere")), reach.CheckSecurityGroupEgress, reach.NotChecked, reach.NotRead},
	{"ingress by group", rules("sg-endpoint", reach.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, Group: "sg-node"}), reach.CheckEndpointIngress, reach.Pass, reach.InOrder},
	{"ingress closed beside a way out", together(routed(nat), rules("sg-endpoint")), reach.CheckEndpointIngress, reach.Fail, reach.IngressBlocked},

	{"never seen", onAgent(func(a *reach.Agent) { *a = reach.Agent{} }), reach.CheckAgentOnline, reach.Fail, reach.AgentNeverSeen},
	{"offline", func(*reach.Facts) {}, reach.CheckAgentOnline, reach.Fail, reach.AgentOffline},
	{"channel closed", onAgent(func(a *reach.Agent) { a.PingStatus, a.LastPing = "Online", noon.Add(-time.Minute) }), reach.CheckConnected, reach.Fail, reach.ChannelClosed},
	{"offline in the end", func(*reach.Facts) {}, reach.CheckConnected, reach.Fail, reach.NotConnected},
}

// symptoms are failures that others explain.
func symptom(name reach.Name) bool {
	return name == reach.CheckAgentOnline || name == reach.CheckConnected
}

func TestEachCauseIsFoundFirst(t *testing.T) {
	for _, tc := range findings {
		t.Run(tc.story, func(t *testing.T) {
			checks := reach.Judge(changed(stack(), tc.change))
			c, ok := find(checks, tc.check)
			if !ok || c.Result != tc.result || c.Reason != tc.reason {
				t.Fatalf("want %s %s, got %+v", tc.result, tc.reason, c)
			}
			first, failed := reach.FirstFailure(checks)
			if !failed || tc.result == reach.Fail && !symptom(tc.check) && first.Name != tc.check {
				t.Fatalf("want %s first, got %+v", tc.check, first)
			}
			if tc.result != reach.Fail && !symptom(first.Name) {
				t.Fatalf("nothing but symptoms should fail, got %+v", first)
			}
		})
	}
}

func TestOfTwoCausesTheEarlierIsFoundFirst(t *testing.T) {
	order := map[reach.Name]int{}
	for i, c := range reach.Judge(stack()) {
		order[c.Name] = i
	}
	mends := func(f finding) bool {
		return strings.Contains(f.story, "way out") || strings.HasPrefix(f.story, "list stops") || strings.HasPrefix(f.story, "host management")
	}
	causes := slices.DeleteFunc(slices.Clone(findings), func(f finding) bool {
		return f.result != reach.Fail || symptom(f.check) || mends(f)
	})
	for _, a := range causes {
		for _, b := range causes {
			first, failed := reach.FirstFailure(reach.Judge(changed(stack(), a.change, b.change)))
			if !failed || order[first.Name] > min(order[a.check], order[b.check]) {
				t.Errorf("%s and %s: %s and %s alone, got %+v", a.story, b.story, a.check, b.check, first)
			}
		}
	}
}

func TestAHealthyStackHasNoFailingCheck(t *testing.T) {
	up := changed(stack(), func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) })
	for _, c := range reach.Judge(up) {
		if c.Result != reach.Pass {
			t.Errorf("%+v", c)
		}
	}
	// Nor has one that is not connected, but for that.
	for _, c := range reach.Judge(stack()) {
		if c.Result != reach.Pass && !symptom(c.Name) {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range reach.Judge(changed(hybrid(), func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) })) {
		if c.Result != reach.Pass {
			t.Errorf("%+v", c)
		}
	}
}

func TestAConnectedNodePassesWhatAConnectionProves(t *testing.T) {
	for _, tc := range findings {
		f := changed(stack(), tc.change, func(f *reach.Facts) { f.Node.Connection = reach.Is(reach.StatusConnected) })
		c, _ := find(reach.Judge(f), tc.check)
		if c.Result != reach.Pass {
			t.Errorf("%s: %+v", tc.story, c)
		}
	}
}

func TestFindingsAreSentences(t *testing.T) {
	for _, tc := range append(findings, sessionFindings...) {
		for _, c := range reach.Judge(changed(stack(), tc.change)) {
			if c.Result == reach.Pass {
				if c.Message != "" || c.Remedy != "" {
					t.Errorf("%s: %+v says more than it passes", tc.story, c)
				}
				continue
			}
			for _, text := range []string{c.Message, c.Remedy} {
				if !strings.HasSuffix(strings.TrimSuffix(text, ")"), ".") || strings.Contains(text, "  ") || strings.Contains(text, "..") || strings.Contains(text, "%!") {
					t.Errorf("%s: %s: %q is no sentence", tc.story, c.Name, text)
				}
			}
		}
	}
}

func TestASymptomPointsAtWhatIsDoubtful(t *testing.T) {
	f := changed(stack(), noSSM, routed(reach.Route{Destination: "0.0.0.0/0", Target: "tgw-1"}), onNetwork(func(n *reach.Network) {
		n.ACLs = reach.Denied[[]reach.NetworkACL]("ec2:DescribeNetworkAcls")
	}))
	first, _ := reach.FirstFailure(reach.Judge(f))
	if first.Reason != reach.AgentOffline || !strings.HasPrefix(first.Message, "The way out of subnet-private1 leads over tgw-1") || !strings.Contains(first.Message, "has stopped reporting") {
		t.Errorf("%+v does not begin with the route", first)
	}
	for _, want := range []string{"See that it leads on", "ssm-cli", "ec2:DescribeNetworkAcls"} {
		if !strings.Contains(first.Remedy, want) {
			t.Errorf("%q does not mention %s", first.Remedy, want)
		}
	}
}

func TestASharedVPCIsNotJudgedByWhatItsOwnerAloneSees(t *testing.T) {
	const owner = "999988887777"
	byVPC := onNetwork(func(n *reach.Network) { n.OwnerID = owner })
	bySubnet := onNetwork(func(n *reach.Network) {
		subnets, _ := n.Subnets.Get()
		own := subnets[subnet]
		own.OwnerID = owner
		subnets[subnet] = own
	})
	closed := together(noSSM, rules("sg-endpoint"), onNetwork(func(n *reach.Network) {
		n.DNSSupport, n.DNSHostnames = reach.Is(false), reach.Is(false)
	}))
	hidden := onNetwork(func(n *reach.Network) {
		n.RouteTables, n.ACLs = reach.Is([]reach.RouteTable(nil)), reach.Is([]reach.NetworkACL(nil))
	})
	blind := []reach.Name{
		reach.CheckDNSSupport, reach.CheckRoute, reach.CheckEndpointPresent, reach.CheckEndpointState, reach.CheckEndpointSubnet, reach.CheckDNSHostnames,
		reach.CheckEndpointPrivateDNS, reach.CheckEndpointPolicy, reach.CheckNetworkACL, reach.CheckEndpointIngress, reach.CheckSessionPath,
	}
	for story, change := range map[string]func(*reach.Facts){
		"by the VPC": together(closed, byVPC), "by the subnet": together(closed, bySubnet), "with hidden routes": together(closed, byVPC, hidden),
		"with a way out": together(routed(nat), byVPC),
	} {
		checks := reach.Judge(changed(stack(), change))
		for _, name := range blind {
			if c, _ := find(checks, name); c.Result != reach.NotChecked || c.Reason != reach.SharedVPC || !strings.Contains(c.Message, "belongs to account "+owner) {
				t.Errorf("%s: %+v", story, c)
			}
		}
		if first, _ := reach.FirstFailure(checks); !symptom(first.Name) || !strings.Contains(first.Remedy, owner) {
			t.Errorf("%s: %+v first", story, first)
		}
	}
	// One's own VPC, and one whose owner was not read, are judged.
	for _, own := range []string{"", account} {
		f := changed(stack(), closed, onNetwork(func(n *reach.Network) { n.OwnerID = own }))
		if first, _ := reach.FirstFailure(reach.Judge(f)); first.Name != reach.CheckDNSSupport {
			t.Errorf("owner %q: %+v", own, first)
		}
	}
}

func TestAGapNamesTheAction(t *testing.T) {
	f := changed(stack(), func(f *reach.Facts) {
		f.Network.RouteTables = reach.Denied[[]reach.RouteTable]("ec2:DescribeRouteTables")
	}, noSSM)
	c, _ := find(reach.Judge(f), reach.CheckRoute)
	if c.Result != reach.NotChecked || c.Reason != reach.PermissionMissing || fmt.Sprint(c.Missing) != "[ec2:DescribeRouteTables]" {
		t.Errorf("%+v", c)
	}
	f.Network.RouteTables = reach.Unread[[]reach.RouteTable]("ec2:DescribeRouteTables")
	if c, _ := find(reach.Judge(f), reach.CheckRoute); c.Reason != reach.ReadFailed || c.Missing != nil {
		t.Errorf("%+v", c)
	}
	f.Network = nil
	if c, _ := find(reach.Judge(f), reach.CheckRoute); c.Reason != reach.NotRead {
		t.Errorf("%+v", c)
	}
}

func TestASecondInterfaceIsNotPassedWithoutWhatItsRulesAreHeldAgainst(t *testing.T) {
	f := changed(stack(), onInstance(func(i *reach.Instance) {
		i.Interfaces = append(i.Interfaces, reach.Interface{ID: "eni-2", Device: 1, Subnet: subnet, Groups: []string{"sg-closed"}})
	}))
	erasures["subnets"](f)
	if c, _ := find(reach.Judge(f), reach.CheckSecurityGroupEgress); c.Result != reach.NotChecked || !slices.Contains(c.Missing, "ec2:DescribeSubnets") {
		t.Errorf("%+v", c)
	}
}

func TestAnOldAgentsOtherEndpointIsNotPassedWithoutTheRoutes(t *testing.T) {
	f := changed(stack(), without("ec2messages"), onAgent(func(a *reach.Agent) { a.Version = "3.2.2303.0" }))
	erasures["routes"](f)
	if c, _ := find(reach.Judge(f), reach.CheckEndpointPresent); c.Result != reach.NotChecked || !slices.Contains(c.Missing, "ec2:DescribeRouteTables") {
		t.Errorf("%+v", c)
	}
}

func TestEachCheckThatLacksAFactNamesTheAction(t *testing.T) {
	for check, tc := range map[reach.Name]struct {
		erased, action string
		also           func(*reach.Facts)
	}{
		reach.CheckInstanceState:       {"instance", "ec2:DescribeInstances", nil},
		reach.CheckMetadataService:     {"instance", "ec2:DescribeInstances", nil},
		reach.CheckInstanceProfile:     {"role", "iam:GetInstanceProfile", nil},
		reach.CheckRoleTrust:           {"trust", "iam:GetInstanceProfile", nil},
		reach.CheckRolePermissions:     {"role", "iam:GetInstanceProfile", nil},
		reach.CheckDNSSupport:          {"support", "ec2:DescribeVpcAttribute", nil},
		reach.CheckRoute:               {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		reach.CheckEndpointPresent:     {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		reach.CheckEndpointState:       {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		reach.CheckEndpointSubnet:      {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		reach.CheckDNSHostnames:        {"names", "ec2:DescribeVpcAttribute", nil},
		reach.CheckEndpointPrivateDNS:  {"routes", "ec2:DescribeRouteTables", onEndpoint("ssm", func(e *reach.Endpoint) { e.PrivateDNS = false })},
		reach.CheckEndpointPolicy:      {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		reach.CheckSecurityGroupEgress: {"rules", "ec2:DescribeSecurityGroupRules", nil},
		reach.CheckNetworkACL:          {"acls", "ec2:DescribeNetworkAcls", elsewhere},
		reach.CheckEndpointIngress:     {"rules", "ec2:DescribeSecurityGroupRules", nil},
		reach.CheckAgentOnline:         {"agent", "ssm:DescribeInstanceInformation", nil},
		reach.CheckAgentVersion:        {"agent", "ssm:DescribeInstanceInformation", nil},
		reach.CheckSessionPermissions:  {"role", "iam:GetInstanceProfile", nil},
		reach.CheckSessionPath:         {"endpoints", "ec2:DescribeVpcEndpoints", nil},
	} {
		f := stack()
		if tc.also != nil {
			tc.also(f)
		}
		erasures[tc.erased](f)
		c, _ := find(reach.Judge(f), check)
		if c.Result != reach.NotChecked || !slices.Contains(c.Missing, tc.action) || !strings.Contains(c.Message, tc.action) {
			t.Errorf("%s without %s: %+v", check, tc.erased, c)
		}
	}
}
