package sts

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// Tokens that an IAM user gets for itself: GetSessionToken gives credentials of
// the user, GetFederationToken credentials of a federated user under a name that
// the caller chooses.

var federatedNamePattern = service.NewPattern("name", `[\w+=,.@-]*`, 2, 32)

// nothingPassed replaces the session policies that were not passed: a federated
// token without any has only what every caller may do.
var nothingPassed = func() authz.Policy {
	document, err := authz.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}`))
	if err != nil {
		panic(err) // The text is part of the program.
	}
	return authz.Policy{Name: "no session policy", Document: document}
}()

// onFederatedUser is the check of GetFederationToken.
func (w *World) onFederatedUser(r *service.Request, in *sdk.GetFederationTokenInput) []service.Check {
	return []service.Check{{
		Action: "sts:GetFederationToken", Resource: federatedARN(r.Caller, aws.ToString(in.Name)),
	}}
}

func federatedARN(c service.Caller, name string) string {
	return "arn:" + c.Partition + ":sts::" + c.AccountID + ":federated-user/" + name
}

func (w *World) getFederationToken(r *service.Request, in *sdk.GetFederationTokenInput) (*sdk.GetFederationTokenOutput, error) {
	name := aws.ToString(in.Name)
	if err := federatedNamePattern.Check(name); err != nil {
		return nil, err
	}
	account, k, err := w.tokenOf(r, "GetFederationToken", in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	if k.SessionPolicies, err = sessionPolicies(account, in.Policy, in.PolicyArns); err != nil {
		return nil, err
	}
	if len(k.SessionPolicies) == 0 {
		k.SessionPolicies = []authz.Policy{nothingPassed}
	}
	k.FederatedName = name
	account.AddKey(k)
	return &sdk.GetFederationTokenOutput{
		Credentials: credentialsOf(k),
		FederatedUser: &types.FederatedUser{
			Arn: aws.String(federatedARN(r.Caller, name)), FederatedUserId: aws.String(r.Caller.AccountID + ":" + name),
		},
	}, nil
}

func (w *World) getSessionToken(r *service.Request, in *sdk.GetSessionTokenInput) (*sdk.GetSessionTokenOutput, error) {
	account, k, err := w.tokenOf(r, "GetSessionToken", in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	if in.TokenCode != nil {
		k.MFA, k.MFAAt = true, r.Now
	}
	account.AddKey(k)
	return &sdk.GetSessionTokenOutput{Credentials: credentialsOf(k)}, nil
}

// tokenOf makes temporary credentials of the calling user. AWS gives them for
// long-term keys only; those of the root user are not emulated.
func (w *World) tokenOf(r *service.Request, operation string, duration *int32) (*iam.Account, iam.AccessKey, error) {
	if r.Caller.Kind != service.UserCaller || r.Caller.MFA != nil {
		return nil, iam.AccessKey{}, wire.Errorf(403, "AccessDenied", "Cannot call %s with session credentials", operation)
	}
	seconds, err := service.InRange("durationSeconds", duration, 900, 129600, 43200)
	if err != nil {
		return nil, iam.AccessKey{}, err
	}
	account, ok := w.Account(r.Caller.AccountID)
	if !ok {
		return nil, iam.AccessKey{}, wire.Errorf(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	return account, iam.AccessKey{
		ID: w.Random.AccessKeyID("ASIA"), Secret: w.Random.Secret(40), SessionToken: w.Random.Secret(64),
		OwnerKind: iam.User, Owner: r.Caller.Name, Expires: w.WallClock().Add(time.Duration(seconds) * time.Second),
	}, nil
}
