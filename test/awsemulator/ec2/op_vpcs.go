package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/network"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

func (r *Region) describeVpcs(_ *service.Request, in *sdk.DescribeVpcsInput) (*sdk.DescribeVpcsOutput, error) {
	page, next, err := list(r, listing[network.VPC]{
		items: r.Network.State().VPCs, ids: in.VpcIds, missing: "InvalidVpcID.NotFound", noun: "vpc",
		filters: in.Filters, values: vpcValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeVpcsOutput{NextToken: next, Vpcs: make([]types.Vpc, len(page))}
	for i, v := range page {
		out.Vpcs[i] = v.Vpc
	}
	return out, nil
}

func vpcValues(name string, v *network.VPC) ([]string, bool) {
	switch name {
	case "vpc-id":
		return one(v.VpcId)
	case "cidr", "cidr-block":
		return one(v.CidrBlock)
	case "cidr-block-association.cidr-block":
		return each(v.CidrBlockAssociationSet, func(a types.VpcCidrBlockAssociation) *string { return a.CidrBlock })
	case "is-default", "isDefault":
		return flag(v.IsDefault)
	case "state":
		return one(&v.State)
	case "owner-id":
		return one(v.OwnerId)
	}
	return tagValues(name, v.Tags)
}

// describeVpcAttribute answers one attribute, as EC2 does.
func (r *Region) describeVpcAttribute(_ *service.Request, in *sdk.DescribeVpcAttributeInput) (*sdk.DescribeVpcAttributeOutput, error) {
	v, ok := r.Network.State().VPCs.Get(aws.ToString(in.VpcId))
	if !ok {
		return nil, wire.Errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", aws.ToString(in.VpcId))
	}
	out := &sdk.DescribeVpcAttributeOutput{VpcId: v.VpcId}
	switch in.Attribute {
	case types.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = &types.AttributeBooleanValue{Value: aws.Bool(v.DNSSupport)}
	case types.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = &types.AttributeBooleanValue{Value: aws.Bool(v.DNSHostnames)}
	case types.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &types.AttributeBooleanValue{Value: aws.Bool(false)}
	default:
		return nil, wire.Errorf(400, "InvalidParameterValue", "Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

func (r *Region) describeSubnets(_ *service.Request, in *sdk.DescribeSubnetsInput) (*sdk.DescribeSubnetsOutput, error) {
	page, next, err := list(r, listing[types.Subnet]{
		items: r.Network.State().Subnets, ids: in.SubnetIds, missing: "InvalidSubnetID.NotFound", noun: "subnet",
		filters: in.Filters, values: subnetValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeSubnetsOutput{NextToken: next, Subnets: page}, nil
}

func subnetValues(name string, s *types.Subnet) ([]string, bool) {
	switch name {
	case "subnet-id":
		return one(s.SubnetId)
	case "subnet-arn":
		return one(s.SubnetArn)
	case "vpc-id":
		return one(s.VpcId)
	case "cidr-block", "cidr", "cidrBlock":
		return one(s.CidrBlock)
	case "availability-zone", "availabilityZone":
		return one(s.AvailabilityZone)
	case "map-public-ip-on-launch":
		return flag(s.MapPublicIpOnLaunch)
	case "default-for-az", "defaultForAz":
		return flag(s.DefaultForAz)
	case "state":
		return one(&s.State)
	case "owner-id":
		return one(s.OwnerId)
	}
	return tagValues(name, s.Tags)
}
