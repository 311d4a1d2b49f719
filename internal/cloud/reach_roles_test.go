package cloud

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

func TestWhatASimulationCannotKnowIsNotTakenForCertain(t *testing.T) {
	const (
		allow   = iamtypes.PolicyEvaluationDecisionTypeAllowed
		nothing = iamtypes.PolicyEvaluationDecisionTypeImplicitDeny
		deny    = iamtypes.PolicyEvaluationDecisionTypeExplicitDeny
	)
	keys, statement := []string{"aws:SourceVpc"}, []iamtypes.Statement{{SourcePolicyId: aws.String("deny")}}
	for name, c := range map[string]struct {
		action       string
		decision     decision
		yes, certain bool
	}{
		"allowed":                          {"ssm:UpdateInstanceInformation", decision{decided: allow}, true, true},
		"allowed, without keys":            {"ssm:UpdateInstanceInformation", decision{decided: allow, missing: keys, matched: statement}, false, false},
		"nothing allows":                   {"s3:PutObject", decision{decided: nothing}, false, true},
		"nothing allows, without keys":     {"ssmmessages:OpenDataChannel", decision{decided: nothing, missing: keys}, false, true},
		"conditions may allow to write":    {"s3:PutObject", decision{decided: nothing, missing: keys}, false, false},
		"denied":                           {"ssm:UpdateInstanceInformation", decision{decided: deny, matched: statement}, false, true},
		"denied, unless keys are as meant": {"ssm:UpdateInstanceInformation", decision{decided: deny, missing: keys, matched: statement}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := check.Permission{Action: c.action, Resource: "arn"}
			whole := iamtypes.EvaluationResult{
				EvalActionName: &c.action, EvalResourceName: &p.Resource,
				EvalDecision: c.decision.decided, MissingContextValues: c.decision.missing, MatchedStatements: c.decision.matched,
			}
			parts := iamtypes.EvaluationResult{EvalActionName: &c.action, EvalDecision: allow, ResourceSpecificResults: []iamtypes.ResourceSpecificResult{{
				EvalResourceName: &p.Resource, EvalResourceDecision: c.decision.decided,
				MissingContextValues: c.decision.missing, MatchedStatements: c.decision.matched,
			}}}
			for _, r := range []iamtypes.EvaluationResult{whole, parts} {
				got := map[check.Permission]bool{}
				takeDecisions(&r, map[check.Permission]bool{p: true}, got)
				if yes, certain := got[p]; yes != c.yes || certain != c.certain {
					t.Errorf("got %v, certain: %v; want %v, certain: %v", yes, certain, c.yes, c.certain)
				}
			}
		})
	}
}
