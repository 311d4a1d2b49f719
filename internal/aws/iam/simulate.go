package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Simulation is a question to IAM's policy simulator: may a principal do each of the
// actions on each of the resources.
type Simulation struct {
	// PrincipalARN is that of a user, group or role.
	PrincipalARN string
	// Actions are such as "ssm:StartSession". Resources are ARNs, or "*".
	Actions, Resources []string
	// Context are the values of condition keys. Service control policies are evaluated
	// too, and the answer does not list the keys that their conditions lack. A negated
	// condition on an absent key holds, so the context has to be as complete as that of a
	// real call.
	Context map[string][]string
}

// Decision is IAM's on one action and resource.
type Decision struct {
	Action, Resource string
	// Allowed: every policy that applies allows it.
	Allowed bool
	// Explicit: a statement denies it.
	Explicit bool
	// Organization: a service control policy does not allow it. Boundary: the permissions
	// boundary does not.
	Organization, Boundary bool
	// Missing are the condition keys of the principal's policies that the simulation was
	// not given. They are those of all its policies, whatever these are about.
	Missing []string
	// Policies are the ids of the policies whose statements decided.
	Policies []string
}

// Simulate asks IAM. It could not be tried how many resources AWS takes in a call. One
// call a page of results.
func (a *Account) Simulate(ctx context.Context, s *Simulation) ([]Decision, error) {
	client, err := a.client(ctx)
	if err != nil {
		return nil, err
	}
	var decisions []Decision
	pages := iam.NewSimulatePrincipalPolicyPaginator(client, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &s.PrincipalARN, MaxItems: aws.Int32(pageSize),
		ActionNames: s.Actions, ResourceArns: s.Resources, ContextEntries: contextEntries(s.Context),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, a.Explain(err, "asking what %s may do", s.PrincipalARN)
		}
		for i := range page.EvaluationResults {
			decisions = append(decisions, decisionsOf(&page.EvaluationResults[i])...)
		}
	}
	return decisions, nil
}

// decisionsOf takes a result apart. Since 2026-07-30 EvalResourceName is a template of
// the action's resource type, and single resources are in ResourceSpecificResults.
func decisionsOf(r *iamtypes.EvaluationResult) []Decision {
	organization := r.OrganizationsDecisionDetail != nil && !r.OrganizationsDecisionDetail.AllowedByOrganizations
	if len(r.ResourceSpecificResults) == 0 {
		return []Decision{decisionOf(aws.ToString(r.EvalActionName), aws.ToString(r.EvalResourceName), part{
			r.EvalDecision, r.MissingContextValues, r.MatchedStatements, organization, r.PermissionsBoundaryDecisionDetail,
		})}
	}
	decisions := make([]Decision, 0, len(r.ResourceSpecificResults))
	for i := range r.ResourceSpecificResults {
		s := &r.ResourceSpecificResults[i]
		decisions = append(decisions, decisionOf(aws.ToString(r.EvalActionName), aws.ToString(s.EvalResourceName), part{
			s.EvalResourceDecision, s.MissingContextValues, s.MatchedStatements, organization, s.PermissionsBoundaryDecisionDetail,
		}))
	}
	return decisions
}

// part is what an answer says of one resource.
type part struct {
	decided  iamtypes.PolicyEvaluationDecisionType
	missing  []string
	matched  []iamtypes.Statement
	capped   bool
	boundary *iamtypes.PermissionsBoundaryDecisionDetail
}

// decisionOf reads one decision. An answer names the organisation's part for all
// resources together: a resource is one that it does not allow where the denial names no
// statement, as those of service control policies are not listed.
func decisionOf(action, resource string, p part) Decision {
	d := Decision{
		Action: action, Resource: resource, Missing: p.missing,
		Allowed:  p.decided == iamtypes.PolicyEvaluationDecisionTypeAllowed,
		Explicit: p.decided == iamtypes.PolicyEvaluationDecisionTypeExplicitDeny,
		Boundary: p.boundary != nil && !p.boundary.AllowedByPermissionsBoundary,
	}
	for _, s := range p.matched {
		if id := aws.ToString(s.SourcePolicyId); !slices.Contains(d.Policies, id) {
			d.Policies = append(d.Policies, id)
		}
	}
	d.Organization = p.capped && !d.Allowed && len(p.matched) == 0
	return d
}

// typeOfKey are the types of the condition keys that are no strings.
var typeOfKey = map[string]iamtypes.ContextKeyTypeEnum{
	"aws:CurrentTime": iamtypes.ContextKeyTypeEnumDate, "aws:SourceIp": iamtypes.ContextKeyTypeEnumIp,
	"aws:MultiFactorAuthAge":         iamtypes.ContextKeyTypeEnumNumeric,
	"aws:MultiFactorAuthPresent":     iamtypes.ContextKeyTypeEnumBoolean,
	"aws:PrincipalIsAWSService":      iamtypes.ContextKeyTypeEnumBoolean,
	"aws:SecureTransport":            iamtypes.ContextKeyTypeEnumBoolean,
	"aws:ViaAWSService":              iamtypes.ContextKeyTypeEnumBoolean,
	"ssm:SessionDocumentAccessCheck": iamtypes.ContextKeyTypeEnumBoolean,
}

func contextEntries(values map[string][]string) []iamtypes.ContextEntry {
	entries := make([]iamtypes.ContextEntry, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		kind, known := typeOfKey[key]
		if !known {
			kind = iamtypes.ContextKeyTypeEnumString
		}
		entries = append(entries, iamtypes.ContextEntry{ContextKeyName: &key, ContextKeyType: kind, ContextKeyValues: values[key]})
	}
	return entries
}

// CallContext are the condition keys of every call of a principal in a region, as far as
// they are known. Each caller may add to it. The resources are taken for those of the
// principal's own account.
func CallContext(principalARN, region string) map[string][]string {
	values := map[string][]string{
		"aws:PrincipalArn":          {principalARN},
		"aws:RequestedRegion":       {region},
		"aws:SecureTransport":       {"true"},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:ViaAWSService":         {"false"},
	}
	if account := accountOf(principalARN); account != "" {
		values["aws:PrincipalAccount"], values["aws:ResourceAccount"] = []string{account}, []string{account}
	}
	return values
}

// accountOf is the account in an ARN; "" for none.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
