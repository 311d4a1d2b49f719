package iam

import (
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
	for i, text := range in.PolicyInputList {
		document, err := authz.Parse([]byte(text))
		if err != nil {
			return nil, invalidInput("Invalid policy document %d: %v", i+1, err)
		}
		policies.Identity = append(policies.Identity, authz.Policy{Name: "PolicyInputList", Document: document})
	}
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

// policiesFor gathers the policies of any entity; a group has only its own.
func (s *State) policiesFor(a *Account, e *Entity) authz.Policies {
	if e.Kind == Group {
		return authz.Policies{Identity: s.identityPolicies(e)}
	}
	policies, _ := PoliciesOf(s, a.CallerOf(e, "simulation"))
	return policies
}

// simulate judges every action on every resource.
func simulate(in *sdk.SimulatePrincipalPolicyInput, policies authz.Policies) (ordered.Map[types.EvaluationResult], error) {
	results := ordered.New[types.EvaluationResult]()
	var ctx authz.Context
	for _, entry := range in.ContextEntries {
		ctx.Set(aws.ToString(entry.ContextKeyName), entry.ContextKeyValues...)
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	for _, action := range in.ActionNames {
		for _, resource := range resources {
			d, err := authz.Evaluate(authz.Request{Action: action, Resource: resource, Context: ctx}, policies)
			if err != nil {
				return results, invalidInput("%v", err)
			}
			result := types.EvaluationResult{
				EvalActionName: aws.String(action), EvalResourceName: aws.String(resource),
				EvalDecision:      types.PolicyEvaluationDecisionType(d.Outcome.String()),
				MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
			}
			if d.Policy != "" {
				result.MatchedStatements = append(result.MatchedStatements, types.Statement{SourcePolicyId: aws.String(d.Policy)})
			}
			results = results.With(action+"\x00"+resource, result)
		}
	}
	return results, nil
}
