package awsemulator_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

const regionDeny = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"` + region + `"}}}]}`

// simulateStart asks whether user01 may start sessions on both instances.
func (w *world) simulateStart(context ...types.ContextEntry) types.EvaluationResult {
	w.t.Helper()
	out := must(w.iam(admin).SimulatePrincipalPolicy(ctx(w.t), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::" + account + ":user/user01"), ActionNames: []string{"ssm:StartSession"},
		ResourceArns: []string{
			"arn:aws:ec2:" + region + ":" + account + ":instance/" + pc01, "arn:aws:ec2:" + region + ":" + account + ":instance/" + pc02,
		},
		ContextEntries: context,
	}))(w.t)
	if len(out.EvaluationResults) != 1 {
		w.t.Fatalf("%d results for one action", len(out.EvaluationResults))
	}
	return out.EvaluationResults[0]
}

func requestedRegion(value string) types.ContextEntry {
	return types.ContextEntry{ContextKeyName: aws.String("aws:RequestedRegion"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{value}}
}

func TestASimulationAnswersForEachResource(t *testing.T) {
	w := newWorld(t)
	w.attachNew("user01", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ec2:*:*:instance/`+pc01+`","Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}]}`)
	r := w.simulateStart()
	if r.EvalDecision != types.PolicyEvaluationDecisionTypeImplicitDeny || aws.ToString(r.EvalResourceName) != "arn:${Partition}:ssm:${Region}:${Account}:${Resource}" {
		t.Errorf("as a whole it is %s on %s", r.EvalDecision, aws.ToString(r.EvalResourceName))
	}
	if r.OrganizationsDecisionDetail != nil {
		t.Error("an account in no organisation has a decision of one")
	}
	parts := r.ResourceSpecificResults
	if len(parts) != 2 || parts[0].EvalResourceDecision != types.PolicyEvaluationDecisionTypeAllowed || parts[1].EvalResourceDecision != types.PolicyEvaluationDecisionTypeImplicitDeny {
		t.Fatalf("the parts are %+v", parts)
	}
	for _, part := range parts {
		if !slices.Equal(part.MissingContextValues, []string{"aws:sourcevpc"}) {
			t.Errorf("the keys %q are missing", part.MissingContextValues)
		}
	}
	if len(parts[0].MatchedStatements) != 1 || len(parts[1].MatchedStatements) != 0 {
		t.Errorf("the statements are %+v and %+v", parts[0].MatchedStatements, parts[1].MatchedStatements)
	}
}

// attachNew gives a user another policy.
func (w *world) attachNew(user, document string) {
	w.t.Helper()
	arn := w.newPolicy("New", document)
	must(w.iam(admin).AttachUserPolicy(ctx(w.t), &iam.AttachUserPolicyInput{UserName: aws.String(user), PolicyArn: aws.String(arn)}))(w.t)
}

// A condition with a negation holds for a key that the simulation was not given, and
// nothing in the answer says so.
func TestASimulationWithoutContextMeetsARegionDeny(t *testing.T) {
	w := newWorld(t)
	w.attachNew("user01", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}]}`)
	if err := w.Account(account).IAM.SetServiceControlPolicies([]string{emuiam.FullAWSAccess}, []string{emuiam.FullAWSAccess, regionDeny}); err != nil {
		t.Fatal(err)
	}
	r := w.simulateStart()
	if r.EvalDecision != types.PolicyEvaluationDecisionTypeExplicitDeny || r.OrganizationsDecisionDetail == nil || r.OrganizationsDecisionDetail.AllowedByOrganizations {
		t.Errorf("without context it is %s with %+v", r.EvalDecision, r.OrganizationsDecisionDetail)
	}
	for _, part := range r.ResourceSpecificResults {
		if len(part.MissingContextValues) != 0 || len(part.MatchedStatements) != 0 {
			t.Errorf("the answer names what service control policies hold: %+v", part)
		}
	}
	if r := w.simulateStart(requestedRegion(region)); r.EvalDecision != types.PolicyEvaluationDecisionTypeAllowed || !r.OrganizationsDecisionDetail.AllowedByOrganizations {
		t.Errorf("in the region it is %s with %+v", r.EvalDecision, r.OrganizationsDecisionDetail)
	}
	if r := w.simulateStart(requestedRegion("eu-west-1")); r.EvalDecision != types.PolicyEvaluationDecisionTypeExplicitDeny {
		t.Errorf("in another region it is %s", r.EvalDecision)
	}
}

func TestEveryLevelOfAnOrganisationHasToAllow(t *testing.T) {
	const onlyS3 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	w := newWorld(t)
	w.attachNew("user01", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}]}`)
	for _, c := range []struct {
		levels  [][]string
		allowed bool
	}{
		{nil, true},
		{[][]string{{emuiam.FullAWSAccess}, {emuiam.FullAWSAccess}}, true},
		{[][]string{{emuiam.FullAWSAccess}, {onlyS3}}, false},
		{[][]string{{onlyS3}, {emuiam.FullAWSAccess}}, false},
		{[][]string{{onlyS3, emuiam.FullAWSAccess}}, true},
	} {
		if err := w.Account(account).IAM.SetServiceControlPolicies(c.levels...); err != nil {
			t.Fatal(err)
		}
		answer, err := w.May(awsemulator.Question{Principal: "arn:aws:iam::" + account + ":user/user01", Region: region, Target: pc01})
		if err != nil || answer.Allowed != c.allowed {
			t.Errorf("%q: a session may be opened: %v, %v", c.levels, answer, err)
		}
	}
}
