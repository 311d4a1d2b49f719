package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

var (
	nat       = check.Route{Destination: "0.0.0.0/0", Target: "nat-1"}
	noSSM     = without("ssm", "ssmmessages", "ec2messages", "logs", "s3", "kms")
	https     = check.Rule{Egress: true, Protocol: "tcp", FromPort: 443, ToPort: 443}
	elsewhere = onNetwork(func(n *check.Network) {
		list, _ := n.Endpoints.Get()
		for i := range list {
			list[i].Subnets = []string{"subnet-endpoints"}
		}
	})
	profileless = onInstance(func(i *check.Instance) { i.ProfileARN = "" })
	// managedRole is that of default host management, with its permissions.
	managedRole = func(f *check.Facts) {
		f.DefaultRole = f.Role
		change(&f.DefaultRole, func(r *check.Role) { r.Name, r.Trust = "managed", check.Is(trust("ssm.amazonaws.com")) })
	}
	managed = together(profileless, managedRole)
	// byAWS has default host management with a role that AWS made and keeps.
	byAWS = together(profileless, func(f *check.Facts) {
		f.DefaultRole = check.Is(check.Role{Name: "aws-reserved/ssm.amazonaws.com/Managed", Managed: true})
	})
	// depends has the role allow its agents to report on a condition on the node.
	depends = onRole(func(r *check.Role) {
		p := check.Permission{Action: "ssm:UpdateInstanceInformation", Resource: instances}
		delete(r.Allowed, p)
		r.Conditional = map[check.Permission][]string{p: {"ssm:SourceInstanceARN"}}
	})
	// capped has a service control policy deny what the agent calls.
	capped = together(disallow("ssmmessages:OpenDataChannel", "*"), onRole(func(r *check.Role) {
		r.Capped = map[check.Permission]bool{{Action: "ssmmessages:OpenDataChannel", Resource: "*"}: true}
	}))
)

func to(cidr string) check.Rule { r := https; r.CIDR = cidr; return r }

func deny(egress bool, from, to int32) check.ACLEntry {
	return check.ACLEntry{Number: 50, Egress: egress, Protocol: "6", FromPort: from, ToPort: to, CIDR: "0.0.0.0/0"}
}

// A finding is a change of the stack and what one check then says.
type finding struct {
	// story describes the change. A change that opens another way or moves the
	// node also removes other causes.
	story  string
	change func(*check.Facts)
	check  check.Name
	result check.Result
	reason check.Reason
}

