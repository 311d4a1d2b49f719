package check

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// natPrefix begins the ids of NAT gateways.
const natPrefix = "nat-"

// targetLocal is the target of routes within the VPC.
const targetLocal = "local"

// outlet is the result of the search for a way to public addresses.
type outlet int

const (
	outletUnknown outlet = iota
	// outletNone: no route leads out of the VPC.
	outletNone
	// outletBlackhole: the default route's target is gone.
	outletBlackhole
	// outletShut: everything leads to a NAT gateway that lets nothing out.
	outletShut
	// outletPrivate: an internet gateway, for a node without public address.
	outletPrivate
	// outletSome: routes lead to other networks, and none everywhere.
	outletSome
	// outletIPv6: everywhere, for IPv6 only.
	outletIPv6
	// outletBeyond: everywhere, over something that cannot be looked into.
	outletBeyond
	// outletOpen: everywhere, over a NAT or internet gateway.
	outletOpen
)

// everywhere reports whether there is a way to public addresses, as far as is
// visible.
func (o outlet) everywhere() bool { return o >= outletIPv6 }

// way is how a subnet gets to public addresses.
type way struct {
	outlet outlet
	// table is the id of the route table, target that of where the route leads.
	table, target string
	// missing, where the outlet is unknown, or only taken to be open.
	missing gaps
	// routes of the table.
	routes []Route
}

// wayOut is the way of the primary interface.
func (v *view) wayOut() way {
	var w way
	tables, known := need(&w.missing, v.network.RouteTables)
	if !known {
		return w
	}
	table := tableOf(tables, v.primary.Subnet)
	if table == nil {
		w.missing.notRead()
		return w
	}
	w.table, w.routes = table.ID, table.Routes
	routes := slices.Clone(table.Routes)
	slices.SortFunc(routes, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Target, b.Target), strings.Compare(a.Destination, b.Destination))
	})
	w.outlet, w.target = v.outletOf(routes)
	if w.outlet == outletOpen && strings.HasPrefix(w.target, natPrefix) {
		if _, known := v.network.NATGateways.Get(); !known && v.network.NATGateways.Missing() != (Missing{}) {
			need(&w.missing, v.network.NATGateways)
		}
	}
	return w
}

// tableOf is the route table of a subnet: its own, or else the main one.
func tableOf(tables []RouteTable, subnet string) *RouteTable {
	var main *RouteTable
	for i := range tables {
		if slices.Contains(tables[i].Subnets, subnet) {
			return &tables[i]
		}
		if tables[i].Main {
			main = &tables[i]
		}
	}
	return main
}

// outletOf looks at the default route for IPv4 first, then at that for IPv6,
// then for routes that lead to other networks. Routes for IPv6 serve nodes that
// have such an address only.
func (v *view) outletOf(routes []Route) (outlet, string) {
	target, alive, found := defaultRoute(routes, anyIPv4)
	if found && alive {
		return v.through(target), target
	}
	if six, alive, found := defaultRoute(routes, anyIPv6); found && alive && v.primary.IPv6 {
		return outletIPv6, six
	}
	if found {
		return outletBlackhole, target
	}
	for _, r := range routes {
		if !r.Blackhole && r.Target != targetLocal && !strings.HasPrefix(r.Target, "vpce-") && (v.primary.IPv6 || !r.six()) {
			return outletSome, r.Target
		}
	}
	return outletNone, ""
}

// OverNAT reports whether the route leads to a NAT gateway.
func (r *Route) OverNAT() bool { return strings.HasPrefix(r.Target, natPrefix) }

// six reports whether the route is for IPv6. One by a prefix list may be for
// either.
func (r *Route) six() bool {
	p, ok := parsePrefix(r.Destination)
	return ok && !p.Addr().Is4()
}

// defaultRoute is the target for all addresses of a family. Several routes may
// cover them together; then it is that of the widest.
func defaultRoute(routes []Route, everywhere netip.Prefix) (target string, alive, found bool) {
	var live []netip.Prefix
	var widest string
	bits := everywhere.Addr().BitLen() + 1
	for _, r := range routes {
		p, ok := parsePrefix(r.Destination)
		switch {
		case !ok || p.Addr().Is4() != everywhere.Addr().Is4() || r.Target == targetLocal:
		case p == everywhere && !r.Blackhole:
			return r.Target, true, true
		case p == everywhere:
			target, found = r.Target, true
		case !r.Blackhole:
			live = append(live, p)
			if p.Bits() < bits {
				widest, bits = r.Target, p.Bits()
			}
		}
	}
	if covered(everywhere, live) == all {
		return widest, true, true
	}
	return target, false, found
}

// through is what a default route to the target makes of the node.
func (v *view) through(target string) outlet {
	switch prefix, _, _ := strings.Cut(target, "-"); prefix {
	case "nat":
		return v.overNAT(target)
	case "igw":
		if v.primary.Public {
			return outletOpen
		}
		return outletPrivate
	default:
		return outletBeyond
	}
}

// overNAT is what a NAT gateway makes of the node: it sends on by the routes of its
// own subnet. One that is not in sight counts as open, as in a VPC that another
// account shares.
func (v *view) overNAT(id string) outlet {
	gateways, _ := v.network.NATGateways.Get()
	gateway, seen := gateways[id]
	if !seen {
		return outletOpen
	}
	if !strings.EqualFold(gateway.State, natAvailable) {
		return outletShut
	}
	tables, _ := v.network.RouteTables.Get()
	table := tableOf(tables, gateway.Subnet)
	if table == nil {
		return outletOpen
	}
	target, alive, _ := defaultRoute(table.Routes, anyIPv4)
	switch prefix, _, _ := strings.Cut(target, "-"); {
	case !alive, prefix == "nat", prefix == "igw" && gateway.Private:
		return outletShut
	case prefix == "igw":
		return outletOpen
	default:
		return outletBeyond
	}
}

// natAvailable is State of a NAT gateway that works.
const natAvailable = "available"

// whyShut says why a NAT gateway lets nothing out.
func (v *view) whyShut(id string) string {
	gateways, _ := v.network.NATGateways.Get()
	switch gateway := gateways[id]; {
	case !strings.EqualFold(gateway.State, natAvailable):
		return "is " + gateway.State
	case gateway.Private:
		return "is private and sends nothing to the internet"
	default:
		return "is in " + gateway.Subnet + ", which has no route to an internet gateway"
	}
}
