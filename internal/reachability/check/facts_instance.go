package check

import "time"

// Instance is an entry of ec2:DescribeInstances. An instance that does not
// exist has the zero value.
type Instance struct {
	// State is State.Name: pending, running, stopping, stopped, shutting-down or
	// terminated. Empty: there is no such instance.
	State string
	// Launched is LaunchTime, which every start renews.
	Launched time.Time
	// ProfileARN is IamInstanceProfile.Arn; empty without one.
	ProfileARN string
	// Metadata is MetadataOptions.
	Metadata Metadata
	// VPC is VpcId and Subnet is SubnetId, that of the primary interface.
	VPC, Subnet string
	// Interfaces are NetworkInterfaces.
	Interfaces []Interface
}

// Metadata is MetadataOptions of an instance.
type Metadata struct {
	// Endpoint is HttpEndpoint: enabled or disabled.
	Endpoint string
	// Tokens is HttpTokens: required (IMDSv2 only) or optional.
	Tokens string
}

// Interface is an entry of NetworkInterfaces of an instance.
type Interface struct {
	// ID is NetworkInterfaceId, Subnet is SubnetId.
	ID, Subnet string
	// Device is Attachment.DeviceIndex; 0 on card 0 is the primary interface,
	// through which instances send what is not local.
	Device int32
	// Groups are the ids in Groups.
	Groups []string
	// Address is PrivateIpAddress, from which the instance sends; of an interface
	// without one, its first Ipv6Address.
	Address string
	// IPv6: Ipv6Addresses has one.
	IPv6 bool
	// Public: Association.PublicIp is there.
	Public bool
}