// findings of a stack whose document logs. Each that fails is the first that does.
var findings = []finding{
	{"stopped", onInstance(func(i *check.Instance) { i.State = "stopped" }), check.CheckInstanceState, check.Fail, check.InstanceNotRunning},
	{"gone", onInstance(func(i *check.Instance) { *i = check.Instance{} }), check.CheckInstanceState, check.Fail, check.InstanceNotFound},
	{"terminated", onInstance(func(i *check.Instance) { i.State = "terminated" }), check.CheckInstanceState, check.Fail, check.InstanceNotRunning},
	{"metadata service off", onInstance(func(i *check.Instance) { i.Metadata.Endpoint = "disabled" }), check.CheckMetadataService, check.Fail, check.MetadataServiceOff},
	{"no profile", profileless, check.CheckInstanceProfile, check.Fail, check.NoInstanceProfile},
	{"profile without role", onRole(func(r *check.Role) { *r = check.Role{} }), check.CheckInstanceProfile, check.Fail, check.ProfileWithoutRole},
	{"host management", managed, check.CheckInstanceProfile, check.Pass, check.InOrder},
	{"host management, old agent", together(managed, onAgent(func(a *check.Agent) { a.Version = "3.2.581.0" })), check.CheckInstanceProfile, check.Fail, check.HostManagementNeedsNewerAgent},
	{"host management, IMDSv1", together(managed, onInstance(func(i *check.Instance) { i.Metadata.Tokens = "optional" })), check.CheckInstanceProfile, check.Warn, check.HostManagementNeedsIMDSv2},
	{"no permission, host management on", together(disallow("ssm:UpdateInstanceInformation", instances), func(f *check.Facts) {
		f.DefaultRole = check.Is(check.Role{Name: "AWSSystemsManagerDefaultEC2InstanceManagementRole"})
	}), check.CheckRolePermissions, check.Warn, check.RolePermissionMissing},
	{"no permission, host management hidden", together(disallow("ssm:UpdateInstanceInformation", instances), erasures["default"]), check.CheckRolePermissions, check.Warn, check.RolePermissionMissing},
	{"host management without its role, no permission", together(disallow("ssm:UpdateInstanceInformation", instances), func(f *check.Facts) {
		f.DefaultRole = check.Is(check.Role{Name: "managed", Missing: true})
	}), check.CheckRolePermissions, check.Fail, check.RolePermissionMissing},
	{"host management, role gone", together(profileless, func(f *check.Facts) {
		f.DefaultRole = check.Is(check.Role{Name: "managed", Missing: true})
	}), check.CheckRoleTrust, check.Fail, check.DefaultRoleNotFound},
	{"host management by AWS, trust", byAWS, check.CheckRoleTrust, check.Pass, check.InOrder},
	{"host management by AWS, permissions", byAWS, check.CheckRolePermissions, check.Pass, check.InOrder},
	{"host management by AWS, role gone", together(byAWS, func(f *check.Facts) {
		change(&f.DefaultRole, func(r *check.Role) { r.Missing = true })
	}), check.CheckRoleTrust, check.Fail, check.DefaultRoleNotFound},
	{"host management, role for instances", together(managed, func(f *check.Facts) {
		change(&f.DefaultRole, func(r *check.Role) { r.Trust = check.Is(trust("ec2.amazonaws.com")) })
	}), check.CheckRoleTrust, check.Fail, check.RoleNotTrusted},
	{"host management, trust", managed, check.CheckRoleTrust, check.Pass, check.InOrder},
	{"host management without permission", together(disallow("ssm:UpdateInstanceInformation", instances), managed), check.CheckRolePermissions, check.Fail, check.RolePermissionMissing},
	{"trusts another service", onRole(func(r *check.Role) {
		r.Trust = check.Is(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	}), check.CheckRoleTrust, check.Fail, check.RoleNotTrusted},
	{"trusts under conditions", onRole(func(r *check.Role) {
		r.Trust = check.Is(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"Bool":{"x":"true"}}}]}`)
	}), check.CheckRoleTrust, check.Warn, check.RoleNotTrusted},
	{"trust in disorder", onRole(func(r *check.Role) { r.Trust = check.Is(`{`) }), check.CheckRoleTrust, check.NotChecked, check.NotUnderstood},
	{"permission under conditions on the node", depends, check.CheckRolePermissions, check.Warn, check.RolePermissionConditional},
	{"permission under conditions, and another missing", together(depends, disallow("ssmmessages:OpenDataChannel", "*")), check.CheckRolePermissions, check.Fail, check.RolePermissionMissing},
	{"denied by the organisation", capped, check.CheckRolePermissions, check.Fail, check.DeniedByOrganization},
	{"host management cannot help against the organisation", together(capped, managedRole), check.CheckRolePermissions, check.Fail, check.DeniedByOrganization},
	{"permission missing", disallow("ssmmessages:OpenDataChannel", "*"), check.CheckRolePermissions, check.Fail, check.RolePermissionMissing},
	{"DNS support off", onNetwork(func(n *check.Network) { n.DNSSupport = check.Is(false) }), check.CheckDNSSupport, check.Fail, check.DNSSupportOff},
	{"DNS host names off", onNetwork(func(n *check.Network) { n.DNSHostnames = check.Is(false) }), check.CheckDNSHostnames, check.Fail, check.DNSHostnamesOff},
	{"DNS host names off, no endpoints", together(noSSM, routed(nat), onNetwork(func(n *check.Network) { n.DNSHostnames = check.Is(false) })), check.CheckDNSHostnames, check.Pass, check.NotNeeded},

	{"DNS host names off, a way out", together(routed(nat), onNetwork(func(n *check.Network) { n.DNSHostnames = check.Is(false) })), check.CheckDNSHostnames, check.Pass, check.NotNeeded},
	{"DNS host names off, a way out past a closed endpoint", together(routed(nat), rules("sg-endpoint"), onNetwork(func(n *check.Network) { n.DNSHostnames = check.Is(false) })), check.CheckEndpointIngress, check.Pass, check.NotNeeded},
	{"DNS host names hidden, a way out", together(routed(nat), onNetwork(func(n *check.Network) { n.DNSHostnames = check.Denied[bool]("ec2:DescribeVpcAttribute") })), check.CheckEndpointIngress, check.NotChecked, check.PermissionMissing},

	{"no endpoint, no route", noSSM, check.CheckRoute, check.Fail, check.NoRoute},
	{"NAT instead of endpoints", together(noSSM, routed(nat)), check.CheckRoute, check.Pass, check.InOrder},
	{"NAT gone", together(noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "nat-1", Blackhole: true})), check.CheckRoute, check.Fail, check.RouteBlackhole},
	{"NAT gone, beside a live half", together(noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "nat-1", Blackhole: true}, check.Route{Destination: "0.0.0.0/1", Target: "nat-2"})), check.CheckRoute, check.Fail, check.RouteBlackhole},
	{"NAT in two halves", together(noSSM, routed(check.Route{Destination: "0.0.0.0/1", Target: "nat-1"}, check.Route{Destination: "128.0.0.0/1", Target: "nat-1"})), check.CheckRoute, check.Pass, check.InOrder},
	{"internet gateway, private address", together(noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "igw-1"})), check.CheckRoute, check.Fail, check.NoPublicAddress},
	{"internet gateway, public address", together(noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "igw-1"}), onPrimary(func(n *check.Interface) { n.Public = true })), check.CheckRoute, check.Pass, check.InOrder},
	{"transit gateway", together(noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "tgw-1"})), check.CheckRoute, check.Warn, check.RouteOutOfSight},
	{"IPv6 only", together(noSSM, routed(check.Route{Destination: "::/0", Target: "eigw-1"}), onPrimary(func(n *check.Interface) { n.IPv6 = true }), rules("sg-node", to("::/0"))), check.CheckRoute, check.Warn, check.RouteOnlyIPv6},
	{"IPv6 route, no IPv6 address", together(noSSM, routed(check.Route{Destination: "::/0", Target: "eigw-1"})), check.CheckRoute, check.Fail, check.NoRoute},
	{"some IPv6 route, IPv6 address", together(noSSM, routed(check.Route{Destination: "2001:db8::/32", Target: "eigw-1"}), onPrimary(func(n *check.Interface) { n.IPv6 = true })), check.CheckRoute, check.Warn, check.RouteOutOfSight},
	{"peering", together(noSSM, routed(check.Route{Destination: "10.9.0.0/16", Target: "pcx-1"})), check.CheckRoute, check.Warn, check.RouteOutOfSight},
	{"main table", together(noSSM, onNetwork(func(n *check.Network) {
		tables, _ := n.RouteTables.Get()
		tables[0].Routes, tables[1].Subnets = append(tables[0].Routes, nat), nil
	})), check.CheckRoute, check.Pass, check.InOrder},

	{"ssmmessages missing", without("ssmmessages"), check.CheckEndpointPresent, check.Fail, check.EndpointMissing},
	{"ssmmessages perhaps elsewhere", together(without("ssmmessages"), routed(check.Route{Destination: "10.0.0.0/8", Target: "tgw-1"})), check.CheckEndpointPresent, check.Warn, check.EndpointElsewhere},
	{"ec2messages missing", without("ec2messages"), check.CheckEndpointPresent, check.Pass, check.InOrder},
	{"ec2messages missing, old agent", together(without("ec2messages"), onAgent(func(a *check.Agent) { a.Version = "3.2.2303.0" })), check.CheckEndpointPresent, check.Warn, check.EndpointMissing},
	{"endpoint failed", onEndpoint("ssm", func(e *check.Endpoint) { e.State = "Failed" }), check.CheckEndpointState, check.Fail, check.EndpointNotAvailable},
	{"endpoint available in capitals", onEndpoint("ssm", func(e *check.Endpoint) { e.State = "Available" }), check.CheckEndpointState, check.Pass, check.InOrder},
	{"endpoint nowhere", onEndpoint("ssm", func(e *check.Endpoint) { e.Subnets = nil }), check.CheckEndpointSubnet, check.Fail, check.EndpointWithoutSubnet},
	{"private DNS off", onEndpoint("ssm", func(e *check.Endpoint) { e.PrivateDNS = false }), check.CheckEndpointPrivateDNS, check.Fail, check.EndpointPrivateDNSOff},
	{"private DNS off, a way out", together(routed(nat), onEndpoint("ssm", func(e *check.Endpoint) { e.PrivateDNS = false })), check.CheckEndpointPrivateDNS, check.Pass, check.InOrder},
	{"private DNS off, another network", together(routed(check.Route{Destination: "10.0.0.0/8", Target: "pcx-1"}), onEndpoint("ssm", func(e *check.Endpoint) { e.PrivateDNS = false })), check.CheckEndpointPrivateDNS, check.Warn, check.EndpointPrivateDNSOff},
	{"policy denies", onEndpoint("ssmmessages", func(e *check.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssmmessages:Create*","Resource":"*"}]}`
	}), check.CheckEndpointPolicy, check.Fail, check.EndpointPolicyDenies},
	{"policy for one organisation", onEndpoint("ssmmessages", func(e *check.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}`
	}), check.CheckEndpointPolicy, check.Warn, check.EndpointPolicyUnclear},
	{"policy for instances only", onEndpoint("ssm", func(e *check.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:UpdateInstanceInformation","Resource":"arn:aws:ec2:*:488821267897:instance/*"}]}`
	}), check.CheckEndpointPolicy, check.Pass, check.InOrder},
	{"policy for this instance only", onEndpoint("ssm", func(e *check.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:*","Resource":"arn:aws:ec2:ap-northeast-1:488821267897:instance/` + node + `"}]}`
	}), check.CheckEndpointPolicy, check.Pass, check.InOrder},
	{"policy for another instance", onEndpoint("ssm", func(e *check.Endpoint) {
		e.Policy = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:*","Resource":"arn:aws:ec2:ap-northeast-1:488821267897:instance/i-0"}]}`
	}), check.CheckEndpointPolicy, check.Fail, check.EndpointPolicyDenies},
	{"policy in disorder", onEndpoint("ssm", func(e *check.Endpoint) { e.Policy = `[]` }), check.CheckEndpointPolicy, check.NotChecked, check.NotUnderstood},

	{"egress closed", rules("sg-node"), check.CheckSecurityGroupEgress, check.Fail, check.EgressBlocked},
	{"egress to another port", rules("sg-node", check.Rule{Egress: true, Protocol: "tcp", FromPort: 80, ToPort: 442, CIDR: "0.0.0.0/0"}), check.CheckSecurityGroupEgress, check.Fail, check.EgressBlocked},
	{"egress over UDP", rules("sg-node", check.Rule{Egress: true, Protocol: "udp", FromPort: 443, ToPort: 443, CIDR: "0.0.0.0/0"}), check.CheckSecurityGroupEgress, check.Fail, check.EgressBlocked},
	{"egress to the subnet", rules("sg-node", to("10.0.2.0/24")), check.CheckSecurityGroupEgress, check.Pass, check.InOrder},
	{"egress to the halves of the subnet", rules("sg-node", to("10.0.2.0/25"), to("10.0.2.128/25")), check.CheckSecurityGroupEgress, check.Pass, check.InOrder},
	{"egress to the endpoint's group", rules("sg-node", check.Rule{Egress: true, Protocol: "tcp", FromPort: 443, ToPort: 443, Group: "sg-endpoint"}), check.CheckSecurityGroupEgress, check.Pass, check.InOrder},
	{"egress to one address of unknown ones", rules("sg-node", to("10.0.2.20/32")), check.CheckSecurityGroupEgress, check.NotChecked, check.NotRead},
	{"egress to a list", together(rules("sg-node", check.Rule{Egress: true, Protocol: "-1", PrefixList: "pl-own"}), onNetwork(func(n *check.Network) {
		n.PrefixLists = map[string]check.Known[[]string]{"pl-own": check.Is([]string{"10.0.0.0/8"})}
	})), check.CheckSecurityGroupEgress, check.Pass, check.InOrder},
	{"egress to a list that is hidden", together(rules("sg-node", check.Rule{Egress: true, Protocol: "-1", PrefixList: "pl-own"}), onNetwork(func(n *check.Network) {
		n.PrefixLists = map[string]check.Known[[]string]{"pl-own": check.Denied[[]string]("ec2:GetManagedPrefixListEntries")}
	})), check.CheckSecurityGroupEgress, check.NotChecked, check.PermissionMissing},
	{"egress over NAT to some", together(noSSM, routed(nat), rules("sg-node", to("52.0.0.0/8"))), check.CheckSecurityGroupEgress, check.Warn, check.EgressPartly},
	{"second interface closed", onInstance(func(i *check.Instance) {
		i.Interfaces = append([]check.Interface{{ID: "eni-2", Device: 1, Subnet: subnet, Groups: []string{"sg-closed"}}}, i.Interfaces...)
	}), check.CheckSecurityGroupEgress, check.Warn, check.EgressPartly},

	{"list stops requests within the subnet", entries(deny(true, 443, 443)), check.CheckNetworkACL, check.Pass, check.InOrder},
	{"list stops requests", together(elsewhere, entries(deny(true, 443, 443))), check.CheckNetworkACL, check.Fail, check.ACLBlocksRequest},
	{"list stops answers", together(elsewhere, entries(deny(false, 1024, 65535))), check.CheckNetworkACL, check.Fail, check.ACLBlocksAnswer},
	{"list stops some answers", together(elsewhere, entries(deny(false, 40000, 65535))), check.CheckNetworkACL, check.Warn, check.ACLBlocksAnswer},
	{"list stops answers to old ports", together(elsewhere, entries(deny(false, 1024, 32767))), check.CheckNetworkACL, check.Pass, check.InOrder},
	{"list stops requests on the way out", together(noSSM, routed(nat), entries(deny(true, 0, 65535))), check.CheckNetworkACL, check.Fail, check.ACLBlocksRequest},

	{"ingress closed", rules("sg-endpoint"), check.CheckEndpointIngress, check.Fail, check.IngressBlocked},
	{"ingress from others", rules("sg-endpoint", check.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.9.0/24"}), check.CheckEndpointIngress, check.Fail, check.IngressBlocked},
	{"ingress of an unknown address", together(onPrimary(func(n *check.Interface) { n.Address = "" })), check.CheckEndpointIngress, check.NotChecked, check.NotRead},
	{"list and an unknown address", together(elsewhere, onPrimary(func(n *check.Interface) { n.Address = "" })), check.CheckNetworkACL, check.NotChecked, check.NotRead},
	{"rule in disorder", rules("sg-node", to("everywhere")), check.CheckSecurityGroupEgress, check.NotChecked, check.NotRead},
	{"ingress by group", rules("sg-endpoint", check.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, Group: "sg-node"}), check.CheckEndpointIngress, check.Pass, check.InOrder},
	{"ingress closed beside a way out", together(routed(nat), rules("sg-endpoint")), check.CheckEndpointIngress, check.Fail, check.IngressBlocked},

	{"never seen", onAgent(func(a *check.Agent) { *a = check.Agent{} }), check.CheckAgentOnline, check.Fail, check.AgentNeverSeen},
	{"offline", func(*check.Facts) {}, check.CheckAgentOnline, check.Fail, check.AgentOffline},
	{"channel closed", onAgent(func(a *check.Agent) { a.PingStatus, a.LastPing = "Online", noon.Add(-time.Minute) }), check.CheckConnected, check.Fail, check.ChannelClosed},
	{"offline in the end", func(*check.Facts) {}, check.CheckConnected, check.Fail, check.NotConnected},
}

