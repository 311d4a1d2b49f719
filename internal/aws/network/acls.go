package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// NetworkACLs reads the network ACLs of VPCs, by VPC. One call for 200 VPCs,
// and for 1,000 ACLs.
func (r Region) NetworkACLs(ctx context.Context, vpcs []string) (map[string][]check.NetworkACL, error) {
	found := map[string][]check.NetworkACL{}
	err := r.byFilter(ctx, "vpc-id", vpcs, "network ACLs", func(client *ec2.Client, filters []ec2types.Filter) error {
		pages := ec2.NewDescribeNetworkAclsPaginator(client, &ec2.DescribeNetworkAclsInput{Filters: filters, MaxResults: aws.Int32(networkPage)})
		return eachPage(ctx, pages, func(page *ec2.DescribeNetworkAclsOutput) {
			for i := range page.NetworkAcls {
				acl := &page.NetworkAcls[i]
				vpc := aws.ToString(acl.VpcId)
				found[vpc] = append(found[vpc], aclOf(acl))
			}
		})
	})
	return found, err
}

func aclOf(acl *ec2types.NetworkAcl) check.NetworkACL {
	out := check.NetworkACL{ID: aws.ToString(acl.NetworkAclId)}
	for _, a := range acl.Associations {
		out.Subnets = append(out.Subnets, aws.ToString(a.SubnetId))
	}
	for _, e := range acl.Entries {
		entry := check.ACLEntry{
			Number: aws.ToInt32(e.RuleNumber), Egress: aws.ToBool(e.Egress), Allow: e.RuleAction == ec2types.RuleActionAllow,
			Protocol: aws.ToString(e.Protocol), FromPort: -1, ToPort: -1, CIDR: aws.ToString(e.CidrBlock),
		}
		if e.PortRange != nil {
			entry.FromPort, entry.ToPort = aws.ToInt32(e.PortRange.From), aws.ToInt32(e.PortRange.To)
		}
		if entry.CIDR == "" {
			entry.CIDR = aws.ToString(e.Ipv6CidrBlock)
		}
		out.Entries = append(out.Entries, entry)
	}
	return out
}
