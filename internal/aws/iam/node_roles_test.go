package iam

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestWhatASimulationCannotKnowIsNotTakenForCertain(t *testing.T) {
	const (
		allow   = iamtypes.PolicyEvaluationDecisionTypeAllowed
		nothing = iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
		deny    = iamtypes.PolicyEvaluationDecisionTypeExplicitDeny
	)
	keys, node := []string{"s3:prefix"}, []string{"ssm:SourceInstanceARN"}
	statement := []iamtypes.Statement{{SourcePolicyId: aws.String("deny")}}
	for name, c := range map[string]struct {
		action   string
		decided  iamtypes.PolicyEvaluationDecisionType
		missing  []string
		matched  []iamtypes.Statement
		capped   bool
		want     Allowance
		unjudged bool
	}{
		"allowed":                          {action: "ssm:UpdateInstanceInformation", decided: allow, want: Allowance{Allowed: true}},
		"allowed, without keys":            {action: "ssm:UpdateInstanceInformation", decided: allow, missing: keys, matched: statement, unjudged: true},
		"nothing allows":                   {action: "s3:PutObject", decided: nothing},
		"nothing allows, without keys":     {action: "ssmmessages:OpenDataChannel", decided: nothing, missing: keys},
		"the node may be allowed":          {action: "ssm:UpdateInstanceInformation", decided: nothing, missing: node, want: Allowance{Conditions: node}},
		"conditions may allow to write":    {action: "s3:PutObject", decided: nothing, missing: keys, unjudged: true},
		"denied":                           {action: "ssm:UpdateInstanceInformation", decided: deny, matched: statement},
		"denied, unless keys are as meant": {action: "ssm:UpdateInstanceInformation", decided: deny, missing: keys, matched: statement, unjudged: true},
		"denied by the organisation":       {action: "ssm:UpdateInstanceInformation", decided: deny, capped: true, want: Allowance{Organization: true}},
		"denied, beside the organisation":  {action: "ssm:UpdateInstanceInformation", decided: deny, matched: statement, capped: true},
	} {
		t.Run(name, func(t *testing.T) {
			organization := &iamtypes.OrganizationsDecisionDetail{AllowedByOrganizations: !c.capped}
			whole := iamtypes.EvaluationResult{
				EvalActionName: &c.action, EvalResourceName: aws.String("*"), OrganizationsDecisionDetail: organization,
				EvalDecision: c.decided, MissingContextValues: c.missing, MatchedStatements: c.matched,
			}
			parts := iamtypes.EvaluationResult{
				EvalActionName: &c.action, EvalDecision: allow, EvalResourceName: aws.String("arn:${Partition}:x"), OrganizationsDecisionDetail: organization,
				ResourceSpecificResults: []iamtypes.ResourceSpecificResult{{
					EvalResourceName: aws.String("*"), EvalResourceDecision: c.decided, MissingContextValues: c.missing, MatchedStatements: c.matched,
				}},
			}
			for _, r := range []iamtypes.EvaluationResult{whole, parts} {
				decisions := decisionsOf(&r)
				if len(decisions) != 1 || decisions[0].Resource != "*" {
					t.Fatalf("decisions %+v", decisions)
				}
				got, judged := allowanceOf(&decisions[0])
				if judged == c.unjudged || !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %+v, judged: %v", got, judged)
				}
			}
		})
	}
}
