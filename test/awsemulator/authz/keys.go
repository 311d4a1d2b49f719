package authz

import (
	"maps"
	"strings"
)

// keyKind is the type of a condition key's values.
type keyKind uint8

const (
	kindString keyKind = iota
	kindARN
	kindBool
	kindDate
	// kindEpoch is seconds since 1970, for date and for numeric operators.
	kindEpoch
	kindIP
	kindNumeric
)

// keySpec describes a condition key.
type keySpec struct {
	kind keyKind
	// multivalued keys may have several values in one request; AWS asks for
	// ForAllValues or ForAnyValue with them.
	multivalued bool
}

// lookupKey finds a condition key, given in lower case: by its name, or by its
// prefix when the rest is a tag key or the like ("aws:resourcetag/env").
func lookupKey(key string) (keySpec, bool) {
	if spec, ok := namedKeys[key]; ok {
		return spec, true
	}
	if name, ok := strings.CutPrefix(key, encryptionContextPrefix); ok {
		return keySpec{}, validSuffix(name)
	}
	prefix, name, ok := strings.Cut(key, "/")
	return keySpec{}, ok && prefixedKeys[prefix] && validSuffix(name)
}

// validSuffix rejects an empty tag key, and one in which a variable or a
// placeholder copied from the documentation is left.
func validSuffix(name string) bool {
	return name != "" && !strings.Contains(name, "${")
}

// encryptionContextPrefix is the one key family that ends in a colon.
const encryptionContextPrefix = "kms:encryptioncontext:"

// prefixedKeys are the key families "<prefix>/<tag key>"; single-valued strings.
var prefixedKeys = set(
	"aws:PrincipalTag", "aws:RequestTag", "aws:ResourceTag",
	"ec2:ResourceTag",
	"iam:ResourceTag",
	"ram:ResourceTag",
	"s3:ExistingObjectTag", "s3:RequestObjectTag",
	// In addition to the tags of instances and documents, this family has the
	// owner tag that Session Manager gives to a session:
	// aws:ssmmessages:session-id and aws:ssmmessages:target-id.
	"ssm:resourceTag",
	"sts:RequestContext",
)

// namedKeys are all global condition keys, all of ssm, and those of the other
// services that the emulator plays or that its policies mention. Sources: "AWS global condition
// context keys" and the Service Authorization Reference.
var namedKeys = catalog(
	keys(kindString,
		// the principal
		"aws:FederatedProvider", "aws:PrincipalAccount", "aws:PrincipalOrgID",
		"aws:PrincipalServiceName", "aws:PrincipalType", "aws:SourceIdentity",
		"aws:userid", "aws:username",
		// the network
		"aws:Ec2InstanceSourceVpc", "aws:SourceVpc", "aws:SourceVpce",
		"aws:VpceAccount", "aws:VpceOrgID",
		// the resource
		"aws:ResourceAccount", "aws:ResourceOrgID",
		// the request
		"aws:CalledViaAWSMCP", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:referer", "aws:RequestedRegion",
		"aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOwner", "aws:UserAgent",
		// the services
		"ec2:AvailabilityZone", "ec2:CreateAction", "ec2:InstanceID", "ec2:InstanceType",
		"ec2:MetadataHttpTokens", "ec2:Owner", "ec2:Region", "ec2:SubnetID", "ec2:Tenancy", "ec2:VpcID",
		"iam:AWSServiceName", "iam:OrganizationsPolicyId", "iam:PassedToService", "iam:RegisterSecurityKey",
		"kms:CallerAccount", "kms:EncryptionAlgorithm", "kms:GrantConstraintType", "kms:GranteePrincipal",
		"kms:KeyOrigin", "kms:KeySpec", "kms:KeyUsage", "kms:RequestAlias", "kms:ViaService",
		"ram:RequestedResourceType", "ram:ResourceShareName",
		"s3:delimiter", "s3:prefix", "s3:ResourceAccount", "s3:VersionId",
		"s3:x-amz-acl", "s3:x-amz-server-side-encryption",
		"ssm:AccessRequestId", "ssm:DocumentType", "ssm:NodeAccountId", "ssm:NodeOrgId", "ssm:Overwrite", "ssm:Policies", "ssm:Recursive", "ssm:SyncType",
		"sts:AWSServiceName", "sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity",
	),
	keys(kindARN,
		"aws:ChatbotSourceArn", "aws:PrincipalArn", "aws:SourceArn", "aws:SourceVpcArn",
		"ec2:InstanceProfile", "ec2:SourceInstanceARN", "ec2:Subnet", "ec2:Vpc",
		"iam:AssociatedResourceArn", "iam:PermissionsBoundary", "iam:PolicyARN",
		"s3:x-amz-server-side-encryption-aws-kms-key-id",
		"ssm:SourceInstanceARN",
		"sts:TaskPolicyArn",
	),
	keys(kindBool,
		"aws:AssumedRoot", "aws:IsMcpServiceAction", "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService",
		"aws:SecureTransport", "aws:ViaAWSMCPService", "aws:ViaAWSService",
		"kms:GrantIsForAWSResource", "kms:MultiRegion",
		"ram:AllowsExternalPrincipals", "ram:RequestedAllowsExternalPrincipals",
		"ssm:AutoApprove", "ssm:SessionDocumentAccessCheck",
	),
	keys(kindDate, "aws:CurrentTime", "aws:TokenIssueTime"),
	keys(kindEpoch, "aws:EpochTime"),
	keys(kindIP, "aws:Ec2InstanceSourcePrivateIPv4", "aws:SourceIp", "aws:VpcSourceIp"),
	keys(kindNumeric,
		"aws:MultiFactorAuthAge", "ec2:RoleDelivery", "s3:max-keys", "s3:TlsVersion", "sts:DurationSeconds",
	),
	multivalued(kindString,
		"aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList",
		"aws:ResourceOrgPaths", "aws:SourceOrgPaths", "aws:TagKeys", "aws:VpceOrgPaths",
		"kms:EncryptionContextKeys", "kms:GrantOperations", "kms:ResourceAliases",
		"ram:Principal",
		"s3:RequestObjectTagKeys",
		"ssm:DocumentCategories", "ssm:DocumentVersion", "ssm:InventoryTypeName",
		"sts:IdentityTokenAudience", "sts:TransitiveTagKeys",
	),
	multivalued(kindARN, "logs:LogGeneratingResourceArns", "ram:ResourceArn", "sts:RequestContextProviders"),
)

// keys describes single-valued keys of one kind.
func keys(kind keyKind, names ...string) map[string]keySpec {
	return describe(keySpec{kind: kind}, names)
}

// multivalued describes keys that may have several values in a request.
func multivalued(kind keyKind, names ...string) map[string]keySpec {
	return describe(keySpec{kind: kind, multivalued: true}, names)
}

func describe(spec keySpec, names []string) map[string]keySpec {
	out := make(map[string]keySpec, len(names))
	for _, name := range names {
		out[strings.ToLower(name)] = spec
	}
	return out
}

// catalog joins descriptions.
func catalog(parts ...map[string]keySpec) map[string]keySpec {
	out := map[string]keySpec{}
	for _, part := range parts {
		maps.Copy(out, part)
	}
	return out
}

// set holds names in lower case.
func set(names ...string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[strings.ToLower(name)] = true
	}
	return out
}
