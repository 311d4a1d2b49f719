package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// overNAT has a NAT gateway in a subnet whose default route leads to a target, and
// the node's own to the gateway.
func overNAT(g check.NATGateway, target string) func(*check.Facts) {
	return together(noSSM, routed(nat), onNetwork(func(n *check.Network) {
		g.Subnet = "subnet-public"
		n.NATGateways = check.Is(map[string]check.NATGateway{"nat-1": g})
		tables, _ := n.RouteTables.Get()
		table := check.RouteTable{ID: "rtb-public", Subnets: []string{g.Subnet}}
		if target != "" {
			table.Routes = []check.Route{{Destination: "0.0.0.0/0", Target: target}}
		}
		n.RouteTables = check.Is(append(slices.Clone(tables), table))
	}))
}

func TestANATGatewayIsSeenThrough(t *testing.T) {
	available := check.NATGateway{State: "available"}
	for name, c := range map[string]struct {
		gateway check.NATGateway
		target  string
		result  check.Result
		reason  check.Reason
		says    string
	}{
		"to the internet":      {available, "igw-1", check.Pass, check.InOrder, ""},
		"over a firewall":      {available, "vpce-1", check.Warn, check.RouteOutOfSight, "nat-1"},
		"in a private subnet":  {available, "", check.Fail, check.NATGatewayShut, "nat-1, which is in subnet-public, which has no route"},
		"behind another one":   {available, "nat-2", check.Fail, check.NATGatewayShut, "subnet-public"},
		"failed":               {check.NATGateway{State: "failed"}, "igw-1", check.Fail, check.NATGatewayShut, "nat-1, which is failed"},
		"private":              {check.NATGateway{State: "available", Private: true}, "igw-1", check.Fail, check.NATGatewayShut, "is private"},
		"private, to networks": {check.NATGateway{State: "available", Private: true}, "tgw-1", check.Warn, check.RouteOutOfSight, "nat-1"},
	} {
		t.Run(name, func(t *testing.T) {
			c2, _ := find(check.Judge(changed(stack(), overNAT(c.gateway, c.target))), check.CheckRoute)
			if c2.Result != c.result || c2.Reason != c.reason || !strings.Contains(c2.Message, c.says) {
				t.Errorf("%+v", c2)
			}
		})
	}
}

func TestANATGatewayThatIsNotInSightIsOpen(t *testing.T) {
	f := changed(stack(), noSSM, routed(nat), onNetwork(func(n *check.Network) {
		n.NATGateways = check.Is(map[string]check.NATGateway{"nat-2": {State: "failed"}})
	}))
	if c, _ := find(check.Judge(f), check.CheckRoute); c.Result != check.Pass {
		t.Errorf("%+v", c)
	}
}

func TestANATGatewayThatMayNotBeReadHidesNothingElse(t *testing.T) {
	f := changed(stack(), noSSM, routed(nat), onNetwork(func(n *check.Network) {
		n.NATGateways = check.Denied[map[string]check.NATGateway]("ec2:DescribeNatGateways")
	}), rules("sg-node"))
	checks := check.Judge(f)
	if c, _ := find(checks, check.CheckRoute); c.Result != check.NotChecked || !slices.Equal(c.Missing, []string{"ec2:DescribeNatGateways"}) {
		t.Errorf("%+v", c)
	}
	if c, _ := find(checks, check.CheckSecurityGroupEgress); c.Reason != check.EgressBlocked {
		t.Errorf("%+v", c)
	}
}