// symptoms are failures that others explain.
func symptom(name check.Name) bool {
	return name == check.CheckAgentOnline || name == check.CheckConnected
}

func TestEachCauseIsFoundFirst(t *testing.T) {
	for _, tc := range findings {
		t.Run(tc.story, func(t *testing.T) {
			checks := check.Judge(changed(stack(), tc.change))
			c, ok := find(checks, tc.check)
			if !ok || c.Result != tc.result || c.Reason != tc.reason {
				t.Fatalf("want %s %s, got %+v", tc.result, tc.reason, c)
			}
			first, failed := check.FirstFailure(checks)
			if !failed || tc.result == check.Fail && !symptom(tc.check) && first.Name != tc.check {
				t.Fatalf("want %s first, got %+v", tc.check, first)
			}
			if tc.result != check.Fail && !symptom(first.Name) {
				t.Fatalf("nothing but symptoms should fail, got %+v", first)
			}
		})
	}
}

func TestOfTwoCausesTheEarlierIsFoundFirst(t *testing.T) {
	order := map[check.Name]int{}
	for i, c := range check.Judge(stack()) {
		order[c.Name] = i
	}
	mends := func(f finding) bool {
		return strings.Contains(f.story, "way out") || strings.HasPrefix(f.story, "list stops") || strings.HasPrefix(f.story, "host management")
	}
	causes := slices.DeleteFunc(slices.Clone(findings), func(f finding) bool {
		return f.result != check.Fail || symptom(f.check) || mends(f)
	})
	for _, a := range causes {
		for _, b := range causes {
			first, failed := check.FirstFailure(check.Judge(changed(stack(), a.change, b.change)))
			if !failed || order[first.Name] > min(order[a.check], order[b.check]) {
				t.Errorf("%s and %s: %s and %s alone, got %+v", a.story, b.story, a.check, b.check, first)
			}
		}
	}
}

