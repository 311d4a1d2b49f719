package check

import "strings"

// Reason is what a check found. Each has a section in docs/troubleshooting.md.
type Reason string

// TroubleshootingPage explains every reason, relative to the repository's root.
const TroubleshootingPage = "docs/troubleshooting.md"

// Docs is where the reason is explained: "docs/troubleshooting.md#noroute".
func (r Reason) Docs() string { return TroubleshootingPage + "#" + strings.ToLower(string(r)) }

// Reasons of checks that pass, and of those that were not made.
const (
	// InOrder: the operator checked it, and nothing is wrong.
	InOrder Reason = "InOrder"
	// NotNeeded: the node does without it.
	NotNeeded Reason = "NotNeeded"
	// ProvenByConnection: the node is connected, which it could not be otherwise.
	ProvenByConnection Reason = "ProvenByConnection"
	// PermissionMissing: the operator lacks the permission to read what the
	// check needs.
	PermissionMissing Reason = "PermissionMissing"
	// ReadFailed: the operator tried to read it and AWS gave no answer.
	ReadFailed Reason = "ReadFailed"
	// NotRead: the operator did not look, as where an earlier cause is enough.
	NotRead Reason = "NotRead"
	// SharedVPC: what the check needs belongs to another account.
	SharedVPC Reason = "SharedVPC"
	// AnotherWay: the node is connected over a way that cannot be seen.
	AnotherWay Reason = "AnotherWay"
	// NotUnderstood: the answer is of a kind that cannot be judged.
	NotUnderstood Reason = "NotUnderstood"
)

// Reasons about the instance, its registration and its role.
const (
	// InstanceNotFound: EC2 has no such instance in the region.
	InstanceNotFound Reason = "InstanceNotFound"
	// InstanceNotRunning: it is stopped, terminated or on the way there.
	InstanceNotRunning Reason = "InstanceNotRunning"
	// InstanceStarting: it was started a moment ago.
	InstanceStarting Reason = "InstanceStarting"
	// StandardTier: sessions on hybrid nodes need the advanced tier.
	StandardTier Reason = "StandardTier"
	// TierChanging: the tier is being changed.
	TierChanging Reason = "TierChanging"
	// NotRegistered: Systems Manager does not know the hybrid node.
	NotRegistered Reason = "NotRegistered"
	// MetadataServiceOff: the agent has nowhere to get credentials from.
	MetadataServiceOff Reason = "MetadataServiceOff"
	// NoInstanceProfile: there is neither a profile nor default host management.
	NoInstanceProfile Reason = "NoInstanceProfile"
	// ProfileWithoutRole: the instance profile is gone or holds no role.
	ProfileWithoutRole Reason = "ProfileWithoutRole"
	// RoleNotFound: the service role of the hybrid node is gone.
	RoleNotFound Reason = "RoleNotFound"
	// DefaultRoleNotFound: the role of default host management is gone.
	DefaultRoleNotFound Reason = "DefaultRoleNotFound"
	// RoleNotTrusted: the role does not let the node's service assume it.
	RoleNotTrusted Reason = "RoleNotTrusted"
	// RolePermissionMissing: the role does not allow what the agent calls.
	RolePermissionMissing Reason = "RolePermissionMissing"
	// RolePermissionConditional: the role allows it, if at all, on conditions that only
	// the node's own calls meet.
	RolePermissionConditional Reason = "RolePermissionConditional"
	// DeniedByOrganization: a service control policy does not allow what the agent calls.
	DeniedByOrganization Reason = "DeniedByOrganization"
	// HostManagementNeedsIMDSv2: default host management works with it only.
	HostManagementNeedsIMDSv2 Reason = "HostManagementNeedsIMDSv2"
	// HostManagementNeedsNewerAgent: the agent does not know default host
	// management.
	HostManagementNeedsNewerAgent Reason = "HostManagementNeedsNewerAgent"
)

