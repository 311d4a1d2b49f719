package check

import "time"

// Facts are what is known of one node and its surroundings. What several nodes
// share is shared by reference, and never changed once it was passed in.
//
// Lists may be in any order. Spellings are AWS's own.
type Facts struct {
	// Now is when the facts were read.
	Now  time.Time
	Node Node
	// Instance is the EC2 instance, of ec2:DescribeInstances. It has no meaning
	// for hybrid nodes.
	Instance Known[Instance]
	// Role is whose permissions the agent has. For an instance: the role in the
	// instance profile of [Instance.ProfileARN], of iam:GetInstanceProfile. For a
	// hybrid node: the role in [Agent.Role], of iam:GetRole. Not needed for an
	// instance without a profile.
	Role Known[Role]
	// DefaultRole is the role that default host management gives to instances of the
	// region: ssm:GetServiceSetting of
	// /ssm/managed-instance/default-ec2-instance-management-role. One without a name
	// means that it is off, as the values "" and "$None" do. Its trust and what it
	// allows count for instances without a profile, and for those that are connected
	// although the role of their profile lacks the permission to report them.
	DefaultRole Known[Role]
	// Network is the VPC of the instance, one for all its instances. Nil: it was
	// not read.
	Network *Network
	// Documents are the session documents that grants on this node allow.
	Documents []Document
	// Logging is what those documents name, one for all nodes of a region. Nil:
	// it was not read.
	Logging *Logging
	// Tier is the region's tier of hybrid nodes: ssm:GetServiceSetting of
	// /ssm/managed-instance/activation-tier. For hybrid nodes only.
	Tier Known[Tier]
}

// Node is what Systems Manager knows of the node.
type Node struct {
	// ID is i-… or, for hybrid nodes, mi-…
	ID string
	// Account is the 12 digits of the node's account, Partition as in ARNs.
	Account, Partition, Region string
	// Agent is the node's entry in ssm:DescribeInstanceInformation.
	Agent Known[Agent]
	// Connection is Status of ssm:GetConnectionStatus. To be asked only where
	// [NeedsConnectionStatus] says so.
	Connection Known[ConnectionStatus]
	// Activation is the one a hybrid node registered with, in [Agent.Activation]:
	// ssm:DescribeActivations. Not needed while the node is registered.
	Activation Known[Activation]
}

// ConnectionStatus is whether the node's control channel is open.
type ConnectionStatus string

// The answers of ssm:GetConnectionStatus.
const (
	StatusConnected    ConnectionStatus = "connected"
	StatusNotConnected ConnectionStatus = "notconnected"
)

// PingOnline is the PingStatus of a node whose agent reports. The others are
// ConnectionLost and Inactive.
const PingOnline = "Online"

// Agent is an entry of ssm:DescribeInstanceInformation. A node without one has
// the zero value: Systems Manager does not know it, or leaves it out because
// the instance is stopped.
type Agent struct {
	// Registered: there is an entry.
	Registered bool
	// PingStatus is Online, ConnectionLost or Inactive.
	PingStatus string
	// LastPing is LastPingDateTime; the agent reports every five minutes.
	LastPing time.Time
	// Version is AgentVersion, such as 3.2.582.0.
	Version string
	// Platform is PlatformType: Linux, Windows or MacOS.
	Platform string
	// Activation is ActivationId, and Role is IamRole, of hybrid nodes. Those that a
	// cloud connector brings have neither.
	Activation, Role string
	// Source is SourceType, such as "Microsoft.Compute/virtualMachines", and SourceID is
	// SourceId: what the node is where it comes from.
	Source, SourceID string
}

// Activation is an entry of ssm:DescribeActivations.
type Activation struct {
	// Exists: there is an entry.
	Exists bool
	// Expired is Expired, or that ExpirationDate has passed.
	Expired bool
	// Limit is RegistrationLimit and Count is RegistrationsCount.
	Limit, Count int32
}

// Role is an IAM role, as the agent of one node has it.
type Role struct {
	// Name is RoleName. Empty: the instance profile does not exist or holds no
	// role, the role of the hybrid node does not exist, or default host
	// management is off.
	Name string
	// Missing, of [Facts.DefaultRole]: the setting names the role, and iam:GetRole
	// finds no role of that name. If the role was not read, Missing is false and
	// the role is taken to exist.
	Missing bool
	// Managed, of [Facts.DefaultRole]: AWS made the role and keeps its trust and its
	// permissions, which are not judged.
	Managed bool
	// Trust is AssumeRolePolicyDocument as JSON, already URL-decoded.
	Trust Known[string]
	// Allowed holds, for what [PermissionsNeeded] lists, whether the role's
	// policies allow it: EvalDecision of iam:SimulatePrincipalPolicy is
	// "allowed", or [Allows] of the role's policy documents. A permission that
	// is not in the map was not asked for.
	Allowed map[Permission]Known[bool]
	// Capped are those that a service control policy of the organisation does not allow.
	Capped map[Permission]bool
	// Conditional are those that the role allows, if at all, on conditions that only the
	// node's own calls meet: their condition keys. They are not in Allowed.
	Conditional map[Permission][]string
}

// Permission is an action of the node's role on a resource.
type Permission struct {
	// Action is such as "ssm:UpdateInstanceInformation", Resource an ARN or "*".
	Action, Resource string
}

// Tier is the tier of a region's hybrid nodes.
type Tier struct {
	// Advanced: SettingValue is "advanced". Otherwise it is "standard".
	Advanced bool
	// Pending: Status is PendingUpdate.
	Pending bool
}
