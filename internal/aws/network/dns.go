package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// VPCDNS reads both DNS attributes of a VPC. Two calls.
func (r Region) VPCDNS(ctx context.Context, vpc string) (support, hostnames bool, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return false, false, err
	}
	read := func(attribute ec2types.VpcAttributeName) (*ec2.DescribeVpcAttributeOutput, error) {
		out, err := client.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: attribute})
		return out, r.account.Explain(err, "reading the DNS attributes of %s", vpc)
	}
	first, err := read(ec2types.VpcAttributeNameEnableDnsSupport)
	if err != nil {
		return false, false, err
	}
	second, err := read(ec2types.VpcAttributeNameEnableDnsHostnames)
	if err != nil {
		return false, false, err
	}
	return on(first.EnableDnsSupport), on(second.EnableDnsHostnames), nil
}

func on(value *ec2types.AttributeBooleanValue) bool { return value != nil && aws.ToBool(value.Value) }