// Reasons about the network.
const (
	// DNSSupportOff: names do not resolve in the VPC.
	DNSSupportOff Reason = "DNSSupportOff"
	// DNSHostnamesOff: private names of endpoints do not resolve in the VPC.
	DNSHostnamesOff Reason = "DNSHostnamesOff"
	// NoRoute: there is neither a route out nor an endpoint.
	NoRoute Reason = "NoRoute"
	// RouteBlackhole: the route out leads to something that is gone.
	RouteBlackhole Reason = "RouteBlackhole"
	// NATGatewayShut: the route out leads to a NAT gateway that lets nothing out.
	NATGatewayShut Reason = "NATGatewayShut"
	// NoPublicAddress: the route out is an internet gateway, and the node has
	// only private addresses.
	NoPublicAddress Reason = "NoPublicAddress"
	// RouteOnlyIPv6: the only route out is for IPv6.
	RouteOnlyIPv6 Reason = "RouteOnlyIPv6"
	// RouteOutOfSight: the route out leads where the operator cannot look.
	RouteOutOfSight Reason = "RouteOutOfSight"
	// EndpointMissing: there is no way to a service.
	EndpointMissing Reason = "EndpointMissing"
	// EndpointElsewhere: there is none here, and perhaps one in another VPC.
	EndpointElsewhere Reason = "EndpointElsewhere"
	// EndpointNotAvailable: the endpoint is not ready, or failed.
	EndpointNotAvailable Reason = "EndpointNotAvailable"
	// EndpointWithoutSubnet: the endpoint is in no subnet.
	EndpointWithoutSubnet Reason = "EndpointWithoutSubnet"
	// EndpointPrivateDNSOff: the service's name does not lead to the endpoint.
	EndpointPrivateDNSOff Reason = "EndpointPrivateDNSOff"
	// EndpointPolicyDenies: the endpoint's policy does not let the agent through.
	EndpointPolicyDenies Reason = "EndpointPolicyDenies"
	// EndpointPolicyUnclear: the endpoint's policy has conditions.
	EndpointPolicyUnclear Reason = "EndpointPolicyUnclear"
	// EgressBlocked: the node's security groups let no HTTPS out.
	EgressBlocked Reason = "EgressBlocked"
	// EgressPartly: they let it out on some interfaces, or to some addresses.
	EgressPartly Reason = "EgressPartly"
	// ACLBlocksRequest: a network ACL stops HTTPS on its way to the service.
	ACLBlocksRequest Reason = "ACLBlocksRequest"
	// ACLBlocksAnswer: a network ACL stops the answers.
	ACLBlocksAnswer Reason = "ACLBlocksAnswer"
	// IngressBlocked: the endpoint's security groups do not let the node in.
	IngressBlocked Reason = "IngressBlocked"
)

// Reasons about the agent and its connection.
const (
	// AgentTooOld: the agent lacks a feature that a document uses.
	AgentTooOld Reason = "AgentTooOld"
	// AgentNeverSeen: Systems Manager does not know the instance.
	AgentNeverSeen Reason = "AgentNeverSeen"
	// AgentOffline: the agent has stopped reporting.
	AgentOffline Reason = "AgentOffline"
	// ChannelClosed: the agent reports, and has no control channel.
	ChannelClosed Reason = "ChannelClosed"
	// NotConnected: the node is not connected.
	NotConnected Reason = "NotConnected"
)

// Reasons about what session documents ask for.
const (
	// KeyNotFound: the session key does not exist in the region.
	KeyNotFound Reason = "KeyNotFound"
	// KeyNotEnabled: a key is disabled or going to be deleted.
	KeyNotEnabled Reason = "KeyNotEnabled"
	// LogGroupNotFound: the log group does not exist.
	LogGroupNotFound Reason = "LogGroupNotFound"
	// LogGroupNotEncrypted: the document insists on encryption.
	LogGroupNotEncrypted Reason = "LogGroupNotEncrypted"
	// LogKeyDenies: the key's policy does not let CloudWatch Logs use it.
	LogKeyDenies Reason = "LogKeyDenies"
	// LogKeyUnclear: the key's policy has conditions.
	LogKeyUnclear Reason = "LogKeyUnclear"
	// BucketNotFound: the bucket does not exist.
	BucketNotFound Reason = "BucketNotFound"
	// BucketNotEncrypted: the document insists on encryption.
	BucketNotEncrypted Reason = "BucketNotEncrypted"
)
