package check

import (
	"fmt"
	"net/netip"
	"slices"
)

// serviceActions are what the node calls of each service, as its endpoint's
// policy has to allow.
var serviceActions = map[string][]string{
	serviceSSM:         {actionReport},
	serviceSSMMessages: {"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"},
	serviceEC2Messages: {"ec2messages:GetMessages"},
	serviceLogs:        {"logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"},
	serviceS3:          {"s3:PutObject"},
	serviceKMS:         {"kms:Decrypt"},
}

func endpointPolicy(v *view, paths []path) Check {
	return eachEndpoint(CheckEndpointPolicy, paths, func(p *path) Check {
		if p.endpoint.Policy == "" {
			return pass(CheckEndpointPolicy)
		}
		statements, err := parsePolicy(p.endpoint.Policy)
		if err != nil {
			return notUnderstood(CheckEndpointPolicy, "the policy of endpoint "+p.endpoint.ID)
		}
		c := pass(CheckEndpointPolicy)
		for _, r := range v.endpointRequests(p.service) {
			remedy := fmt.Sprintf("Allow %s on %s in the endpoint's policy.", r.action, r.resource)
			switch evaluate(statements, r) {
			case denies:
				return fail(CheckEndpointPolicy, EndpointPolicyDenies,
					fmt.Sprintf("The policy of endpoint %s does not allow %s.", p.endpoint.ID, r.action), remedy)
			case unclear:
				c = worse(c, warn(CheckEndpointPolicy, EndpointPolicyUnclear,
					fmt.Sprintf("The policy of endpoint %s allows %s to some only, or under conditions.", p.endpoint.ID, r.action), remedy))
			case allows:
			}
		}
		return c
	})
}

// endpointRequests are what the node asks of a service.
func (v *view) endpointRequests(service string) []request {
	var requests []request
	actions := serviceActions[service]
	for _, p := range PermissionsNeeded(v.Facts) {
		if p.Action == actionReport {
			p.Resource = v.nodeARN(v.Node.Hybrid(), v.Node.ID)
		}
		if slices.Contains(actions, p.Action) {
			requests = append(requests, request{action: p.Action, resource: p.Resource})
		}
	}
	return requests
}

// destination is where the node's requests on the path go, as far as security
// groups and network ACLs are concerned.
func (v *view) destination(p *path) (to peer, bySubnet bool, missing gaps) {
	switch {
	case p.hop == hopEndpoint && p.endpoint.Type == endpointInterface:
		to.groups = p.endpoint.Groups
		to.ranges, bySubnet, missing = v.addresses(p.endpoint)
	case p.hop == hopEndpoint:
		// S3 by its prefix list, or by any address.
		to.list, to.ranges = p.list, []netip.Prefix{anyIPv4}
	case v.way.outlet == outletIPv6:
		to.ranges = []netip.Prefix{anyIPv6}
	default:
		to.ranges = []netip.Prefix{anyIPv4}
	}
	return to, bySubnet, missing
}

func securityGroupEgress(v *view, paths []path) Check {
	c := pass(CheckSecurityGroupEgress)
	instance, _ := v.Instance.Get()
	for i := range paths {
		c = worse(c, v.egress(v.primary, &paths[i]))
	}
	if c.Result != Pass {
		return c
	}
	for _, other := range sortedInterfaces(instance.Interfaces) {
		for i := range paths {
			switch found := v.egress(&other, &paths[i]); found.Result {
			case Fail:
				return warn(CheckSecurityGroupEgress, EgressPartly, found.Message,
					"Allow it if the operating system sends over this interface. "+found.Remedy)
			case NotChecked:
				c = worse(c, found)
			default:
			}
		}
	}
	return c
}

func sortedInterfaces(interfaces []Interface) []Interface {
	sorted := slices.Clone(interfaces)
	slices.SortFunc(sorted, func(a, b Interface) int {
		if a.Device != b.Device {
			return int(a.Device - b.Device)
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return sorted
}

// egress is whether an interface's groups let HTTPS out on a path.
func (v *view) egress(n *Interface, p *path) Check {
	if anywhere, _ := v.reached(n.Groups, true, peer{ranges: []netip.Prefix{anyIPv4}}); anywhere == all && v.way.outlet != outletIPv6 {
		return pass(CheckSecurityGroupEgress)
	}
	if p.hop == hopUnknown {
		return p.missing.check(CheckSecurityGroupEgress)
	}
	to, bySubnet, missing := v.destination(p)
	open, lacking := v.reached(n.Groups, true, to)
	if len(to.groups) > 0 && open == all {
		// By group, whatever the addresses are.
		missing = nil
	}
	if missing = append(missing, lacking...); missing != nil {
		return missing.check(CheckSecurityGroupEgress)
	}
	where := "to " + p.service
	if p.hop == hopEndpoint {
		where = fmt.Sprintf("to endpoint %s for %s", p.endpoint.ID, p.service)
	}
	remedy := fmt.Sprintf("Allow TCP 443 out of one of the groups %s.", where)
	groups := list(sortedSet(slices.Clone(n.Groups)))
	switch {
	case open == all, p.hop == hopNone && open == some:
		return pass(CheckSecurityGroupEgress)
	case open == none:
		return fail(CheckSecurityGroupEgress, EgressBlocked,
			fmt.Sprintf("No rule of %s on interface %s lets HTTPS out %s.", groups, n.ID, where), remedy)
	case bySubnet:
		missing = append(missing, p.endpoint.Addresses.Missing())
		return missing.check(CheckSecurityGroupEgress)
	default:
		return warn(CheckSecurityGroupEgress, EgressPartly,
			fmt.Sprintf("The rules of %s on interface %s let HTTPS out to some addresses only %s.", groups, n.ID, where), remedy)
	}
}

// endpointIngress is whether the endpoint's groups let the node in.
func endpointIngress(v *view, paths []path) Check {
	from := peer{ranges: prefixes([]string{v.primary.Address}), groups: v.primary.Groups}
	return eachEndpoint(CheckEndpointIngress, paths, func(p *path) Check {
		if p.endpoint.Type == endpointGateway {
			return pass(CheckEndpointIngress)
		}
		open, missing := v.reached(p.endpoint.Groups, false, from)
		if len(from.ranges) == 0 {
			missing.notRead()
		}
		switch {
		case open == all:
			return pass(CheckEndpointIngress)
		case missing != nil:
			return missing.check(CheckEndpointIngress)
		default:
			return fail(CheckEndpointIngress, IngressBlocked,
				fmt.Sprintf("No rule of %s lets %s of %s in over HTTPS to endpoint %s for %s.",
					list(sortedSet(slices.Clone(p.endpoint.Groups))), v.primary.Address, v.Node.ID, p.endpoint.ID, p.service),
				"Allow TCP 443 in from the VPC or from the node's group.")
		}
	})
}
