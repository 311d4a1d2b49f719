// Package sts is the STS of the emulated accounts: who calls, and roles that
// are assumed.
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

// World is what STS needs of the emulator.
type World struct {
	// Account finds an account by its id.
	Account func(id string) (*iam.Account, bool)
	// Random makes keys and tokens.
	Random *service.Random
	// MayAssume judges a caller that wants the role.
	MayAssume func(r *service.Request, role *iam.Entity, ctx authz.Context) error
	// WallClock is the machine's time: clients judge by it when credentials
	// expire, so credentials live by it too.
	WallClock func() time.Time
}

var (
	sessionNamePattern = service.NewPattern("roleSessionName", `[\w+=,.@-]*`, 2, 64)
	externalIDPattern  = service.NewPattern("externalId", `[\w+=,.@:\/-]*`, 2, 1224)
	roleARNPattern     = service.NewPattern("roleArn", `[\x{09}\x{0A}\x{0D}\x{20}-\x{7E}\x{85}\x{A0}-\x{D7FF}\x{E000}-\x{FFFD}]+`, 20, 2048)
)

// Service returns STS.
func (w *World) Service() *service.Service {
	of := func(*service.Request) *World { return w }
	return &service.Service{
		Name: "sts", Dialect: wire.STS,
		Operations: service.Collect([]service.Operation{
			// GetCallerIdentity needs no permission. What AssumeRole needs
			// depends on the role's trust policy, and is judged in the call.
			service.Define(of, "GetCallerIdentity", service.Read, nil, (*World).getCallerIdentity),
			service.Define(of, "GetFederationToken", service.Read, (*World).onFederatedUser, (*World).getFederationToken).Require("Name"),
			service.Define(of, "GetSessionToken", service.Read, nil, (*World).getSessionToken),
			service.Define(of, "AssumeRole", service.Read, nil, (*World).assumeRole).Require("RoleArn", "RoleSessionName"),
		}),
	}
}

func (w *World) getCallerIdentity(r *service.Request, _ *sdk.GetCallerIdentityInput) (*sdk.GetCallerIdentityOutput, error) {
	return &sdk.GetCallerIdentityOutput{
		Account: aws.String(r.Caller.AccountID), Arn: aws.String(r.Caller.ARN), UserId: aws.String(r.Caller.UserID),
	}, nil
}

func (w *World) assumeRole(r *service.Request, in *sdk.AssumeRoleInput) (*sdk.AssumeRoleOutput, error) {
	session := aws.ToString(in.RoleSessionName)
	if err := sessionNamePattern.Check(session); err != nil {
		return nil, err
	}
	if in.ExternalId != nil {
		if err := externalIDPattern.Check(*in.ExternalId); err != nil {
			return nil, err
		}
	}
	if err := roleARNPattern.Check(aws.ToString(in.RoleArn)); err != nil {
		return nil, err
	}
	seconds, err := service.InRange("durationSeconds", in.DurationSeconds, 900, 43200, 3600)
	if err != nil {
		return nil, err
	}
	account, role, err := w.findRole(r, aws.ToString(in.RoleArn))
	if err != nil {
		return nil, err
	}
	if err := w.MayAssume(r, role, requestContext(in)); err != nil {
		return nil, err
	}
	if seconds > int(role.MaxSessionDuration) {
		return nil, wire.Errorf(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	policies, err := sessionPolicies(account, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	k := iam.AccessKey{
		ID: w.Random.AccessKeyID("ASIA"), Secret: w.Random.Secret(40), SessionToken: w.Random.Secret(64),
		OwnerKind: iam.Role, Owner: role.Name, SessionName: session,
		Expires: w.WallClock().Add(time.Duration(seconds) * time.Second), SessionPolicies: policies,
	}
	account.AddKey(k)
	identity := account.CallerOf(role, session)
	return &sdk.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(identity.ARN), AssumedRoleId: aws.String(identity.UserID)},
		Credentials:     credentialsOf(k),
	}, nil
}

func credentialsOf(k iam.AccessKey) *types.Credentials {
	return &types.Credentials{
		AccessKeyId: aws.String(k.ID), SecretAccessKey: aws.String(k.Secret),
		SessionToken: aws.String(k.SessionToken), Expiration: aws.Time(k.Expires),
	}
}

// requestContext holds the condition keys that a trust policy may ask for.
func requestContext(in *sdk.AssumeRoleInput) authz.Context {
	var ctx authz.Context
	ctx.Set("sts:RoleSessionName", aws.ToString(in.RoleSessionName))
	if in.ExternalId != nil {
		ctx.Set("sts:ExternalId", *in.ExternalId)
	}
	for _, t := range in.Tags {
		ctx.Set("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
	}
	return ctx
}

// sessionPolicies reads the policies that narrow the session.
func sessionPolicies(account *iam.Account, inline *string, arns []types.PolicyDescriptorType) ([]authz.Policy, error) {
	var policies []authz.Policy
	if inline != nil {
		document, err := authz.Parse([]byte(*inline))
		if err != nil {
			return nil, wire.Errorf(400, "MalformedPolicyDocument", "%v", err)
		}
		policies = append(policies, authz.Policy{Name: "session policy", Document: document})
	}
	for _, p := range arns {
		policy, ok := account.Latest().Policy(aws.ToString(p.Arn))
		if !ok {
			return nil, wire.Errorf(400, "ValidationError", "The policy %s does not exist.", aws.ToString(p.Arn))
		}
		policies = append(policies, authz.Policy{Name: policy.ARN, Document: policy.DefaultVersion().Parsed})
	}
	return policies, nil
}

// findRole finds the role. For one that does not exist, access is denied as for
// one that trusts another principal, because AWS does not distinguish the two.
func (w *World) findRole(r *service.Request, arn string) (*iam.Account, *iam.Entity, error) {
	if account, ok := w.Account(accountOf(arn)); ok {
		if role, ok := account.ForEvaluation(r.Now).EntityByARN(arn); ok && role.Kind == iam.Role {
			return account, role, nil
		}
	}
	return nil, nil, Denied(r.Caller.ARN, arn)
}

// Denied is the error for a role that a caller is not allowed to assume.
func Denied(callerARN, roleARN string) error {
	return wire.Errorf(403, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", callerARN, roleARN)
}
