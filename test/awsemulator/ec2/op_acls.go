package ec2

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (r *Region) describeNetworkAcls(_ *service.Request, in *sdk.DescribeNetworkAclsInput) (*sdk.DescribeNetworkAclsOutput, error) {
	page, next, err := list(r, listing[types.NetworkAcl]{
		items: r.Network.State().ACLs, ids: in.NetworkAclIds, missing: "InvalidNetworkAclID.NotFound", noun: "networkAcl",
		filters: in.Filters, values: aclValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeNetworkAclsOutput{NextToken: next, NetworkAcls: page}, nil
}

func aclValues(name string, a *types.NetworkAcl) ([]string, bool) {
	switch name {
	case "network-acl-id":
		return one(a.NetworkAclId)
	case "vpc-id":
		return one(a.VpcId)
	case "owner-id":
		return one(a.OwnerId)
	case "default":
		return flag(a.IsDefault)
	case "association.subnet-id":
		return each(a.Associations, func(x types.NetworkAclAssociation) *string { return x.SubnetId })
	case "association.network-acl-id":
		return each(a.Associations, func(x types.NetworkAclAssociation) *string { return x.NetworkAclId })
	case "association.association-id":
		return each(a.Associations, func(x types.NetworkAclAssociation) *string { return x.NetworkAclAssociationId })
	case "entry.cidr":
		return each(a.Entries, func(x types.NetworkAclEntry) *string { return x.CidrBlock })
	case "entry.protocol":
		return each(a.Entries, func(x types.NetworkAclEntry) *string { return x.Protocol })
	case "entry.rule-action":
		return each(a.Entries, func(x types.NetworkAclEntry) *types.RuleAction { return &x.RuleAction })
	case "entry.rule-number":
		return each(a.Entries, func(x types.NetworkAclEntry) *string {
			return aws.String(strconv.Itoa(int(aws.ToInt32(x.RuleNumber))))
		})
	}
	return tagValues(name, a.Tags)
}
