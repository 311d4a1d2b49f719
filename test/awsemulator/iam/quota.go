package iam

import "maps"

// The quotas that IAM reports in GetAccountSummary, by their names there.
const (
	quotaPolicies              = "PoliciesQuota"
	quotaPolicySize            = "PolicySizeQuota"
	quotaVersionsPerPolicy     = "VersionsPerPolicyQuota"
	quotaAttachedPerUser       = "AttachedPoliciesPerUserQuota"
	quotaAttachedPerGroup      = "AttachedPoliciesPerGroupQuota"
	quotaAttachedPerRole       = "AttachedPoliciesPerRoleQuota"
	quotaUserPolicySize        = "UserPolicySizeQuota"
	quotaGroupPolicySize       = "GroupPolicySizeQuota"
	quotaRolePolicySize        = "RolePolicySizeQuota"
	quotaAssumeRolePolicySize  = "AssumeRolePolicySizeQuota"
	quotaGroupsPerUser         = "GroupsPerUserQuota"
	quotaUsers                 = "UsersQuota"
	quotaGroups                = "GroupsQuota"
	quotaRoles                 = "RolesQuota"
	maxTags                    = 50
	maxDocumentParameterLength = 131072
)

// defaultQuotas are those of an account without a quota increase (IAM and STS
// quotas, AWS documentation).
var defaultQuotas = map[string]int32{
	quotaPolicies:             1500,
	quotaPolicySize:           6144,
	quotaVersionsPerPolicy:    5,
	quotaAttachedPerUser:      10,
	quotaAttachedPerGroup:     10,
	quotaAttachedPerRole:      10,
	quotaUserPolicySize:       2048,
	quotaGroupPolicySize:      5120,
	quotaRolePolicySize:       10240,
	quotaAssumeRolePolicySize: 2048,
	quotaGroupsPerUser:        10,
	quotaUsers:                5000,
	quotaGroups:               300,
	quotaRoles:                1000,

	"PolicyVersionsInUseQuota":        10000,
	"InstanceProfilesQuota":           1000,
	"ServerCertificatesQuota":         20,
	"AccessKeysPerUserQuota":          2,
	"SigningCertificatesPerUserQuota": 2,
}

// Quota returns one quota by its name in GetAccountSummary.
func (a *Account) Quota(name string) int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if q, ok := a.quotas[name]; ok {
		return int(q)
	}
	return int(defaultQuotas[name])
}

// SetQuota sets one quota by its name in GetAccountSummary, as
// "AttachedPoliciesPerUserQuota". It reports whether there is such a quota.
func (a *Account) SetQuota(name string, value int32) bool {
	if _, ok := defaultQuotas[name]; !ok {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.quotas[name] = value
	return true
}

// Quotas returns all of them.
func (a *Account) Quotas() map[string]int32 {
	all := maps.Clone(defaultQuotas)
	a.mu.RLock()
	defer a.mu.RUnlock()
	maps.Copy(all, a.quotas)
	return all
}

func attachedQuota(k Kind) string {
	switch k {
	case User:
		return quotaAttachedPerUser
	case Group:
		return quotaAttachedPerGroup
	default:
		return quotaAttachedPerRole
	}
}

func inlineQuota(k Kind) string {
	switch k {
	case User:
		return quotaUserPolicySize
	case Group:
		return quotaGroupPolicySize
	default:
		return quotaRolePolicySize
	}
}

func entitiesQuota(k Kind) string {
	switch k {
	case User:
		return quotaUsers
	case Group:
		return quotaGroups
	default:
		return quotaRoles
	}
}
