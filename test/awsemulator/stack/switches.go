package stack

// onOff is how a cause is brought about. apply returns what takes it back.
type onOff struct {
	effect Effect
	// touches is what the causes that change the same thing have in common; empty
	// for one that has its thing to itself.
	touches string
	apply   func(target) (undo, error)
}

// undo undoes one change and nothing else.
type undo func() error

var switches = map[Cause]onOff{
	AgentMissing:       {Lost, "agent", removeAgent},
	AgentOffline:       {Lost, "", nothing},
	AgentTooOld:        {Disconnected, "agent", ageAgent},
	OnlineNotConnected: {Disconnected, "", nothing},
	InstanceStopped:    {Lost, "", stopInstance},
	MetadataOff:        {Lost, "", disableMetadata},

	NoInstanceProfile:      {Lost, "", takeProfile},
	ProfileWithoutRole:     {Lost, "", emptyProfile},
	RoleWithoutPermissions: {Lost, "", detachPermissions},
	RoleNotTrustingEC2:     {Lost, "", trustOthers},
	RoleWithoutS3:          {Connected, "", withoutActions("s3:")},
	RoleWithoutLogs:        {Connected, "", withoutActions("logs:")},
	RoleWithoutKMS:         {Connected, "", withoutActions("kms:")},

	GroupWithoutEgress:     {Lost, "", closeEgress},
	RouteMissing:           {Lost, "route", removeRoute},
	RouteBlackhole:         {Lost, "route", blackholeRoute},
	RouteByMainTable:       {Lost, "route", dissociateTable},
	ACLDeniesOut:           {Lost, "", denyOut},
	ACLDeniesIn:            {Lost, "", denyIn},
	EndpointWithoutIngress: {Lost, "", closeIngress},
	DNSSupportOff:          {Lost, "", dnsSupportOff},
	DNSHostnamesOff:        {Lost, "", dnsHostnamesOff},

	SSMEndpointMissing:               {Lost, "endpoint ssm", removeEndpoint("ssm")},
	SSMMessagesEndpointMissing:       {Disconnected, "endpoint ssmmessages", removeEndpoint("ssmmessages")},
	LogsEndpointMissing:              {Connected, "endpoint logs", removeEndpoint("logs")},
	S3EndpointMissing:                {Connected, "endpoint s3", removeEndpoint("s3")},
	KMSEndpointMissing:               {Connected, "endpoint kms", removeEndpoint("kms")},
	SSMEndpointWrongVPC:              {Lost, "endpoint ssm", moveEndpoint("ssm")},
	SSMMessagesEndpointWrongVPC:      {Disconnected, "endpoint ssmmessages", moveEndpoint("ssmmessages")},
	SSMEndpointWrongSubnet:           {Lost, "endpoint ssm", isolateEndpoint("ssm")},
	SSMMessagesEndpointWrongSubnet:   {Disconnected, "endpoint ssmmessages", isolateEndpoint("ssmmessages")},
	SSMEndpointPending:               {Lost, "endpoint ssm", setEndpointState("ssm", "pending")},
	SSMMessagesEndpointPending:       {Disconnected, "endpoint ssmmessages", setEndpointState("ssmmessages", "pending")},
	SSMEndpointFailed:                {Lost, "endpoint ssm", setEndpointState("ssm", "Failed")},
	SSMMessagesEndpointFailed:        {Disconnected, "endpoint ssmmessages", setEndpointState("ssmmessages", "Failed")},
	SSMEndpointPrivateDNSOff:         {Lost, "endpoint ssm", privateDNSOff("ssm")},
	SSMMessagesEndpointPrivateDNSOff: {Disconnected, "endpoint ssmmessages", privateDNSOff("ssmmessages")},
	SSMEndpointPolicyDenies:          {Lost, "endpoint ssm", denyByPolicy("ssm")},
	SSMMessagesEndpointPolicyDenies:  {Disconnected, "endpoint ssmmessages", denyByPolicy("ssmmessages")},

	LogGroupMissing:      {Connected, "log group", removeLogGroup},
	LogGroupNotEncrypted: {Connected, "log group", decryptLogGroup},
	KeyPolicyWithoutLogs: {Connected, "", withoutLogsPrincipal},
	BucketMissing:        {Connected, "bucket", removeBucket},
	BucketNotEncrypted:   {Connected, "bucket", decryptBucket},
}

func nothing(target) (undo, error) { return func() error { return nil }, nil }
