package network

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// Subnets reads the subnets of VPCs, by VPC and by id. One call for 200 VPCs,
// and for 1,000 subnets.
func (r Region) Subnets(ctx context.Context, vpcs []string) (map[string]map[string]check.Subnet, error) {
	found := map[string]map[string]check.Subnet{}
	err := r.byFilter(ctx, "vpc-id", vpcs, "subnets", func(client *ec2.Client, filters []ec2types.Filter) error {
		pages := ec2.NewDescribeSubnetsPaginator(client, &ec2.DescribeSubnetsInput{Filters: filters, MaxResults: aws.Int32(networkPage)})
		return eachPage(ctx, pages, func(page *ec2.DescribeSubnetsOutput) {
			for i := range page.Subnets {
				s := &page.Subnets[i]
				vpc := aws.ToString(s.VpcId)
				if found[vpc] == nil {
					found[vpc] = map[string]check.Subnet{}
				}
				found[vpc][aws.ToString(s.SubnetId)] = subnetOf(s)
			}
		})
	})
	return found, err
}

func subnetOf(s *ec2types.Subnet) check.Subnet {
	out := check.Subnet{Zone: aws.ToString(s.AvailabilityZone), OwnerID: aws.ToString(s.OwnerId)}
	if cidr := aws.ToString(s.CidrBlock); cidr != "" {
		out.CIDRs = append(out.CIDRs, cidr)
	}
	for _, v6 := range s.Ipv6CidrBlockAssociationSet {
		out.CIDRs = append(out.CIDRs, aws.ToString(v6.Ipv6CidrBlock))
	}
	return out
}
