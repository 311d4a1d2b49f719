package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// RouteTables reads the route tables of VPCs, by VPC. One call for 200 VPCs, and
// for 100 tables.
func (r Region) RouteTables(ctx context.Context, vpcs []string) (map[string][]check.RouteTable, error) {
	found := map[string][]check.RouteTable{}
	err := r.byFilter(ctx, "vpc-id", vpcs, "route tables", func(client *ec2.Client, filters []ec2types.Filter) error {
		pages := ec2.NewDescribeRouteTablesPaginator(client, &ec2.DescribeRouteTablesInput{Filters: filters, MaxResults: aws.Int32(routePage)})
		return eachPage(ctx, pages, func(page *ec2.DescribeRouteTablesOutput) {
			for i := range page.RouteTables {
				table := &page.RouteTables[i]
				vpc := aws.ToString(table.VpcId)
				found[vpc] = append(found[vpc], routeTableOf(table))
			}
		})
	})
	return found, err
}

func routeTableOf(t *ec2types.RouteTable) check.RouteTable {
	out := check.RouteTable{ID: aws.ToString(t.RouteTableId)}
	for _, a := range t.Associations {
		out.Main = out.Main || aws.ToBool(a.Main)
		associated := a.AssociationState == nil || a.AssociationState.State == ec2types.RouteTableAssociationStateCodeAssociated
		if subnet := aws.ToString(a.SubnetId); subnet != "" && associated {
			out.Subnets = append(out.Subnets, subnet)
		}
	}
	for i := range t.Routes {
		out.Routes = append(out.Routes, routeOf(&t.Routes[i]))
	}
	return out
}

func routeOf(r *ec2types.Route) check.Route {
	first := func(texts ...*string) string {
		for _, text := range texts {
			if aws.ToString(text) != "" {
				return *text
			}
		}
		return ""
	}
	return check.Route{
		Destination: first(r.DestinationCidrBlock, r.DestinationIpv6CidrBlock, r.DestinationPrefixListId),
		Target: first(r.GatewayId, r.NatGatewayId, r.TransitGatewayId, r.VpcPeeringConnectionId, r.EgressOnlyInternetGatewayId,
			r.NetworkInterfaceId, r.InstanceId, r.LocalGatewayId, r.CarrierGatewayId, r.CoreNetworkArn),
		Blackhole: r.State == ec2types.RouteStateBlackhole,
	}
}

// NATGateways reads the NAT gateways of all VPCs of a region, by id. One call for
// 1,000.
func (r Region) NATGateways(ctx context.Context) (map[string]check.NATGateway, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	gateways := map[string]check.NATGateway{}
	pages := ec2.NewDescribeNatGatewaysPaginator(client, &ec2.DescribeNatGatewaysInput{MaxResults: aws.Int32(networkPage)})
	err = eachPage(ctx, pages, func(page *ec2.DescribeNatGatewaysOutput) {
		for i := range page.NatGateways {
			g := &page.NatGateways[i]
			gateways[aws.ToString(g.NatGatewayId)] = check.NATGateway{
				State: string(g.State), Private: g.ConnectivityType == ec2types.ConnectivityTypePrivate, Subnet: aws.ToString(g.SubnetId),
			}
		}
	})
	return gateways, r.account.Explain(err, "reading NAT gateways in %s", r.name)
}

// PrefixList reads the ranges in a prefix list. One call for 100.
func (r Region) PrefixList(ctx context.Context, id string) ([]string, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	ranges := []string{}
	pages := ec2.NewGetManagedPrefixListEntriesPaginator(client, &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id})
	err = eachPage(ctx, pages, func(page *ec2.GetManagedPrefixListEntriesOutput) {
		for _, e := range page.Entries {
			ranges = append(ranges, aws.ToString(e.Cidr))
		}
	})
	return ranges, r.account.Explain(err, "reading prefix list %s in %s", id, r.name)
}
