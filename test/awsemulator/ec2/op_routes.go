package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (r *Region) describeRouteTables(_ *service.Request, in *sdk.DescribeRouteTablesInput) (*sdk.DescribeRouteTablesOutput, error) {
	page, next, err := list(r, listing[types.RouteTable]{
		items: r.Network.State().RouteTables, ids: in.RouteTableIds, missing: "InvalidRouteTableID.NotFound", noun: "routeTable",
		filters: in.Filters, values: routeTableValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 100,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeRouteTablesOutput{NextToken: next, RouteTables: page}, nil
}

func routeTableValues(name string, t *types.RouteTable) ([]string, bool) {
	association := func(member func(types.RouteTableAssociation) *string) ([]string, bool) {
		return each(t.Associations, member)
	}
	route := func(member func(types.Route) *string) ([]string, bool) { return each(t.Routes, member) }
	switch name {
	case "route-table-id":
		return one(t.RouteTableId)
	case "vpc-id":
		return one(t.VpcId)
	case "owner-id":
		return one(t.OwnerId)
	case "association.main":
		return mainValues(t), true
	case "association.subnet-id":
		return association(func(a types.RouteTableAssociation) *string { return a.SubnetId })
	case "association.route-table-id":
		return association(func(a types.RouteTableAssociation) *string { return a.RouteTableId })
	case "association.route-table-association-id":
		return association(func(a types.RouteTableAssociation) *string { return a.RouteTableAssociationId })
	case "route.destination-cidr-block":
		return route(func(x types.Route) *string { return x.DestinationCidrBlock })
	case "route.destination-ipv6-cidr-block":
		return route(func(x types.Route) *string { return x.DestinationIpv6CidrBlock })
	case "route.destination-prefix-list-id":
		return route(func(x types.Route) *string { return x.DestinationPrefixListId })
	case "route.gateway-id":
		return route(func(x types.Route) *string { return x.GatewayId })
	case "route.nat-gateway-id":
		return route(func(x types.Route) *string { return x.NatGatewayId })
	case "route.transit-gateway-id":
		return route(func(x types.Route) *string { return x.TransitGatewayId })
	case "route.vpc-peering-connection-id":
		return route(func(x types.Route) *string { return x.VpcPeeringConnectionId })
	case "route.state":
		return each(t.Routes, func(x types.Route) *types.RouteState { return &x.State })
	}
	return tagValues(name, t.Tags)
}

func mainValues(t *types.RouteTable) []string {
	var values []string
	for _, a := range t.Associations {
		value, _ := flag(a.Main)
		values = append(values, value...)
	}
	return values
}

func (r *Region) describeNatGateways(_ *service.Request, in *sdk.DescribeNatGatewaysInput) (*sdk.DescribeNatGatewaysOutput, error) {
	page, next, err := list(r, listing[types.NatGateway]{
		items: r.Network.State().NATGateways, ids: in.NatGatewayIds, missing: "NatGatewayNotFound", noun: "NatGateway",
		filters: in.Filter, values: natValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeNatGatewaysOutput{NextToken: next, NatGateways: page}, nil
}

func natValues(name string, g *types.NatGateway) ([]string, bool) {
	switch name {
	case "nat-gateway-id":
		return one(g.NatGatewayId)
	case "vpc-id":
		return one(g.VpcId)
	case "subnet-id":
		return one(g.SubnetId)
	case "state":
		return one(&g.State)
	}
	return tagValues(name, g.Tags)
}

func (r *Region) describeInternetGateways(_ *service.Request, in *sdk.DescribeInternetGatewaysInput) (*sdk.DescribeInternetGatewaysOutput, error) {
	page, next, err := list(r, listing[types.InternetGateway]{
		items: r.Network.State().InternetGateways, ids: in.InternetGatewayIds, missing: "InvalidInternetGatewayID.NotFound", noun: "internetGateway",
		filters: in.Filters, values: internetGatewayValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeInternetGatewaysOutput{NextToken: next, InternetGateways: page}, nil
}

func internetGatewayValues(name string, g *types.InternetGateway) ([]string, bool) {
	switch name {
	case "internet-gateway-id":
		return one(g.InternetGatewayId)
	case "attachment.vpc-id":
		return each(g.Attachments, func(a types.InternetGatewayAttachment) *string { return a.VpcId })
	case "attachment.state":
		return each(g.Attachments, func(a types.InternetGatewayAttachment) *string { return aws.String(string(a.State)) })
	case "owner-id":
		return one(g.OwnerId)
	}
	return tagValues(name, g.Tags)
}
