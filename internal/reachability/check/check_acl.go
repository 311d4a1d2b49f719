package check

import (
	"fmt"
	"net/netip"
	"slices"
)

// networkACL judges the lists of the node's subnet and of the endpoints'. They
// keep no state, so requests and answers are judged each by themselves; and
// traffic within a subnet does not pass them.
func networkACL(v *view, paths []path) Check {
	c := notNeeded(CheckNetworkACL)
	for i := range paths {
		p := &paths[i]
		var found Check
		switch p.hop {
		case hopUnknown:
			found = p.missing.check(CheckNetworkACL)
		case hopPublic:
			to, _, _ := v.destination(p)
			found = v.passes(p, v.primary.Subnet, to.ranges, true)
		case hopEndpoint:
			found = v.toEndpoint(p)
		default:
			continue
		}
		if c.Reason == NotNeeded && found.Result == Pass {
			c = found
		}
		c = worse(c, found)
	}
	return c
}

// toEndpoint judges every subnet that the endpoint is in: its name leads to all.
// One of several that is closed makes failures now and then.
func (v *view) toEndpoint(p *path) Check {
	if p.endpoint.Type == endpointGateway {
		return v.passes(p, v.primary.Subnet, []netip.Prefix{anyIPv4}, true)
	}
	var missing gaps
	c, closed := pass(CheckNetworkACL), 0
	for _, id := range sortedSet(slices.Clone(p.endpoint.Subnets)) {
		if id == v.primary.Subnet {
			continue
		}
		subnets, known := need(&missing, v.network.Subnets)
		if !known {
			return missing.check(CheckNetworkACL)
		}
		ranges := ipv4(prefixes(subnets[id].CIDRs))
		node := prefixes([]string{v.primary.Address})
		if len(ranges) == 0 || len(node) == 0 {
			missing.notRead()
			return missing.check(CheckNetworkACL)
		}
		found := worse(
			v.passes(p, v.primary.Subnet, ranges, true),
			v.passes(p, id, node, false))
		if found.Result == Fail {
			closed++
		}
		c = worse(c, found)
	}
	if c.Result == Fail && closed < len(p.endpoint.Subnets) {
		return c.as(Warn)
	}
	return c
}

// passes is whether the list of a subnet lets requests to HTTPS and their
// answers pass between the subnet and the ranges. Out: the node is in the
// subnet, and its requests leave it.
func (v *view) passes(p *path, subnet string, ranges []netip.Prefix, out bool) Check {
	var missing gaps
	acls, known := need(&missing, v.network.ACLs)
	if !known {
		return missing.check(CheckNetworkACL)
	}
	acl := aclOf(acls, subnet)
	if acl == nil {
		missing.notRead()
		return missing.check(CheckNetworkACL)
	}
	requests, readable := aclRules(acl, out)
	answers, alsoReadable := aclRules(acl, !out)
	if !readable || !alsoReadable {
		return notUnderstood(CheckNetworkACL, "network ACL "+acl.ID)
	}
	return worse(
		v.stops(ACLBlocksRequest, p, acl, subnet, admittedAll(requests, ranges, httpsPort)),
		v.stops(ACLBlocksAnswer, p, acl, subnet, admittedAll(answers, ranges, answerPorts)))
}

func admittedAll(rules []aclRule, ranges []netip.Prefix, ports span) extent {
	result := admitted(rules, ranges[0], ports)
	for _, r := range ranges[1:] {
		result = both(result, admitted(rules, r, ports))
	}
	return result
}

func (v *view) stops(reason Reason, p *path, acl *NetworkACL, subnet string, e extent) Check {
	what, remedy := "requests", "Allow TCP 443 on the way from the node to the service."
	if reason == ACLBlocksAnswer {
		what, remedy = "answers", "Allow TCP ports 1024 to 65535 on the way back to the node: the list keeps no state."
	}
	switch e {
	case all:
		return pass(CheckNetworkACL)
	case none:
		return fail(CheckNetworkACL, reason,
			fmt.Sprintf("Network ACL %s of %s stops the %s of %s to %s.", acl.ID, subnet, what, v.Node.ID, p.service), remedy)
	default:
		return warn(CheckNetworkACL, reason,
			fmt.Sprintf("Network ACL %s of %s stops some of the %s of %s to %s.", acl.ID, subnet, what, v.Node.ID, p.service), remedy)
	}
}
