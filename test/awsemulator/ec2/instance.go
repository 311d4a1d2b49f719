package ec2

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
)

func (r *Region) reservation(n *fleet.Node) types.Reservation {
	i := types.Instance{
		InstanceId: aws.String(n.ID), InstanceType: types.InstanceType(n.Type), LaunchTime: aws.Time(n.Launched),
		State: &types.InstanceState{Name: types.InstanceStateName(n.State), Code: aws.Int32(stateCodes[n.State])},
		Tags:  []types.Tag{}, SecurityGroups: []types.GroupIdentifier{}, NetworkInterfaces: []types.InstanceNetworkInterface{},
		Placement: &types.Placement{AvailabilityZone: aws.String(r.zone(n.Subnet)), Tenancy: types.TenancyDefault},
		MetadataOptions: &types.InstanceMetadataOptionsResponse{
			State: types.InstanceMetadataOptionsStateApplied, HttpTokens: types.HttpTokensState(n.Metadata.Tokens),
			HttpEndpoint: types.InstanceMetadataEndpointState(n.Metadata.Endpoint), HttpPutResponseHopLimit: aws.Int32(2),
			HttpProtocolIpv6: types.InstanceMetadataProtocolStateDisabled, InstanceMetadataTags: types.InstanceMetadataTagsStateDisabled,
		},
	}
	for _, k := range slices.Sorted(maps.Keys(n.Tags)) {
		i.Tags = append(i.Tags, types.Tag{Key: aws.String(k), Value: aws.String(n.Tags[k])})
	}
	i.IamInstanceProfile = r.profile(n)
	// A terminated instance has left its network.
	if n.State != "terminated" {
		i.SecurityGroups = r.groups(n.SecurityGroups)
		i.VpcId, i.SubnetId, i.PrivateIpAddress = optional(n.VPC), optional(n.Subnet), optional(n.PrivateIP)
		i.PublicIpAddress = optional(n.PublicIP)
		i.NetworkInterfaces = r.interfaces(n)
	}
	return types.Reservation{
		ReservationId: aws.String("r-" + strings.TrimPrefix(n.ID, "i-")), OwnerId: aws.String(r.AccountID),
		Groups: []types.GroupIdentifier{}, Instances: []types.Instance{i},
	}
}

func (r *Region) zone(subnet string) string {
	if s, ok := r.Network.State().Subnets.Get(subnet); ok {
		return aws.ToString(s.AvailabilityZone)
	}
	return r.Region + "a"
}

// profile is the instance profile of a machine. It is shown even where IAM no
// longer has it.
func (r *Region) profile(n *fleet.Node) *types.IamInstanceProfile {
	if n.InstanceProfile == "" {
		return nil
	}
	arn, id, ok := r.Profile(n.InstanceProfile)
	if !ok {
		arn = "arn:" + r.Partition + ":iam::" + r.AccountID + ":instance-profile/" + n.InstanceProfile
		id = "AIPA" + strings.ToUpper(strings.TrimPrefix(n.ID, "i-"))
	}
	return &types.IamInstanceProfile{Arn: aws.String(arn), Id: aws.String(id)}
}

func (r *Region) groups(ids []string) []types.GroupIdentifier {
	groups := []types.GroupIdentifier{}
	for _, id := range ids {
		name := id
		if g, ok := r.Network.State().Groups.Get(id); ok {
			name = aws.ToString(g.GroupName)
		}
		groups = append(groups, types.GroupIdentifier{GroupId: aws.String(id), GroupName: aws.String(name)})
	}
	return groups
}

// interfaces are the network interfaces of a machine, its first one before the
// others.
func (r *Region) interfaces(n *fleet.Node) []types.InstanceNetworkInterface {
	interfaces := []types.InstanceNetworkInterface{}
	if n.Subnet == "" {
		return interfaces
	}
	first := fixtures.NetworkInterface{Subnet: n.Subnet, SecurityGroups: n.SecurityGroups, PrivateIP: n.PrivateIP}
	for i, f := range append([]fixtures.NetworkInterface{first}, n.Interfaces...) {
		x := types.InstanceNetworkInterface{
			NetworkInterfaceId: aws.String(interfaceID(n.ID, i)), VpcId: optional(n.VPC), SubnetId: optional(f.Subnet), OwnerId: aws.String(r.AccountID),
			Groups: r.groups(f.SecurityGroups), PrivateIpAddress: optional(f.PrivateIP), Status: types.NetworkInterfaceStatusInUse,
			InterfaceType: aws.String("interface"), SourceDestCheck: aws.Bool(true), Ipv6Addresses: []types.InstanceIpv6Address{},
			PrivateIpAddresses: []types.InstancePrivateIpAddress{},
			Attachment: &types.InstanceNetworkInterfaceAttachment{
				AttachmentId: aws.String("eni-attach-" + strings.TrimPrefix(interfaceID(n.ID, i), "eni-")), DeviceIndex: aws.Int32(int32(i)),
				Status: types.AttachmentStatusAttached, AttachTime: aws.Time(n.Launched), DeleteOnTermination: aws.Bool(true),
			},
		}
		if i == 0 && n.PublicIP != "" {
			x.Association = &types.InstanceNetworkInterfaceAssociation{PublicIp: aws.String(n.PublicIP), IpOwnerId: aws.String("amazon")}
		}
		interfaces = append(interfaces, x)
	}
	return interfaces
}

// interfaceID is that of a machine's i-th interface, made of the machine's own.
func interfaceID(node string, i int) string {
	digits := strings.TrimPrefix(node, "i-")
	return "eni-" + strconv.Itoa(i) + digits[1:]
}

// instanceNetworkValues is what the filters by network look at.
func instanceNetworkValues(name string, n *fleet.Node) ([]string, bool) {
	switch name {
	case "vpc-id":
		return []string{n.VPC}, true
	case "subnet-id":
		return []string{n.Subnet}, true
	case "private-ip-address":
		return []string{n.PrivateIP}, true
	case "ip-address":
		return []string{n.PublicIP}, true
	case "instance.group-id":
		return n.SecurityGroups, true
	case "network-interface.group-id", "network-interface.subnet-id":
		groups, subnets := slices.Clone(n.SecurityGroups), []string{n.Subnet}
		for _, x := range n.Interfaces {
			groups, subnets = append(groups, x.SecurityGroups...), append(subnets, x.Subnet)
		}
		if name == "network-interface.group-id" {
			return groups, true
		}
		return subnets, true
	}
	return nil, false
}
