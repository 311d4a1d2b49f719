// Package stack breaks one thing at a time of what a machine needs to be
// reached, and mends it again. It knows the stacks of the fixtures S7 and
// S7NAT, and any other of that shape.
package stack

import "slices"

// Cause is one thing that keeps sessions from a machine, or from being logged
// and encrypted as their document asks.
type Cause string

// The causes in the machine.
const (
	AgentMissing       Cause = "agent-missing"
	AgentOffline       Cause = "agent-offline"
	AgentTooOld        Cause = "agent-too-old"
	OnlineNotConnected Cause = "online-not-connected"
	InstanceStopped    Cause = "instance-stopped"
	MetadataOff        Cause = "metadata-off"
)

// The causes in its role.
const (
	NoInstanceProfile      Cause = "no-instance-profile"
	ProfileWithoutRole     Cause = "profile-without-role"
	RoleWithoutPermissions Cause = "role-without-permissions"
	RoleNotTrustingEC2     Cause = "role-not-trusting-ec2"
	RoleWithoutS3          Cause = "role-without-s3"
	RoleWithoutLogs        Cause = "role-without-logs"
	RoleWithoutKMS         Cause = "role-without-kms"
)

// The causes in its network. Those of routes and network ACLs are of a machine
// that has a NAT gateway: to an endpoint in its own subnet neither applies.
const (
	GroupWithoutEgress     Cause = "group-without-egress"
	RouteMissing           Cause = "route-missing"
	RouteBlackhole         Cause = "route-blackhole"
	RouteByMainTable       Cause = "route-by-main-table"
	ACLDeniesOut           Cause = "acl-denies-out"
	ACLDeniesIn            Cause = "acl-denies-in"
	EndpointWithoutIngress Cause = "endpoint-without-ingress"
	DNSSupportOff          Cause = "dns-support-off"
	DNSHostnamesOff        Cause = "dns-hostnames-off"
)

// The causes in one endpoint. The ones of ssmmessages leave the agent online.
const (
	SSMEndpointMissing               Cause = "endpoint-missing-ssm"
	SSMMessagesEndpointMissing       Cause = "endpoint-missing-ssmmessages"
	LogsEndpointMissing              Cause = "endpoint-missing-logs"
	S3EndpointMissing                Cause = "endpoint-missing-s3"
	KMSEndpointMissing               Cause = "endpoint-missing-kms"
	SSMEndpointWrongVPC              Cause = "endpoint-wrong-vpc-ssm"
	SSMMessagesEndpointWrongVPC      Cause = "endpoint-wrong-vpc-ssmmessages"
	SSMEndpointWrongSubnet           Cause = "endpoint-wrong-subnet-ssm"
	SSMMessagesEndpointWrongSubnet   Cause = "endpoint-wrong-subnet-ssmmessages"
	SSMEndpointPending               Cause = "endpoint-pending-ssm"
	SSMMessagesEndpointPending       Cause = "endpoint-pending-ssmmessages"
	SSMEndpointFailed                Cause = "endpoint-failed-ssm"
	SSMMessagesEndpointFailed        Cause = "endpoint-failed-ssmmessages"
	SSMEndpointPrivateDNSOff         Cause = "endpoint-private-dns-off-ssm"
	SSMMessagesEndpointPrivateDNSOff Cause = "endpoint-private-dns-off-ssmmessages"
	SSMEndpointPolicyDenies          Cause = "endpoint-policy-denies-ssm"
	SSMMessagesEndpointPolicyDenies  Cause = "endpoint-policy-denies-ssmmessages"
)

// The causes in what sessions are logged to and encrypted by.
const (
	LogGroupMissing      Cause = "log-group-missing"
	LogGroupNotEncrypted Cause = "log-group-not-encrypted"
	KeyPolicyWithoutLogs Cause = "key-policy-without-logs"
	BucketMissing        Cause = "bucket-missing"
	BucketNotEncrypted   Cause = "bucket-not-encrypted"
)

// Effect is what AWS sees of the agent while something is broken.
type Effect string

// The effects.
const (
	// Connected: sessions still open; they fail or are not logged as asked.
	Connected Effect = "connected"
	// Disconnected: the agent reports but no session reaches it.
	Disconnected Effect = "disconnected"
	// Lost: the agent does not report.
	Lost Effect = "lost"
)

// Causes lists all causes in order.
func Causes() []Cause {
	var list []Cause
	for cause := range switches {
		list = append(list, cause)
	}
	slices.Sort(list)
	return list
}

// EffectOf returns what AWS shows of the agent under a cause.
func EffectOf(c Cause) Effect { return switches[c].effect }
