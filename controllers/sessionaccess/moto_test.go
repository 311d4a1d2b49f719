package sessionaccess_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv/moto"
)

func TestAccessComesAndGoesAgainstMoto(t *testing.T) {
	config := aws.Config{
		Region: scenario.Region, BaseEndpoint: aws.String(moto.Start(t)), HTTPClient: &http.Client{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAMOTO", "secret", ""),
	}
	admin := awsiam.NewFromConfig(config)
	w := worldWithoutManager(t)
	_, err := admin.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: aws.String("user01")})
	w.Must(err)
	w.Manager(t, testenv.ManagerOptions{AWS: &config})

	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.AccountID = moto.AccountID })
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	verified := w.AwaitAccount(main, v1alpha1.ReasonVerified)
	listing := scenario.Condition(verified.Status.Conditions, v1alpha1.ConditionSessionsListable)
	if listing.Reason != v1alpha1.ReasonNeverListed {
		t.Errorf("SessionsListable is %+v, and moto cannot list sessions", listing)
	}
	w.ExpectSentence(listing.Message, scenario.Region)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if n := attached(t, admin); n != 1 {
		t.Errorf("user01 has %d policies, want 1", n)
	}

	w.Must(w.Client.Delete(t.Context(), grant))
	held := w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.ExpectSentence(scenario.Condition(held.Status.Conditions, v1alpha1.ConditionReady).Message, "BestEffort")
	if n := attached(t, admin); n != 0 {
		t.Errorf("user01 has %d policies, want none", n)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
}

func attached(t *testing.T, admin *awsiam.Client) int {
	t.Helper()
	out, err := admin.ListAttachedUserPolicies(t.Context(), &awsiam.ListAttachedUserPoliciesInput{UserName: aws.String("user01")})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.AttachedPolicies)
}
