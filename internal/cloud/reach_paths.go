package cloud

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// RouteTables reads the route tables of VPCs, by VPC. One call for 200 VPCs, and
// for 100 tables.
func (a *Account) RouteTables(ctx context.Context, region string, vpcs []string) (map[string][]check.RouteTable, error) {
	found := map[string][]check.RouteTable{}
	err := a.byFilter(ctx, region, "vpc-id", vpcs, "route tables", func(client *ec2.Client, filters []ec2types.Filter) error {
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
func (a *Account) NATGateways(ctx context.Context, region string) (map[string]check.NATGateway, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	gateways := map[string]check.NATGateway{}
	pages := ec2.NewDescribeNatGatewaysPaginator(clients.ec2In(region), &ec2.DescribeNatGatewaysInput{MaxResults: aws.Int32(networkPage)})
	err = eachPage(ctx, pages, func(page *ec2.DescribeNatGatewaysOutput) {
		for i := range page.NatGateways {
			g := &page.NatGateways[i]
			gateways[aws.ToString(g.NatGatewayId)] = check.NATGateway{
				State: string(g.State), Private: g.ConnectivityType == ec2types.ConnectivityTypePrivate, Subnet: aws.ToString(g.SubnetId),
			}
		}
	})
	return gateways, a.explain(err, "reading NAT gateways in %s", region)
}

// SecurityGroupRules reads the rules of security groups, by group: a group
// without a rule has an empty list. One call for 200 groups, and for 1,000 rules.
func (a *Account) SecurityGroupRules(ctx context.Context, region string, groups []string) (map[string][]check.Rule, error) {
	found := map[string][]check.Rule{}
	for _, group := range groups {
		found[group] = nil
	}
	err := a.byFilter(ctx, region, "group-id", groups, "security group rules", func(client *ec2.Client, filters []ec2types.Filter) error {
		pages := ec2.NewDescribeSecurityGroupRulesPaginator(client, &ec2.DescribeSecurityGroupRulesInput{Filters: filters, MaxResults: aws.Int32(networkPage)})
		return eachPage(ctx, pages, func(page *ec2.DescribeSecurityGroupRulesOutput) {
			for i := range page.SecurityGroupRules {
				r := &page.SecurityGroupRules[i]
				group := aws.ToString(r.GroupId)
				found[group] = append(found[group], ruleOf(r))
			}
		})
	})
	return found, err
}

func ruleOf(r *ec2types.SecurityGroupRule) check.Rule {
	out := check.Rule{
		Egress: aws.ToBool(r.IsEgress), Protocol: aws.ToString(r.IpProtocol), FromPort: -1, ToPort: -1,
		CIDR: cmp.Or(aws.ToString(r.CidrIpv4), aws.ToString(r.CidrIpv6)), PrefixList: aws.ToString(r.PrefixListId),
	}
	if r.FromPort != nil {
		out.FromPort = *r.FromPort
	}
	if r.ToPort != nil {
		out.ToPort = *r.ToPort
	}
	if r.ReferencedGroupInfo != nil {
		out.Group = aws.ToString(r.ReferencedGroupInfo.GroupId)
	}
	return out
}

// VPCEndpoints reads the endpoints of all VPCs of a region. One call for 1,000.
func (a *Account) VPCEndpoints(ctx context.Context, region string) ([]check.Endpoint, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	endpoints := []check.Endpoint{}
	pages := ec2.NewDescribeVpcEndpointsPaginator(clients.ec2In(region), &ec2.DescribeVpcEndpointsInput{MaxResults: aws.Int32(networkPage)})
	err = eachPage(ctx, pages, func(page *ec2.DescribeVpcEndpointsOutput) {
		for i := range page.VpcEndpoints {
			endpoints = append(endpoints, endpointOf(&page.VpcEndpoints[i]))
		}
	})
	return endpoints, a.explain(err, "reading VPC endpoints in %s", region)
}

func endpointOf(e *ec2types.VpcEndpoint) check.Endpoint {
	out := check.Endpoint{
		ID: aws.ToString(e.VpcEndpointId), VPC: aws.ToString(e.VpcId), Service: aws.ToString(e.ServiceName),
		Type: string(e.VpcEndpointType), State: string(e.State), Subnets: e.SubnetIds, RouteTables: e.RouteTableIds,
		PrivateDNS: aws.ToBool(e.PrivateDnsEnabled), Policy: aws.ToString(e.PolicyDocument),
	}
	if e.DnsOptions != nil {
		out.InboundResolversOnly = aws.ToBool(e.DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint)
	}
	for _, group := range e.Groups {
		out.Groups = append(out.Groups, aws.ToString(group.GroupId))
	}
	return out
}
