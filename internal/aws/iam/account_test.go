package iam

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/emulated"
)

const roleARN = "arn:aws:iam::" + testAccount + ":role/deploy"

// asOperator has the pool start out with the credentials of a user.
func asOperator(o *awsclient.Options) {
	o.Base.Credentials = credentials.NewStaticCredentialsProvider("AKIAOPERATOROPERATOR", "operator-secret", "")
}

func (w *world) assume(externalID string) *Account {
	return w.pool.Account(awsclient.Config{AccountID: testAccount, RoleARN: roleARN, ExternalID: externalID, Region: testRegion})
}

func TestWrongExternalIDIsRefusedAndHealsWhenItIsRight(t *testing.T) {
	w := newWorld(t, asOperator)
	account := w.assume("wrong")
	err := account.CreatePolicy(t.Context(), NewPolicy{Name: testPolicy, Document: grantA})
	if awserr.Classify(err) != awserr.Refused || awserr.Action(err) != "sts:AssumeRole" {
		t.Fatalf("got %v: %s of %s", err, awserr.Classify(err), awserr.Action(err))
	}
	if got := awserr.UserMessage(err); !strings.Contains(got, "trust policy") {
		t.Errorf("sentence: %s", got)
	}
	w.must(w.assume("abc").CreatePolicy(t.Context(), NewPolicy{Name: testPolicy, Document: grantA}))
}

func TestCredentialsOfAnotherAccountReadAndWriteNothing(t *testing.T) {
	w := newWorld(t)
	w.must(w.aws.AddAccount(fixtures.Account{ID: "111111111111"}))
	account := w.pool.Account(awsclient.Config{AccountID: "111111111111", Region: testRegion})
	_, identityErr := account.Identity(t.Context())
	_, refreshErr := account.Cache().Refresh(t.Context())
	for what, err := range map[string]error{
		"identity": identityErr, "refresh": refreshErr,
		"create": account.CreatePolicy(t.Context(), NewPolicy{Name: testPolicy, Document: grantA}),
		"delete": account.DeletePolicy(t.Context(), testPolicy),
	} {
		wrong := wantError[*awserr.WrongAccountError](t, err)
		if wrong.Want != "111111111111" || wrong.Got != testAccount {
			t.Errorf("%s: %v", what, wrong)
		}
	}
	w.wantCalls()
	if account.Cache().filled() {
		t.Error("the cache was filled")
	}
}

func TestRoleMadeAnewIsAssumedAnew(t *testing.T) {
	w := newWorld(t, asOperator)
	account := w.assume("abc")
	_, err := account.Cache().Refresh(t.Context())
	w.must(err)
	_, err = w.stranger.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("deploy")})
	w.must(err)
	if _, err := account.Cache().Refresh(t.Context()); awserr.Classify(err) != awserr.Refused {
		t.Fatalf("with the role gone: %v", err)
	}
	_, err = w.stranger.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String("deploy"), AssumeRolePolicyDocument: aws.String(emulated.Trust),
	})
	w.must(err)
	_, err = account.Cache().Refresh(t.Context())
	w.must(err)
	if got := w.aws.Calls().ByAction["sts:AssumeRole"]; got < 2 {
		t.Errorf("assumed %d times: the credentials of the former role are still in use", got)
	}
}

func TestChangedWayToTheAccountKeepsTheCacheAndForgettingDropsIt(t *testing.T) {
	w := newWorld(t, asOperator)
	w.refresh()
	if account := w.assume("abc"); account != w.account || !account.Cache().filled() {
		t.Error("the cache was lost")
	}
	w.pool.Forget(testAccount)
	if account := w.assume("abc"); account == w.account || account.Cache().filled() {
		t.Error("the account was not forgotten")
	}
}

func TestThrottledCallsAreRetriedAndSlowTheLimiterDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *awsclient.Options) { o.Rate, o.Burst = 1000, 1000 })
	w.strike(faults.Throttle, "iam:CreatePolicy", 1)
	w.create(testPolicy, grantA)
	w.wantCalls("CreatePolicy")
	rates := w.account.Rates()
	if rates["iam"] > 600 || rates["sts"] != 1000 {
		t.Errorf("rates %v", rates)
	}
}

func TestCallsAreReportedWithCodeAndAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.strike(faults.Unavailable, "iam:GetUser", 1)
	if _, err := w.account.LookUpPrincipal(t.Context(), Principal{Kind: User, Name: "nobody"}); err != nil {
		t.Fatal(err)
	}
	for _, call := range w.All() {
		if call.Operation != "GetUser" {
			continue
		}
		if call.Service != "iam" || call.AccountID != testAccount || call.Code != "NoSuchEntity" || call.Attempts != 2 || call.Duration <= 0 {
			t.Errorf("call %+v", call)
		}
		return
	}
	t.Errorf("GetUser is not among %v", w.All())
}

// What the package calls is allowed by the policy that the operator is shipped
// with, as the demo's fixture holds it.
func TestEverythingCalledIsAllowedToTheOperator(t *testing.T) {
	t.Parallel()
	fixture := fixtures.S1()
	fixture.Accounts[0].RootKeys = emulated.Fixture().Accounts[0].RootKeys
	w := newWorldOf(t, fixture, func(o *awsclient.Options) {
		o.Base.Credentials = credentials.NewStaticCredentialsProvider("AKIAEMULATEDOPERATOR", "emulated-secret-of-the-operator", "")
	})
	w.aws.SetEvaluateIAM(true)
	account := w.pool.Account(awsclient.Config{
		AccountID: testAccount, RoleARN: "arn:aws:iam::" + testAccount + ":role/ssm-access-operator", ExternalID: "abc", Region: testRegion,
	})
	ctx := t.Context()
	_, err := account.Quotas(ctx)
	w.must(err)
	w.refresh()
	user := Principal{Kind: User, Name: "user01"}
	role := Principal{Kind: Role, Name: "node"}
	w.must(w.aws.Account(testAccount).IAM.AddGroup(fixtures.Group{Name: "admins"}))
	w.create(testPolicy, grantA)
	for _, principal := range []Principal{user, role, admins} {
		_, err := account.LookUpPrincipal(ctx, principal)
		w.must(err)
		w.must(account.Attach(ctx, testPolicy, principal))
	}
	for range 6 {
		w.must(account.PutDocument(ctx, testPolicy, grantB))
	}
	_, err = account.LookUpPolicy(ctx, testPolicy)
	w.must(err)
	w.renew() // to have DeletePolicy list
	w.must(w.account.DeletePolicy(ctx, testPolicy))

	const node = "i-051cac51072605f39"
	id, err := w.aws.OpenSession("arn:aws:iam::"+testAccount+":user/user01", testRegion, node, "")
	w.must(err)
	region := ssm.In(w.account.Account, testRegion)
	w.must(region.CanListSessions(ctx))
	w.must(region.TerminateSession(ctx, id))
	tags, err := region.NodeTags(ctx, []string{node})
	w.must(err)
	if len(tags) != 1 {
		t.Errorf("tags %v", tags)
	}
}
