package network

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// Instances reads EC2 instances by id. One that does not exist is left out. One
// call for 200.
func (r Region) Instances(ctx context.Context, ids []string) (map[string]check.Instance, error) {
	found := map[string]check.Instance{}
	for chunk := range slices.Chunk(ids, filterValues) {
		// By id itself, one instance that is gone would fail the call for all.
		filters := []ec2types.Filter{{Name: aws.String("instance-id"), Values: chunk}}
		if _, err := r.describeInstances(ctx, filters, len(chunk), found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// livingStates are those of instances that are not being terminated.
var livingStates = []string{"pending", "running", "stopping", "stopped"}

// filterEscape takes their meaning from the wildcards of EC2's filters.
var filterEscape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`)

// TaggedInstances reads the EC2 instances that carry all the tags and are not
// being terminated, limit of them at most; more says that there are others. One
// call for 1,000.
func (r Region) TaggedInstances(ctx context.Context, tags map[string]string, limit int) (found map[string]check.Instance, more bool, err error) {
	filters := []ec2types.Filter{{Name: aws.String("instance-state-name"), Values: livingStates}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		filters = append(filters, ec2types.Filter{Name: aws.String("tag:" + key), Values: []string{filterEscape.Replace(tags[key])}})
	}
	found = map[string]check.Instance{}
	more, err = r.describeInstances(ctx, filters, limit, found)
	return found, more, err
}

func (r Region) describeInstances(ctx context.Context, filters []ec2types.Filter, limit int, into map[string]check.Instance) (more bool, err error) {
	client, err := r.client(ctx)
	if err != nil {
		return false, err
	}
	pages := ec2.NewDescribeInstancesPaginator(client, &ec2.DescribeInstancesInput{
		Filters: filters, MaxResults: aws.Int32(instancePage),
	})
	for n := 0; pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, r.account.Explain(err, "reading instances in %s", r.name)
		}
		for _, reservation := range page.Reservations {
			for i := range reservation.Instances {
				if n == limit {
					return true, nil
				}
				instance := &reservation.Instances[i]
				into[aws.ToString(instance.InstanceId)] = instanceOf(instance)
				n++
			}
		}
	}
	return false, nil
}

func instanceOf(i *ec2types.Instance) check.Instance {
	out := check.Instance{
		Launched: aws.ToTime(i.LaunchTime), VPC: aws.ToString(i.VpcId), Subnet: aws.ToString(i.SubnetId),
	}
	if i.State != nil {
		out.State = string(i.State.Name)
	}
	if i.IamInstanceProfile != nil {
		out.ProfileARN = aws.ToString(i.IamInstanceProfile.Arn)
	}
	if m := i.MetadataOptions; m != nil {
		out.Metadata = check.Metadata{Endpoint: string(m.HttpEndpoint), Tokens: string(m.HttpTokens)}
	}
	for j := range i.NetworkInterfaces {
		out.Interfaces = append(out.Interfaces, interfaceOf(&i.NetworkInterfaces[j]))
	}
	return out
}

func interfaceOf(i *ec2types.InstanceNetworkInterface) check.Interface {
	out := check.Interface{
		ID: aws.ToString(i.NetworkInterfaceId), Subnet: aws.ToString(i.SubnetId),
		Address: aws.ToString(i.PrivateIpAddress), IPv6: len(i.Ipv6Addresses) > 0,
		Public: i.Association != nil && aws.ToString(i.Association.PublicIp) != "",
	}
	if i.Attachment != nil {
		out.Device = aws.ToInt32(i.Attachment.DeviceIndex)
	}
	if out.IPv6 {
		out.Address = cmp.Or(out.Address, aws.ToString(i.Ipv6Addresses[0].Ipv6Address))
	}
	for _, group := range i.Groups {
		out.Groups = append(out.Groups, aws.ToString(group.GroupId))
	}
	return out
}