func TestAHealthyStackHasNoFailingCheck(t *testing.T) {
	up := changed(stack(), func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) })
	for _, c := range check.Judge(up) {
		if c.Result != check.Pass {
			t.Errorf("%+v", c)
		}
	}
	// Nor has one that is not connected, but for that.
	for _, c := range check.Judge(stack()) {
		if c.Result != check.Pass && !symptom(c.Name) {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range check.Judge(changed(hybrid(), func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) })) {
		if c.Result != check.Pass {
			t.Errorf("%+v", c)
		}
	}
}

func TestAConnectedNodePassesWhatAConnectionProves(t *testing.T) {
	for _, tc := range findings {
		f := changed(stack(), tc.change, func(f *check.Facts) { f.Node.Connection = check.Is(check.StatusConnected) })
		c, _ := find(check.Judge(f), tc.check)
		if c.Result != check.Pass {
			t.Errorf("%s: %+v", tc.story, c)
		}
	}
}

func TestFindingsAreSentences(t *testing.T) {
	for _, tc := range append(findings, sessionFindings...) {
		for _, c := range check.Judge(changed(stack(), tc.change)) {
			if c.Result == check.Pass {
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
	f := changed(stack(), noSSM, routed(check.Route{Destination: "0.0.0.0/0", Target: "tgw-1"}), onNetwork(func(n *check.Network) {
		n.ACLs = check.Denied[[]check.NetworkACL]("ec2:DescribeNetworkAcls")
	}))
	first, _ := check.FirstFailure(check.Judge(f))
	if first.Reason != check.AgentOffline || !strings.HasPrefix(first.Message, "The way out of subnet-private1 leads over tgw-1") || !strings.Contains(first.Message, "has stopped reporting") {
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
	byVPC := onNetwork(func(n *check.Network) { n.OwnerID = owner })
	bySubnet := onNetwork(func(n *check.Network) {
		subnets, _ := n.Subnets.Get()
		own := subnets[subnet]
		own.OwnerID = owner
		subnets[subnet] = own
	})
	closed := together(noSSM, rules("sg-endpoint"), onNetwork(func(n *check.Network) {
		n.DNSSupport, n.DNSHostnames = check.Is(false), check.Is(false)
	}))
	hidden := onNetwork(func(n *check.Network) {
		n.RouteTables, n.ACLs = check.Is([]check.RouteTable(nil)), check.Is([]check.NetworkACL(nil))
	})
	blind := []check.Name{
		check.CheckDNSSupport, check.CheckRoute, check.CheckEndpointPresent, check.CheckEndpointState, check.CheckEndpointSubnet, check.CheckDNSHostnames,
		check.CheckEndpointPrivateDNS, check.CheckEndpointPolicy, check.CheckNetworkACL, check.CheckEndpointIngress, check.CheckSessionPath,
	}
	for story, change := range map[string]func(*check.Facts){
		"by the VPC": together(closed, byVPC), "by the subnet": together(closed, bySubnet), "with hidden routes": together(closed, byVPC, hidden),
		"with a way out": together(routed(nat), byVPC),
	} {
		checks := check.Judge(changed(stack(), change))
		for _, name := range blind {
			if c, _ := find(checks, name); c.Result != check.NotChecked || c.Reason != check.SharedVPC || !strings.Contains(c.Message, "belongs to account "+owner) {
				t.Errorf("%s: %+v", story, c)
			}
		}
		if first, _ := check.FirstFailure(checks); !symptom(first.Name) || !strings.Contains(first.Remedy, owner) {
			t.Errorf("%s: %+v first", story, first)
		}
	}
	// One's own VPC, and one whose owner was not read, are judged.
	for _, own := range []string{"", account} {
		f := changed(stack(), closed, onNetwork(func(n *check.Network) { n.OwnerID = own }))
		if first, _ := check.FirstFailure(check.Judge(f)); first.Name != check.CheckDNSSupport {
			t.Errorf("owner %q: %+v", own, first)
		}
	}
}

func TestAGapNamesTheAction(t *testing.T) {
	f := changed(stack(), func(f *check.Facts) {
		f.Network.RouteTables = check.Denied[[]check.RouteTable]("ec2:DescribeRouteTables")
	}, noSSM)
	c, _ := find(check.Judge(f), check.CheckRoute)
	if c.Result != check.NotChecked || c.Reason != check.PermissionMissing || fmt.Sprint(c.Missing) != "[ec2:DescribeRouteTables]" {
		t.Errorf("%+v", c)
	}
	f.Network.RouteTables = check.Unread[[]check.RouteTable]("ec2:DescribeRouteTables")
	if c, _ := find(check.Judge(f), check.CheckRoute); c.Reason != check.ReadFailed || c.Missing != nil {
		t.Errorf("%+v", c)
	}
	f.Network = nil
	if c, _ := find(check.Judge(f), check.CheckRoute); c.Reason != check.NotRead {
		t.Errorf("%+v", c)
	}
}

func TestASecondInterfaceIsNotPassedWithoutWhatItsRulesAreHeldAgainst(t *testing.T) {
	f := changed(stack(), onInstance(func(i *check.Instance) {
		i.Interfaces = append(i.Interfaces, check.Interface{ID: "eni-2", Device: 1, Subnet: subnet, Groups: []string{"sg-closed"}})
	}))
	erasures["subnets"](f)
	if c, _ := find(check.Judge(f), check.CheckSecurityGroupEgress); c.Result != check.NotChecked || !slices.Contains(c.Missing, "ec2:DescribeSubnets") {
		t.Errorf("%+v", c)
	}
}

func TestAnOldAgentsOtherEndpointIsNotPassedWithoutTheRoutes(t *testing.T) {
	f := changed(stack(), without("ec2messages"), onAgent(func(a *check.Agent) { a.Version = "3.2.2303.0" }))
	erasures["routes"](f)
	if c, _ := find(check.Judge(f), check.CheckEndpointPresent); c.Result != check.NotChecked || !slices.Contains(c.Missing, "ec2:DescribeRouteTables") {
		t.Errorf("%+v", c)
	}
}

func TestEachCheckThatLacksAFactNamesTheAction(t *testing.T) {
	for name, tc := range map[check.Name]struct {
		erased, action string
		also           func(*check.Facts)
	}{
		check.CheckInstanceState:       {"instance", "ec2:DescribeInstances", nil},
		check.CheckMetadataService:     {"instance", "ec2:DescribeInstances", nil},
		check.CheckInstanceProfile:     {"role", "iam:GetInstanceProfile", nil},
		check.CheckRoleTrust:           {"trust", "iam:GetInstanceProfile", nil},
		check.CheckRolePermissions:     {"role", "iam:GetInstanceProfile", nil},
		check.CheckDNSSupport:          {"support", "ec2:DescribeVpcAttribute", nil},
		check.CheckRoute:               {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		check.CheckEndpointPresent:     {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		check.CheckEndpointState:       {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		check.CheckEndpointSubnet:      {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		check.CheckDNSHostnames:        {"names", "ec2:DescribeVpcAttribute", nil},
		check.CheckEndpointPrivateDNS:  {"routes", "ec2:DescribeRouteTables", onEndpoint("ssm", func(e *check.Endpoint) { e.PrivateDNS = false })},
		check.CheckEndpointPolicy:      {"endpoints", "ec2:DescribeVpcEndpoints", nil},
		check.CheckSecurityGroupEgress: {"rules", "ec2:DescribeSecurityGroupRules", nil},
		check.CheckNetworkACL:          {"acls", "ec2:DescribeNetworkAcls", elsewhere},
		check.CheckEndpointIngress:     {"rules", "ec2:DescribeSecurityGroupRules", nil},
		check.CheckAgentOnline:         {"agent", "ssm:DescribeInstanceInformation", nil},
		check.CheckAgentVersion:        {"agent", "ssm:DescribeInstanceInformation", nil},
		check.CheckSessionPermissions:  {"role", "iam:GetInstanceProfile", nil},
		check.CheckSessionPath:         {"endpoints", "ec2:DescribeVpcEndpoints", nil},
	} {
		f := stack()
		if tc.also != nil {
			tc.also(f)
		}
		erasures[tc.erased](f)
		c, _ := find(check.Judge(f), name)
		if c.Result != check.NotChecked || !slices.Contains(c.Missing, tc.action) || !strings.Contains(c.Message, tc.action) {
			t.Errorf("%s without %s: %+v", name, tc.erased, c)
		}
	}
}
