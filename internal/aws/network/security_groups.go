package network

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// SecurityGroupRules reads the rules of security groups, by group: a group
// without a rule has an empty list. One call for 200 groups, and for 1,000 rules.
func (r Region) SecurityGroupRules(ctx context.Context, groups []string) (map[string][]check.Rule, error) {
	found := map[string][]check.Rule{}
	for _, group := range groups {
		found[group] = nil
	}
	err := r.byFilter(ctx, "group-id", groups, "security group rules", func(client *ec2.Client, filters []ec2types.Filter) error {
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
