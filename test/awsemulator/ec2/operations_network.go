package ec2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// networkOperations describe VPCs and what is in them.
func networkOperations(of func(*service.Request) *Region) []service.Operation {
	return []service.Operation{
		read(of, "DescribeInternetGateways", (*Region).describeInternetGateways),
		read(of, "DescribeNatGateways", (*Region).describeNatGateways),
		read(of, "DescribeNetworkAcls", (*Region).describeNetworkAcls),
		read(of, "DescribeRouteTables", (*Region).describeRouteTables),
		read(of, "DescribeSecurityGroupRules", (*Region).describeSecurityGroupRules),
		read(of, "DescribeSecurityGroups", (*Region).describeSecurityGroups),
		read(of, "DescribeSubnets", (*Region).describeSubnets),
		read(of, "DescribeVpcEndpoints", (*Region).describeVpcEndpoints),
		read(of, "DescribeVpcs", (*Region).describeVpcs),
		service.Define(of, "GetManagedPrefixListEntries", service.Read, func(r *Region, _ *service.Request, in *sdk.GetManagedPrefixListEntriesInput) []service.Check {
			return []service.Check{{Action: "ec2:GetManagedPrefixListEntries", Resource: r.ARN("ec2", "prefix-list/"+aws.ToString(in.PrefixListId))}}
		}, (*Region).getManagedPrefixListEntries).Require("PrefixListId"),
		service.Define(of, "DescribeVpcAttribute", service.Read, func(r *Region, _ *service.Request, in *sdk.DescribeVpcAttributeInput) []service.Check {
			return anything("DescribeVpcAttribute")
		}, (*Region).describeVpcAttribute).Require("VpcId", "Attribute"),
	}
}

// read makes a read operation that takes no resource.
func read[I, O any](of func(*service.Request) *Region, name string, call func(*Region, *service.Request, *I) (*O, error)) service.Operation {
	return service.Define(of, name, service.Read, func(*Region, *service.Request, *I) []service.Check { return anything(name) }, call)
}
