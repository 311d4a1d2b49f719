package check

// Network is what is known of a VPC.
type Network struct {
	// VPC is the id.
	VPC string
	// OwnerID is the account that the VPC belongs to, OwnerId of ec2:DescribeVpcs.
	// Empty where it was not read: then it is that of the node's subnet or, if that
	// is missing, the node's own. AWS does not show an account that a VPC is shared
	// with what others created in it.
	OwnerID string
	// DNSSupport is EnableDnsSupport of ec2:DescribeVpcAttribute, DNSHostnames is
	// EnableDnsHostnames of another such call.
	DNSSupport, DNSHostnames Known[bool]
	// Subnets are those of the VPC by id, of ec2:DescribeSubnets.
	Subnets Known[map[string]Subnet]
	// RouteTables are those of the VPC, of ec2:DescribeRouteTables.
	RouteTables Known[[]RouteTable]
	// NATGateways are those of the region by id, of ec2:DescribeNatGateways. Not
	// asked for: every one counts as a way out, as one does that is not among them.
	NATGateways Known[map[string]NATGateway]
	// ACLs are those of the VPC, of ec2:DescribeNetworkAcls.
	ACLs Known[[]NetworkACL]
	// Rules are, by group id, those of all groups of instances and endpoints
	// that are to be judged, of ec2:DescribeSecurityGroupRules. A group that was
	// asked for and has no rule has an empty list; one that is not in the map
	// was not asked for.
	Rules Known[map[string][]Rule]
	// Endpoints are those of ec2:DescribeVpcEndpoints. Those of other VPCs may
	// be among them, and make a better sentence when one is missing here.
	Endpoints Known[[]Endpoint]
	// PrefixLists are, by id, the entries of the customers' prefix lists that
	// rules name, of ec2:GetManagedPrefixListEntries. A list that is not in the
	// map was not asked for. AWS's own list for S3 need not be here.
	PrefixLists map[string]Known[[]string]
}

// Subnet is an entry of ec2:DescribeSubnets.
type Subnet struct {
	// CIDRs are CidrBlock and Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock.
	CIDRs []string
	// Zone is AvailabilityZone.
	Zone string
	// OwnerID is OwnerId: the account that the subnet, and so its VPC, belongs to.
	// Empty where it was not read: then it is taken for the node's own.
	OwnerID string
}

// RouteTable is an entry of ec2:DescribeRouteTables.
type RouteTable struct {
	// ID is RouteTableId.
	ID string
	// Main: one of Associations has Main.
	Main bool
	// Subnets are SubnetId of Associations whose state is associated.
	Subnets []string
	Routes  []Route
}

// Route is an entry of Routes of a route table, propagated ones included.
type Route struct {
	// Destination is DestinationCidrBlock, DestinationIpv6CidrBlock or
	// DestinationPrefixListId, whichever is there.
	Destination string
	// Target is whichever is there of GatewayId (igw-…, vgw-…, vpce-…, local),
	// NatGatewayId, TransitGatewayId, VpcPeeringConnectionId,
	// EgressOnlyInternetGatewayId, NetworkInterfaceId (prefer it to InstanceId),
	// InstanceId, LocalGatewayId, CarrierGatewayId, CoreNetworkArn.
	Target string
	// Blackhole: State is blackhole.
	Blackhole bool
}

// NATGateway is an entry of ec2:DescribeNatGateways.
type NATGateway struct {
	// State is pending, available, failed, deleting or deleted.
	State string
	// Private: ConnectivityType is private.
	Private bool
	// Subnet is SubnetId, from which it sends.
	Subnet string
}

// NetworkACL is an entry of ec2:DescribeNetworkAcls.
type NetworkACL struct {
	// ID is NetworkAclId.
	ID string
	// Subnets are SubnetId of Associations. Every subnet has exactly one list.
	Subnets []string
	Entries []ACLEntry
}

// ACLEntry is an entry of Entries of a network ACL.
type ACLEntry struct {
	// Number is RuleNumber; the lowest that matches decides.
	Number int32
	Egress bool
	// Allow: RuleAction is allow.
	Allow bool
	// Protocol is "-1" for all, "6" for TCP.
	Protocol string
	// FromPort and ToPort are PortRange; both -1 where there is none.
	FromPort, ToPort int32
	// CIDR is CidrBlock or Ipv6CidrBlock.
	CIDR string
}

// Rule is an entry of ec2:DescribeSecurityGroupRules.
type Rule struct {
	// Egress is IsEgress.
	Egress bool
	// Protocol is IpProtocol: "-1" for all, "tcp" or another.
	Protocol string
	// FromPort and ToPort are -1 for all.
	FromPort, ToPort int32
	// CIDR is CidrIpv4 or CidrIpv6, PrefixList is PrefixListId, and Group is
	// ReferencedGroupInfo.GroupId. One of the three is there.
	CIDR, PrefixList, Group string
}

// Endpoint is an entry of ec2:DescribeVpcEndpoints.
type Endpoint struct {
	// ID is VpcEndpointId, VPC is VpcId.
	ID, VPC string
	// Service is ServiceName, such as com.amazonaws.eu-west-1.ssm.
	Service string
	// Type is VpcEndpointType: Interface or Gateway.
	Type string
	// State is State in any case: available, pending, pendingAcceptance, …
	State string
	// Subnets are SubnetIds and Groups the ids in Groups, of interface endpoints.
	Subnets, Groups []string
	// PrivateDNS is PrivateDnsEnabled.
	PrivateDNS bool
	// InboundResolversOnly is DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint:
	// private DNS answers other networks only, and the VPC's own nodes use the gateway
	// endpoint. AWS offers it for S3. False where it was not read.
	InboundResolversOnly bool
	// RouteTables are RouteTableIds, of gateway endpoints.
	RouteTables []string
	// Policy is PolicyDocument as JSON. Empty allows everything.
	Policy string
	// Addresses are PrivateIpAddress of the interfaces in NetworkInterfaceIds, of
	// ec2:DescribeNetworkInterfaces. They need not be asked for: then rules are
	// held against the endpoint's whole subnets.
	Addresses Known[[]string]
}
