package cloud

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

const (
	// networkPage is the most subnets, network ACLs, rules and endpoints that EC2
	// gives in one page.
	networkPage = 1000
	// routePage is the most route tables.
	routePage = 100
)

// paginator is what all paginators of the SDK for EC2 have in common.
type paginator[O any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*ec2.Options)) (O, error)
}

// eachPage reads all pages.
func eachPage[O any](ctx context.Context, pages paginator[O], take func(O)) error {
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		take(page)
	}
	return nil
}

// byFilter reads what a filter with many values matches, in as few calls as EC2
// allows.
func (a *Account) byFilter(ctx context.Context, region, name string, values []string, what string, read func(*ec2.Client, []ec2types.Filter) error) error {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(values, filterValues) {
		if err := read(clients.ec2In(region), []ec2types.Filter{{Name: &name, Values: chunk}}); err != nil {
			return a.explain(err, "reading %s in %s", what, region)
		}
	}
	return nil
}

// Subnets reads the subnets of VPCs, by VPC and by id. One call for 200 VPCs,
// and for 1,000 subnets.
func (a *Account) Subnets(ctx context.Context, region string, vpcs []string) (map[string]map[string]check.Subnet, error) {
	found := map[string]map[string]check.Subnet{}
	err := a.byFilter(ctx, region, "vpc-id", vpcs, "subnets", func(client *ec2.Client, filters []ec2types.Filter) error {
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

// NetworkACLs reads the network ACLs of VPCs, by VPC. One call for 200 VPCs,
// and for 1,000 ACLs.
func (a *Account) NetworkACLs(ctx context.Context, region string, vpcs []string) (map[string][]check.NetworkACL, error) {
	found := map[string][]check.NetworkACL{}
	err := a.byFilter(ctx, region, "vpc-id", vpcs, "network ACLs", func(client *ec2.Client, filters []ec2types.Filter) error {
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

// VPCDNS reads both DNS attributes of a VPC. Two calls.
func (a *Account) VPCDNS(ctx context.Context, region, vpc string) (support, hostnames bool, err error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return false, false, err
	}
	read := func(attribute ec2types.VpcAttributeName) (*ec2.DescribeVpcAttributeOutput, error) {
		out, err := clients.ec2In(region).DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: &vpc, Attribute: attribute})
		return out, a.explain(err, "reading the DNS attributes of %s", vpc)
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

// PrefixList reads the ranges in a prefix list. One call for 100.
func (a *Account) PrefixList(ctx context.Context, region, id string) ([]string, error) {
	clients, err := a.verifiedClients(ctx)
	if err != nil {
		return nil, err
	}
	ranges := []string{}
	pages := ec2.NewGetManagedPrefixListEntriesPaginator(clients.ec2In(region), &ec2.GetManagedPrefixListEntriesInput{PrefixListId: &id})
	err = eachPage(ctx, pages, func(page *ec2.GetManagedPrefixListEntriesOutput) {
		for _, e := range page.Entries {
			ranges = append(ranges, aws.ToString(e.Cidr))
		}
	})
	return ranges, a.explain(err, "reading prefix list %s in %s", id, region)
}
