package network

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
)

func (n *Network) loadRouteTables(s *State, f fixtures.Network) error {
	for _, t := range f.RouteTables {
		if err := need(s.VPCs, t.VPC, "route table "+t.ID); err != nil {
			return err
		}
		if err := needAll(s.Subnets, t.Subnets, "route table "+t.ID); err != nil {
			return err
		}
		vpc, _ := s.VPCs.Get(t.VPC)
		table := n.routeTable(t.ID, vpc, tags(t.Name, nil))
		if t.Main {
			table.Associations = append(table.Associations, TableAssociation(t.ID, "", true))
		}
		for _, subnet := range t.Subnets {
			table.Associations = append(table.Associations, TableAssociation(t.ID, subnet, false))
		}
		for _, r := range t.Routes {
			route, err := NewRoute(r)
			if err != nil {
				return fmt.Errorf("route table %s: %w", t.ID, err)
			}
			table.Routes = append(table.Routes, route)
		}
		s.RouteTables = s.RouteTables.With(t.ID, table)
	}
	return nil
}

// routeTable is a table with the route to its own VPC.
func (n *Network) routeTable(id string, vpc *VPC, tags []types.Tag) *types.RouteTable {
	return &types.RouteTable{
		RouteTableId: aws.String(id), VpcId: vpc.VpcId, OwnerId: aws.String(n.AccountID), Tags: tags,
		Associations: []types.RouteTableAssociation{}, PropagatingVgws: []types.PropagatingVgw{},
		Routes: []types.Route{{
			DestinationCidrBlock: vpc.CidrBlock, GatewayId: aws.String("local"), Origin: types.RouteOriginCreateRouteTable, State: types.RouteStateActive,
		}},
	}
}

// completeRouteTables gives a main table to each VPC that has none.
func (n *Network) completeRouteTables(s *State) {
	has := map[string]bool{}
	for t := range s.RouteTables.Values() {
		for _, a := range t.Associations {
			if aws.ToBool(a.Main) {
				has[aws.ToString(t.VpcId)] = true
			}
		}
	}
	for name, vpc := range s.VPCs.After("") {
		if has[name] {
			continue
		}
		table := n.routeTable(id("rtb-", name), vpc, tags("", nil))
		table.Associations = append(table.Associations, TableAssociation(*table.RouteTableId, "", true))
		s.RouteTables = s.RouteTables.With(*table.RouteTableId, table)
	}
}

// TableAssociation ties a route table to a subnet, or, as the main one, to
// all subnets that have none of their own.
func TableAssociation(table, subnet string, main bool) types.RouteTableAssociation {
	a := types.RouteTableAssociation{
		RouteTableId: aws.String(table), RouteTableAssociationId: aws.String(id("rtbassoc-", table, subnet)), Main: aws.Bool(main),
		AssociationState: &types.RouteTableAssociationState{State: types.RouteTableAssociationStateCodeAssociated},
	}
	if subnet != "" {
		a.SubnetId = aws.String(subnet)
	}
	return a
}

// NewRoute makes a route of its form in a fixture.
func NewRoute(f fixtures.Route) (types.Route, error) {
	r := types.Route{State: types.RouteStateActive, Origin: types.RouteOriginCreateRoute}
	if f.Blackhole {
		r.State = types.RouteStateBlackhole
	}
	switch {
	case strings.HasPrefix(f.Destination, "pl-"):
		r.DestinationPrefixListId = aws.String(f.Destination)
	case strings.Contains(f.Destination, ":"):
		r.DestinationIpv6CidrBlock = aws.String(f.Destination)
	default:
		r.DestinationCidrBlock = aws.String(f.Destination)
	}
	kind, _, _ := strings.Cut(f.Target, "-")
	switch target := aws.String(f.Target); kind {
	case "igw", "vgw", "vpce":
		r.GatewayId = target
	case "nat":
		r.NatGatewayId = target
	case "tgw":
		r.TransitGatewayId = target
	case "eni":
		r.NetworkInterfaceId = target
	case "pcx":
		r.VpcPeeringConnectionId = target
	case "eigw":
		r.EgressOnlyInternetGatewayId = target
	default:
		return r, fmt.Errorf("the target %q of a route is of no kind that is known", f.Target)
	}
	return r, nil
}
