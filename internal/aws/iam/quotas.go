package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Quotas of an account's IAM, and how much of them is used.
type Quotas struct {
	// AttachedPoliciesPerUser, …Group and …Role: managed policies attached.
	AttachedPoliciesPerUser, AttachedPoliciesPerGroup, AttachedPoliciesPerRole int
	// PolicySize in characters of a managed policy, white space not counted.
	PolicySize int
	// VersionsPerPolicy of a managed policy.
	VersionsPerPolicy int
	// Policies is the quota of customer managed policies, PoliciesUsed how many
	// there are.
	Policies, PoliciesUsed int
	// GroupsPerUser is how many groups a user can be in.
	GroupsPerUser int
}

// defaultQuotas are those of an account without a quota increase, as AWS
// documents them; for what GetAccountSummary does not return.
var defaultQuotas = Quotas{
	AttachedPoliciesPerUser: 10, AttachedPoliciesPerGroup: 10, AttachedPoliciesPerRole: 10,
	PolicySize: 6144, VersionsPerPolicy: 5, Policies: 1500, GroupsPerUser: 10,
}

// Quotas asks IAM (GetAccountSummary) for the account's quotas.
func (a *Account) Quotas(ctx context.Context) (Quotas, error) {
	client, err := a.client(ctx)
	if err != nil {
		return Quotas{}, err
	}
	out, err := client.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if err != nil {
		return Quotas{}, a.Explain(err, "reading the quotas")
	}
	quotas := quotasOf(out.SummaryMap)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.quotas = &quotas
	return quotas, nil
}

func quotasOf(summary map[string]int32) Quotas {
	quotas := defaultQuotas
	for key, field := range map[types.SummaryKeyType]*int{
		types.SummaryKeyTypeAttachedPoliciesPerUserQuota:  &quotas.AttachedPoliciesPerUser,
		types.SummaryKeyTypeAttachedPoliciesPerGroupQuota: &quotas.AttachedPoliciesPerGroup,
		types.SummaryKeyTypeAttachedPoliciesPerRoleQuota:  &quotas.AttachedPoliciesPerRole,
		types.SummaryKeyTypePolicySizeQuota:               &quotas.PolicySize,
		types.SummaryKeyTypeVersionsPerPolicyQuota:        &quotas.VersionsPerPolicy,
		types.SummaryKeyTypePoliciesQuota:                 &quotas.Policies,
		types.SummaryKeyTypeGroupsPerUserQuota:            &quotas.GroupsPerUser,
	} {
		if value, ok := summary[string(key)]; ok && value > 0 {
			*field = int(value)
		}
	}
	quotas.PoliciesUsed = int(summary[string(types.SummaryKeyTypePolicies)])
	return quotas
}

// KnownQuotas are the quotas as last read, or the defaults of AWS. It makes no call.
func (a *Account) KnownQuotas() Quotas {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.quotas == nil {
		return defaultQuotas
	}
	return *a.quotas
}

func (a *Account) versionsPerPolicy() int { return a.KnownQuotas().VersionsPerPolicy }
