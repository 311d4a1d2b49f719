package reach_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

// overNAT has a NAT gateway in a subnet whose default route leads to a target, and
// the node's own to the gateway.
func overNAT(g reach.NATGateway, target string) func(*reach.Facts) {
	return together(noSSM, routed(nat), onNetwork(func(n *reach.Network) {
		g.Subnet = "subnet-public"
		n.NATGateways = reach.Is(map[string]reach.NATGateway{"nat-1": g})
		tables, _ := n.RouteTables.Get()
		table := reach.RouteTable{ID: "rtb-public", Subnets: []string{g.Subnet}}
		if target != "" {
			table.Routes = []reach.Route{{Destination: "0.0.0.0/0", Target: target}}
		}
		n.RouteTables = reach.Is(append(slices.Clone(tables), table))
	}))
}

func TestANATGatewayIsSeenThrough(t *testing.T) {
	available := reach.NATGateway{State: "available"}
	for name, c := range map[string]struct {
		gateway reach.NATGateway
		target  string
		result  reach.Result
		reason  reach.Reason
		says    string
	}{
		"to the internet":      {available, "igw-1", reach.Pass, reach.InOrder, ""},
		"over a firewall":      {available, "vpce-1", reach.Warn, reach.RouteOutOfSight, "nat-1"},
		"in a private subnet":  {available, "", reach.Fail, reach.NATGatewayShut, "nat-1, which is in subnet-public, which has no route"},
		"behind another one":   {available, "nat-2", reach.Fail, reach.NATGatewayShut, "subnet-public"},
		"failed":               {reach.NATGateway{State: "failed"}, "igw-1", reach.Fail, reach.NATGatewayShut, "nat-1, which is failed"},
		"private":              {reach.NATGateway{State: "available", Private: true}, "igw-1", reach.Fail, reach.NATGatewayShut, "is private"},
		"private, to networks": {reach.NATGateway{State: "available", Private: true}, "tgw-1", reach.Warn, reach.RouteOutOfSight, "nat-1"},
	} {
		t.Run(name, func(t *testing.T) {
			c2, _ := find(reach.Judge(changed(stack(), overNAT(c.gateway, c.target))), reach.CheckRoute)
			if c2.Result != c.result || c2.Reason != c.reason || !strings.Contains(c2.Message, c.says) {
				t.Errorf("%+v", c2)
			}
		})
	}
}

func TestANATGatewayThatIsNotInSightIsOpen(t *testing.T) {
	f := changed(stack(), noSSM, routed(nat), onNetwork(func(n *reach.Network) {
		n.NATGateways = reach.Is(map[string]reach.NATGateway{"nat-2": {State: "failed"}})
	}))
	if c, _ := find(reach.Judge(f), reach.CheckRoute); c.Result != reach.Pass {
		t.Errorf("%+v", c)
	}
}

func TestANATGatewayThatMayNotBeReadHidesNothingElse(t *testing.T) {
	f := changed(stack(), noSSM, routed(nat), onNetwork(func(n *reach.Network) {
		n.NATGateways = reach.Denied[map[string]reach.NATGateway]("ec2:DescribeNatGateways")
	}), rules("sg-node"))
	checks := reach.Judge(f)
	if c, _ := find(checks, reach.CheckRoute); c.Result != reach.NotChecked || !slices.Equal(c.Missing, []string{"ec2:DescribeNatGateways"}) {
		t.Errorf("%+v", c)
	}
	if c, _ := find(checks, reach.CheckSecurityGroupEgress); c.Reason != reach.EgressBlocked {
		t.Errorf("%+v", c)
	}
}
