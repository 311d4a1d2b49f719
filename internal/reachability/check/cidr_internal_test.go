package check

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// drawPrefix is a range within 10.0.0.0/24.
func drawPrefix(t *rapid.T) netip.Prefix {
	addr := netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "last")})
	return netip.PrefixFrom(addr, rapid.IntRange(24, 32).Draw(t, "bits")).Masked()
}

func extentOf(yes, total int) extent {
	switch yes {
	case total:
		return all
	case 0:
		return none
	default:
		return some
	}
}

func TestCoverageIsThatOfEachAddress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, ranges := drawPrefix(t), rapid.SliceOfN(rapid.Custom(drawPrefix), 0, 6).Draw(t, "ranges")
		yes, total := 0, 0
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			total++
			for _, r := range ranges {
				if r.Contains(a) {
					yes++
					break
				}
			}
		}
		if got := covered(p, ranges); got != extentOf(yes, total) {
			t.Fatalf("%s by %v: got %d, want %d of %d", p, ranges, got, yes, total)
		}
	})
}

func TestAListAdmitsWhatItsFirstMatchAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) aclRule {
			from := rapid.Int32Range(0, 9).Draw(t, "from")
			return aclRule{span{from, rapid.Int32Range(from, 9).Draw(t, "to")}, drawPrefix(t), rapid.Bool().Draw(t, "allow")}
		}), 0, 6).Draw(t, "rules")
		p := drawPrefix(t)
		from := rapid.Int32Range(0, 9).Draw(t, "from")
		ports := span{from, rapid.Int32Range(from, 9).Draw(t, "to")}
		yes, total := 0, 0
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			for port := ports.from; port <= ports.to; port++ {
				total++
				for _, r := range rules {
					if r.cidr.Contains(a) && r.ports.from <= port && port <= r.ports.to {
						if r.allow {
							yes++
						}
						break
					}
				}
			}
		}
		if got := admitted(rules, p, ports); got != extentOf(yes, total) {
			t.Fatalf("%s on %v by %v: got %d, want %d of %d", p, ports, rules, got, yes, total)
		}
	})
}
