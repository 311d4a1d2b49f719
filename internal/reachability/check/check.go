package check

// Result of a check.
type Result string

const (
	// Pass: in order, or not needed here.
	Pass Result = "Pass"
	// Fail: the user has to fix this.
	Fail Result = "Fail"
	// Warn: this may be wrong, or breaks some uses only.
	Warn Result = "Warn"
	// NotChecked: a fact is missing; the check's Missing says which.
	NotChecked Result = "NotChecked"
)

// Check is the verdict on one thing that a session needs.
type Check struct {
	// Name of what was checked.
	Name   Name
	Result Result
	// Reason is what was found, and the section of docs/troubleshooting.md that
	// explains it: see [Reason.Docs].
	Reason Reason
	// Message is a sentence that says what is wrong, with the ids of resources.
	// Empty for Pass.
	Message string
	// Remedy is a sentence that says what to do. Empty for Pass.
	Remedy string
	// Missing are the IAM actions that the operator would need to judge a check
	// that is NotChecked, or a Warn because they are missing, sorted. Empty where
	// no permission is missing.
	Missing []string
}

// Name of a check.
type Name string

// The checks, causes before symptoms. [Judge] keeps this order.
const (
	CheckInstanceState   Name = "InstanceState"
	CheckHybridTier      Name = "HybridTier"
	CheckRegistration    Name = "Registration"
	CheckMetadataService Name = "MetadataService"
	CheckInstanceProfile Name = "InstanceProfile"
	// CheckRoleTrust reports a missing role too: one that does not exist trusts no service.
	CheckRoleTrust           Name = "RoleTrust"
	CheckRolePermissions     Name = "RolePermissions"
	CheckDNSSupport          Name = "DNSSupport"
	CheckRoute               Name = "Route"
	CheckEndpointPresent     Name = "EndpointPresent"
	CheckEndpointState       Name = "EndpointState"
	CheckEndpointSubnet      Name = "EndpointSubnet"
	CheckDNSHostnames        Name = "DNSHostnames"
	CheckEndpointPrivateDNS  Name = "EndpointPrivateDNS"
	CheckEndpointPolicy      Name = "EndpointPolicy"
	CheckSecurityGroupEgress Name = "SecurityGroupEgress"
	CheckNetworkACL          Name = "NetworkACL"
	CheckEndpointIngress     Name = "EndpointIngress"
	CheckAgentOnline         Name = "AgentOnline"
	// CheckConnected is whether a session can be opened at all. It fails last: where
	// a check before it fails, that is why.
	CheckConnected Name = "Connected"

	// What follows concerns sessions on a node that is connected.

	// CheckAgentVersion is whether the agent has what the documents use.
	CheckAgentVersion Name = "AgentVersion"
	// CheckSessionKey is the key that the session itself is encrypted with.
	CheckSessionKey          Name = "SessionKey"
	CheckLogGroup            Name = "LogGroup"
	CheckLogGroupEncryption  Name = "LogGroupEncryption"
	CheckLogKeyPolicy        Name = "LogKeyPolicy"
	CheckLogBucket           Name = "LogBucket"
	CheckLogBucketEncryption Name = "LogBucketEncryption"
	// CheckSessionPermissions is whether the node's role may write the logs and
	// use the session key.
	CheckSessionPermissions Name = "SessionPermissions"
	// CheckSessionPath is whether the node reaches CloudWatch Logs, S3 and KMS.
	CheckSessionPath Name = "SessionPath"
)
