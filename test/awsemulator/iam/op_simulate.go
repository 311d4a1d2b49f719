package iam

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// onSource is the check of a simulation, on the principal it is about.
func (a *Account) onSource(r *service.Request, arn *string) []service.Check {
	c := service.Check{Action: "iam:SimulatePrincipalPolicy", Resource: aws.ToString(arn)}
	if e, ok := a.ForEvaluation(r.Now).EntityByARN(aws.ToString(arn)); ok {
		setResourceTags(&c.Context, e.Tags)
	}
	return []service.Check{c}
}

// EntityByARN finds a user, group or role by its whole ARN.
func (s *State) EntityByARN(arn string) (*Entity, bool) {
	_, resource, _ := strings.Cut(arn, ":iam::")
	for _, kind := range []Kind{User, Group, Role} {
		if strings.Contains(resource, ":"+resourceOf(kind)+"/") {
			e, ok := s.Entity(kind, nameOfARN(arn))
			return e, ok && e.ARN == arn
		}
	}
	return nil, false
}

func (a *Account) simulatePrincipalPolicy(r *service.Request, in *sdk.SimulatePrincipalPolicyInput) (*sdk.SimulatePrincipalPolicyOutput, error) {
	s := a.read(r.Now)
	e, ok := s.EntityByARN(aws.ToString(in.PolicySourceArn))
	if !ok {
		return nil, wire.Errorf(404, "NoSuchEntity", "No user, group or role has the ARN %s.", aws.ToString(in.PolicySourceArn))
	}
	policies := s.policiesFor(a, e)
	given, err := inputPolicies("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	policies.Identity = append(policies.Identity, given...)
	results, err := simulate(in, policies)
	if err != nil {
		return nil, err
	}
	p, err := paginate(a, in.Marker, in.MaxItems, results.After, nil)
	if err != nil {
		return nil, err
	}
	return &sdk.SimulatePrincipalPolicyOutput{EvaluationResults: p.items, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// simulateCustomPolicy judges policies that are attached to no principal.
func (a *Account) simulateCustomPolicy(_ *service.Request, in *sdk.SimulateCustomPolicyInput) (*sdk.SimulateCustomPolicyOutput, error) {
	var policies authz.Policies
	identity, err := inputPolicies("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	policies.Identity = identity
	boundaries, err := inputPolicies("PermissionsBoundaryPolicyInputList", in.PermissionsBoundaryPolicyInputList)
	if err != nil {
		return nil, err
	}
	if len(boundaries) > 0 {
		policies.Boundary = &boundaries[0]
	}
	results, err := simulate(&sdk.SimulatePrincipalPolicyInput{
		ActionNames: in.ActionNames, ContextEntries: in.ContextEntries, ResourceArns: in.ResourceArns,
	}, policies)
	if err != nil {
		return nil, err
	}
	p, err := paginate(a, in.Marker, in.MaxItems, results.After, nil)
	if err != nil {
		return nil, err
	}
	return &sdk.SimulateCustomPolicyOutput{EvaluationResults: p.items, IsTruncated: p.truncated, Marker: p.marker}, nil
}

// inputPolicies reads the policies of a simulation.
func inputPolicies(name string, texts []string) ([]authz.Policy, error) {
	policies := make([]authz.Policy, 0, len(texts))
	for i, text := range texts {
		document, err := authz.Parse([]byte(text))
		if err != nil {
			return nil, invalidInput("Invalid policy document %d: %v", i+1, err)
		}
		policies = append(policies, authz.Policy{Name: name, Document: document})
	}
	return policies, nil
}

// policiesFor gathers the policies of any entity; a group has only its own.
func (s *State) policiesFor(a *Account, e *Entity) authz.Policies {
	if e.Kind == Group {
		return authz.Policies{Identity: s.identityPolicies(e), Organization: s.organization}
	}
	policies, _ := PoliciesOf(s, a.CallerOf(e, "simulation"))
	return policies
}

// anyResource is what a simulation without resources is about.
const anyResource = "*"

// simulate judges every action on every resource. Each action has one result. What it
// says of a single resource is in its ResourceSpecificResults, unless the simulation is
// about none.
func simulate(in *sdk.SimulatePrincipalPolicyInput, policies authz.Policies) (ordered.Map[types.EvaluationResult], error) {
	results := ordered.New[types.EvaluationResult]()
	var ctx authz.Context
	for _, entry := range in.ContextEntries {
		ctx.Set(aws.ToString(entry.ContextKeyName), entry.ContextKeyValues...)
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{anyResource}
	}
	for _, action := range in.ActionNames {
		var parts []simulated
		for _, resource := range resources {
			part, err := simulateOne(authz.Request{Action: action, Resource: resource, Context: ctx}, policies)
			if err != nil {
				return results, invalidInput("%v", err)
			}
			parts = append(parts, part)
		}
		results = results.With(action, resultOf(action, parts, policies))
	}
	return results, nil
}

// simulated is the result of one action on one resource.
type simulated struct {
	resource string
	decision types.PolicyEvaluationDecisionType
	// byOrganization and byBoundary are whether these allow it.
	byOrganization, byBoundary bool
	matched                    []types.Statement
	missing                    []string
}

// simulateOne judges by the service control policies first: where one denies, the
// simulation ends, and the answer names neither their statements nor the keys that their
// conditions lack.
func simulateOne(r authz.Request, policies authz.Policies) (simulated, error) {
	out := simulated{resource: r.Resource, matched: []types.Statement{}, missing: []string{}, byBoundary: true}
	organization, err := authz.EvaluateOrganization(r, policies.Organization)
	if err != nil {
		return out, err
	}
	if out.byOrganization = organization.Allowed(); !out.byOrganization {
		out.decision = types.PolicyEvaluationDecisionTypeExplicitDeny
		return out, nil
	}
	if policies.Boundary != nil {
		d, err := authz.Evaluate(r, authz.Policies{Identity: []authz.Policy{*policies.Boundary}})
		if err != nil {
			return out, err
		}
		out.byBoundary = d.Allowed()
	}
	policies.Organization = nil
	d, err := authz.Evaluate(r, policies)
	if err != nil {
		return out, err
	}
	out.decision = types.PolicyEvaluationDecisionType(d.Outcome.String())
	if d.Policy != "" {
		out.matched = append(out.matched, types.Statement{SourcePolicyId: aws.String(d.Policy)})
	}
	out.missing = missingKeys(policies, r.Context)
	return out, nil
}

// missingKeys are the condition keys of all policies, whatever they are about, that the
// simulation was not given.
func missingKeys(policies authz.Policies, ctx authz.Context) []string {
	all := policies.Identity
	if policies.Boundary != nil {
		all = append(slices.Clone(all), *policies.Boundary)
	}
	missing := []string{}
	for _, p := range all {
		for _, key := range p.Document.ConditionKeys() {
			if len(ctx.Values(key)) == 0 {
				missing = append(missing, key)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// resultOf puts together what an action came to on each resource: the most restrictive
// decision counts.
func resultOf(action string, parts []simulated, policies authz.Policies) types.EvaluationResult {
	result := types.EvaluationResult{
		EvalActionName: aws.String(action), EvalResourceName: aws.String(templateOf(action)),
		MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
	}
	order := []types.PolicyEvaluationDecisionType{
		types.PolicyEvaluationDecisionTypeAllowed, types.PolicyEvaluationDecisionTypeImplicitDeny, types.PolicyEvaluationDecisionTypeExplicitDeny,
	}
	worst, byOrganization, byBoundary := 0, true, true
	for i := range parts {
		part := &parts[i]
		worst = max(worst, slices.Index(order, part.decision))
		byOrganization, byBoundary = byOrganization && part.byOrganization, byBoundary && part.byBoundary
		result.MatchedStatements = append(result.MatchedStatements, part.matched...)
		result.MissingContextValues = append(result.MissingContextValues, part.missing...)
	}
	slices.Sort(result.MissingContextValues)
	result.MissingContextValues = slices.Compact(result.MissingContextValues)
	result.EvalDecision = order[worst]
	if policies.Organization != nil {
		result.OrganizationsDecisionDetail = &types.OrganizationsDecisionDetail{AllowedByOrganizations: byOrganization}
	}
	if policies.Boundary != nil {
		result.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: byBoundary}
	}
	if len(parts) == 1 && parts[0].resource == anyResource {
		result.EvalResourceName = aws.String(anyResource)
		return result
	}
	for i := range parts {
		part := &parts[i]
		specific := types.ResourceSpecificResult{
			EvalResourceName: aws.String(part.resource), EvalResourceDecision: part.decision,
			MatchedStatements: part.matched, MissingContextValues: part.missing,
		}
		if policies.Boundary != nil {
			specific.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: part.byBoundary}
		}
		result.ResourceSpecificResults = append(result.ResourceSpecificResults, specific)
	}
	return result
}

// templateOf stands for the ARN template of the action's resource type.
func templateOf(action string) string {
	service, _, _ := strings.Cut(action, ":")
	return "arn:${Partition}:" + service + ":${Region}:${Account}:${Resource}"
}
