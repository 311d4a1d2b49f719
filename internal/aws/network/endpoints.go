package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// VPCEndpoints reads the endpoints of all VPCs of a region. One call for 1,000.
func (r Region) VPCEndpoints(ctx context.Context) ([]check.Endpoint, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	endpoints := []check.Endpoint{}
	pages := ec2.NewDescribeVpcEndpointsPaginator(client, &ec2.DescribeVpcEndpointsInput{MaxResults: aws.Int32(networkPage)})
	err = eachPage(ctx, pages, func(page *ec2.DescribeVpcEndpointsOutput) {
		for i := range page.VpcEndpoints {
			endpoints = append(endpoints, endpointOf(&page.VpcEndpoints[i]))
		}
	})
	return endpoints, r.account.Explain(err, "reading VPC endpoints in %s", r.name)
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
