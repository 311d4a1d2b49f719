package iam

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/moto"
)

func TestCacheAndWritesWorkAgainstMoto(t *testing.T) {
	t.Parallel()
	base := aws.Config{
		Region: testRegion, BaseEndpoint: aws.String(moto.Start(t)),
		Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", ""),
		HTTPClient:  &http.Client{},
	}
	clock := clocktesting.NewFakePassiveClock(time.Now())
	account := NewPool(awsclient.NewPool(awsclient.Options{Base: base, OwnerID: testOwner, Rate: 1000, Burst: 1000}), clock).
		Account(awsclient.Config{AccountID: moto.AccountID, Region: testRegion})
	cache := account.Cache()
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
	_, err = cache.Refresh(ctx)
	must(err)
	must(account.CreatePolicy(ctx, NewPolicy{Name: testPolicy, Document: grantA, Tags: map[string]string{"a": "b"}}))
	must(account.Attach(ctx, testPolicy, alice))
	for range 6 {
		must(account.PutDocument(ctx, testPolicy, grantB))
	}

	clock.SetTime(clock.Now().Add(2 * awsclient.ConsistencyWindow))
	report, err := cache.Refresh(ctx)
	must(err)
	if len(report.Drifts) != 0 || report.Users != 1 || report.Policies != 1 {
		t.Errorf("report %+v", report)
	}
	view := cache.Policy(testPolicy)
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
	clock.SetTime(clock.Now().Add(awsclient.ConsistencyWindow))
	_, err = cache.Refresh(ctx)
	must(err)
	if !cache.Policy(testPolicy).Gone() {
		t.Errorf("still there: %+v", cache.Policy(testPolicy))
	}
	if err := ssm.In(account.Account, testRegion).CanListSessions(ctx); awserr.Classify(err) != awserr.Transport {
		t.Errorf("listing sessions, which moto cannot: %s, %v", awserr.Classify(err), err)
	}
}
