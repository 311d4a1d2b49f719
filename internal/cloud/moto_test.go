package cloud

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/moto"
)

func TestMirrorAndWritesWorkAgainstMoto(t *testing.T) {
	t.Parallel()
	base := aws.Config{
		Region: testRegion, BaseEndpoint: aws.String(moto.Start(t)),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", ""),
		HTTPClient:  withPlainBody(&http.Client{}),
	}
	clock := clocktesting.NewFakePassiveClock(time.Now())
	account := NewPool(PoolOptions{Base: base, OwnerID: testOwner, Rate: 1000, Burst: 1000, Clock: clock}).
		Account(Config{AccountID: moto.AccountID, Region: testRegion})
	mirror := account.Mirror()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := iam.NewFromConfig(base).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")})
	must(err)
	quotas, err := account.Quotas(ctx)
	must(err)
	if quotas.PolicySize <= 0 || quotas.VersionsPerPolicy <= 0 || quotas.AttachedPoliciesPerUser <= 0 {
		t.Errorf("quotas %+v", quotas)
	}
	_, err = mirror.Refresh(ctx)
	must(err)
	must(account.CreatePolicy(ctx, NewPolicy{Name: testPolicy, Document: grantA, Tags: map[string]string{"a": "b"}}))
	must(account.Attach(ctx, testPolicy, alice))
	for range 6 {
		must(account.PutDocument(ctx, testPolicy, grantB))
	}

	clock.SetTime(clock.Now().Add(2 * ConsistencyWindow))
	report, err := mirror.Refresh(ctx)
	must(err)
	if len(report.Drifts) != 0 || report.Users != 1 || report.Policies != 1 {
		t.Errorf("report %+v", report)
	}
	view := mirror.Policy(testPolicy)
	presence, proven := view.Attachment(alice)
	if view.Document != grantB || !view.DocumentProven || presence != Present || !proven {
		t.Errorf("view %+v", view)
	}
	looked, err := account.LookUpPolicy(ctx, testPolicy)
	must(err)
	if looked.Document != grantB || !slices.Equal(looked.AttachedTo(), []Principal{alice}) {
		t.Errorf("looked up %+v", looked)
	}

	must(account.DeletePolicy(ctx, testPolicy))
	must(account.DeletePolicy(ctx, testPolicy))
	clock.SetTime(clock.Now().Add(ConsistencyWindow))
	_, err = mirror.Refresh(ctx)
	must(err)
	if !mirror.Policy(testPolicy).Gone() {
		t.Errorf("still there: %+v", mirror.Policy(testPolicy))
	}
	if err := account.CanListSessions(ctx, testRegion); Classify(err) != Transport {
		t.Errorf("listing sessions, which moto cannot: %s, %v", Classify(err), err)
	}
}
