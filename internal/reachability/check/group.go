package check

import (
	"net/netip"
	"slices"
)

// peer is the other side of traffic that security groups judge.
type peer struct {
	// ranges of its addresses; each is judged by itself.
	ranges []netip.Prefix
	// groups that it is in.
	groups []string
	// list is an AWS prefix list that represents it; empty if none.
	list string
}

// reached is how much of the peer the groups' rules allow HTTPS with, and
// whether rules that could not be read might allow more.
func (v *view) reached(groups []string, egress bool, to peer) (extent, gaps) {
	var missing gaps
	rules, known := need(&missing, v.network.Rules)
	if !known {
		return none, missing
	}
	var open []netip.Prefix
	for _, group := range groups {
		own, asked := rules[group]
		if !asked {
			missing.notRead()
		}
		for i := range own {
			r := &own[i]
			if r.Egress != egress || !r.https() {
				continue
			}
			if r.Group != "" && slices.Contains(to.groups, r.Group) || r.PrefixList != "" && r.PrefixList == to.list {
				return all, nil
			}
			ranges, err := v.ranges(r)
			open, missing = append(open, ranges...), append(missing, err...)
		}
	}
	result := coveredAll(to.ranges, open)
	if result == all {
		missing = nil
	}
	return result, missing
}

// https reports whether the rule is about TCP port 443, among others.
func (r *Rule) https() bool {
	if r.Protocol == "-1" {
		return true
	}
	return (r.Protocol == "tcp" || r.Protocol == "6") && (r.FromPort < 0 || r.FromPort <= httpsPort.from && httpsPort.to <= r.ToPort)
}

// ranges that the rule is about, by address or by a customer's prefix list.
func (v *view) ranges(r *Rule) ([]netip.Prefix, gaps) {
	var missing gaps
	entries := []string{r.CIDR}
	switch {
	case r.Group != "":
		return nil, nil
	case r.PrefixList != "":
		list, known := need(&missing, v.network.PrefixLists[r.PrefixList])
		if !known {
			return nil, missing
		}
		entries = list
	}
	ranges := make([]netip.Prefix, 0, len(entries))
	for _, entry := range entries {
		p, ok := parsePrefix(entry)
		if !ok {
			missing.notRead()
			continue
		}
		ranges = append(ranges, p)
	}
	return ranges, missing
}

// coveredAll is how much of several ranges others cover.
func coveredAll(ranges, open []netip.Prefix) extent {
	if len(ranges) == 0 {
		return none
	}
	result := covered(ranges[0], open)
	for _, p := range ranges[1:] {
		result = both(result, covered(p, open))
	}
	return result
}
