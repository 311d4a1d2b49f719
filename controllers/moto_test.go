package controllers_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/moto"
)

func TestAccessComesAndGoesAgainstMoto(t *testing.T) {
	config := aws.Config{
		Region: region, BaseEndpoint: aws.String(moto.Start(t)), HTTPClient: &http.Client{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", ""),
	}
	admin := awsiam.NewFromConfig(config)
	w := worldWithoutManager(t)
	_, err := admin.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: aws.String("user01")})
	w.must(err)
	w.Manager(t, testenv.ManagerOptions{AWS: &config})

	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = moto.AccountID })
	grant := access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	verified := w.accountIs(main, v1alpha1.ReasonVerified)
	listing := condition(verified.Status.Conditions, v1alpha1.ConditionSessionListing)
	if listing.Reason != v1alpha1.ReasonNeverListed {
		t.Errorf("SessionListing is %+v, and moto cannot list sessions", listing)
	}
	w.sentence(listing.Message, region)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if n := attached(t, admin); n != 1 {
		t.Errorf("user01 has %d policies, want 1", n)
	}

	w.must(w.Client.Delete(t.Context(), grant))
	held := w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.sentence(condition(held.Status.Conditions, v1alpha1.ConditionReady).Message, "BestEffort")
	if n := attached(t, admin); n != 0 {
		t.Errorf("user01 has %d policies, want none", n)
	}
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
}

func attached(t *testing.T, admin *awsiam.Client) int {
	t.Helper()
	out, err := admin.ListAttachedUserPolicies(t.Context(), &awsiam.ListAttachedUserPoliciesInput{UserName: aws.String("user01")})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.AttachedPolicies)
}
