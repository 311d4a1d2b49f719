package ec2

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (r *Region) describeSecurityGroupRules(_ *service.Request, in *sdk.DescribeSecurityGroupRulesInput) (*sdk.DescribeSecurityGroupRulesOutput, error) {
	page, next, err := list(r, listing[types.SecurityGroupRule]{
		items: r.Network.State().Rules, ids: in.SecurityGroupRuleIds, missing: "InvalidSecurityGroupRuleId.NotFound", noun: "security group rule",
		filters: in.Filters, values: ruleValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeSecurityGroupRulesOutput{NextToken: next, SecurityGroupRules: page}, nil
}

func ruleValues(name string, x *types.SecurityGroupRule) ([]string, bool) {
	switch name {
	case "group-id":
		return one(x.GroupId)
	case "security-group-rule-id":
		return one(x.SecurityGroupRuleId)
	}
	return tagValues(name, x.Tags)
}

func (r *Region) describeSecurityGroups(_ *service.Request, in *sdk.DescribeSecurityGroupsInput) (*sdk.DescribeSecurityGroupsOutput, error) {
	state := r.Network.State()
	filters := in.Filters
	if len(in.GroupNames) > 0 {
		filters = append([]types.Filter{{Name: aws.String("group-name"), Values: in.GroupNames}}, filters...)
	}
	page, next, err := list(r, listing[types.SecurityGroup]{
		items: state.Groups, ids: in.GroupIds, missing: "InvalidGroup.NotFound", noun: "security group",
		filters: filters, values: groupValues, token: in.NextToken, max: in.MaxResults, low: 5, high: 1000,
	})
	if err != nil {
		return nil, err
	}
	for i := range page {
		page[i].IpPermissions, page[i].IpPermissionsEgress = []types.IpPermission{}, []types.IpPermission{}
		for x := range state.Rules.Values() {
			switch {
			case aws.ToString(x.GroupId) != aws.ToString(page[i].GroupId):
			case aws.ToBool(x.IsEgress):
				page[i].IpPermissionsEgress = addPermission(page[i].IpPermissionsEgress, x)
			default:
				page[i].IpPermissions = addPermission(page[i].IpPermissions, x)
			}
		}
	}
	return &sdk.DescribeSecurityGroupsOutput{NextToken: next, SecurityGroups: page}, nil
}

func groupValues(name string, g *types.SecurityGroup) ([]string, bool) {
	switch name {
	case "group-id":
		return one(g.GroupId)
	case "group-name":
		return one(g.GroupName)
	case "vpc-id":
		return one(g.VpcId)
	case "description":
		return one(g.Description)
	case "owner-id":
		return one(g.OwnerId)
	}
	return tagValues(name, g.Tags)
}

// addPermission puts a rule into the older form, in which the rules of one
// protocol and range of ports are one permission.
func addPermission(list []types.IpPermission, x *types.SecurityGroupRule) []types.IpPermission {
	i := 0
	for i < len(list) && ports(list[i].IpProtocol, list[i].FromPort, list[i].ToPort) != ports(x.IpProtocol, x.FromPort, x.ToPort) {
		i++
	}
	if i == len(list) {
		list = append(list, types.IpPermission{
			IpProtocol: x.IpProtocol, FromPort: x.FromPort, ToPort: x.ToPort,
			IpRanges: []types.IpRange{}, Ipv6Ranges: []types.Ipv6Range{}, PrefixListIds: []types.PrefixListId{}, UserIdGroupPairs: []types.UserIdGroupPair{},
		})
		if aws.ToString(x.IpProtocol) == "-1" {
			list[i].FromPort, list[i].ToPort = nil, nil
		}
	}
	p := &list[i]
	switch {
	case x.CidrIpv4 != nil:
		p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: x.CidrIpv4, Description: x.Description})
	case x.CidrIpv6 != nil:
		p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: x.CidrIpv6, Description: x.Description})
	case x.PrefixListId != nil:
		p.PrefixListIds = append(p.PrefixListIds, types.PrefixListId{PrefixListId: x.PrefixListId, Description: x.Description})
	case x.ReferencedGroupInfo != nil:
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, types.UserIdGroupPair{
			GroupId: x.ReferencedGroupInfo.GroupId, UserId: x.ReferencedGroupInfo.UserId, Description: x.Description,
		})
	}
	return list
}

// ports names a protocol and a range of ports; all protocols have none.
func ports(protocol *string, from, to *int32) string {
	if aws.ToString(protocol) == "-1" {
		return "-1"
	}
	return fmt.Sprint(aws.ToString(protocol), " ", aws.ToInt32(from), " ", aws.ToInt32(to))
}
