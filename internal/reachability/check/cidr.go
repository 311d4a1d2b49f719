package check

import (
	"net/netip"
	"slices"
)

var (
	anyIPv4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	anyIPv6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// parsePrefix reads a range of addresses, or a single address.
func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), !p.Addr().Is4In6()
	}
	if a, err := netip.ParseAddr(s); err == nil && !a.Is4In6() && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

// inside reports whether all of p is in q.
func inside(p, q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }

// halves of a range that is no single address.
func halves(p netip.Prefix) (low, high netip.Prefix) {
	low = netip.PrefixFrom(p.Addr(), p.Bits()+1)
	bytes := p.Addr().AsSlice()
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	addr, _ := netip.AddrFromSlice(bytes)
	return low, netip.PrefixFrom(addr, p.Bits()+1)
}

// extent is how much of something holds.
type extent int

const (
	none extent = iota
	some
	all
)

// both combines the extents of two parts.
func both(a, b extent) extent {
	if a == b {
		return a
	}
	return some
}

// covered is how much of p the ranges cover together.
func covered(p netip.Prefix, ranges []netip.Prefix) extent {
	if slices.ContainsFunc(ranges, func(q netip.Prefix) bool { return inside(p, q) }) {
		return all
	}
	within := slices.DeleteFunc(slices.Clone(ranges), func(q netip.Prefix) bool { return !inside(q, p) })
	if len(within) == 0 {
		return none
	}
	low, high := halves(p)
	return both(covered(low, within), covered(high, within))
}
