package check

import (
	"cmp"
	"net/netip"
	"slices"
)

// span is a range of ports, both ends included.
type span struct{ from, to int32 }

var (
	httpsPort = span{443, 443}
	// answerPorts are those that the agent's platforms send from: Linux from
	// 32768, Windows from 49152.
	answerPorts = span{32768, 65535}
)

// aclRule is an entry of a network ACL that applies to some traffic.
type aclRule struct {
	ports span
	cidr  netip.Prefix
	allow bool
}

// aclRules are the list's entries for TCP in one direction, in the order in
// which they decide.
func aclRules(acl *NetworkACL, egress bool) ([]aclRule, bool) {
	entries := slices.DeleteFunc(slices.Clone(acl.Entries), func(e ACLEntry) bool {
		return e.Egress != egress || e.Protocol != "-1" && e.Protocol != "6" && e.Protocol != "tcp"
	})
	slices.SortStableFunc(entries, func(a, b ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	rules := make([]aclRule, 0, len(entries))
	for _, e := range entries {
		cidr, ok := parsePrefix(e.CIDR)
		if !ok {
			return nil, false
		}
		ports := span{e.FromPort, e.ToPort}
		if e.Protocol == "-1" || e.FromPort < 0 {
			ports = span{0, 65535}
		}
		rules = append(rules, aclRule{ports: ports, cidr: cidr, allow: e.Allow})
	}
	return rules, true
}

// admitted is how much of the traffic with p over the ports the rules allow.
// They have no memory: each direction is judged by itself.
func admitted(rules []aclRule, p netip.Prefix, ports span) extent {
	for i, r := range rules {
		overlaps := r.ports.from <= ports.to && ports.from <= r.ports.to && r.cidr.Overlaps(p)
		switch {
		case !overlaps:
		case r.ports.from > ports.from:
			return both(admitted(rules[i:], p, span{ports.from, r.ports.from - 1}), admitted(rules[i:], p, span{r.ports.from, ports.to}))
		case r.ports.to < ports.to:
			return both(admitted(rules[i:], p, span{ports.from, r.ports.to}), admitted(rules[i:], p, span{r.ports.to + 1, ports.to}))
		case inside(p, r.cidr):
			if r.allow {
				return all
			}
			return none
		default:
			low, high := halves(p)
			return both(admitted(rules[i:], low, ports), admitted(rules[i:], high, ports))
		}
	}
	return none
}

// aclOf is the list of a subnet. Every subnet has one.
func aclOf(acls []NetworkACL, subnet string) *NetworkACL {
	for i := range acls {
		if slices.Contains(acls[i].Subnets, subnet) {
			return &acls[i]
		}
	}
	return nil
}
