package kms

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// World is the keys of all accounts.
type World struct {
	// Region finds the keys of an account in a region; false when there is no
	// such account.
	Region func(account, region string) (*Region, bool)
}

// Service returns KMS.
func (w *World) Service() *service.Service {
	of := func(*service.Request) *World { return w }
	return &service.Service{Name: "kms", TargetPrefix: "TrentService", Operations: service.Collect([]service.Operation{
		service.Define(of, "DescribeKey", service.Read, func(w *World, r *service.Request, in *sdk.DescribeKeyInput) []service.Check {
			return w.onKey(r, "DescribeKey", in.KeyId)
		}, (*World).describeKey).Require("KeyId"),
		service.Define(of, "GetKeyPolicy", service.Read, func(w *World, r *service.Request, in *sdk.GetKeyPolicyInput) []service.Check {
			return w.onKey(r, "GetKeyPolicy", in.KeyId)
		}, (*World).getKeyPolicy).Require("KeyId"),
		service.Define(of, "GenerateDataKey", service.Write, func(w *World, r *service.Request, in *sdk.GenerateDataKeyInput) []service.Check {
			return inContext(w.onKey(r, "GenerateDataKey", in.KeyId), in.EncryptionContext)
		}, (*World).generateDataKey).Require("KeyId"),
		service.Define(of, "Decrypt", service.Write, func(w *World, r *service.Request, in *sdk.DecryptInput) []service.Check {
			return inContext(w.onKey(r, "Decrypt", aws.String(keyOf(in.CiphertextBlob))), in.EncryptionContext)
		}, (*World).decrypt).Require("CiphertextBlob"),
	})}
}

// find finds a key by the name that a request gives it: an ARN can be that of
// another account's.
func (w *World) find(r service.Scope, ref string) (*Key, bool) {
	account := r.AccountID
	if parsed, err := arn.Parse(ref); err == nil {
		if parsed.Region != r.Region {
			return nil, false
		}
		account = parsed.AccountID
	}
	region, ok := w.Region(account, r.Region)
	if !ok {
		return nil, false
	}
	return region.Key(ref)
}

// scopeOf is where a request asks for its keys.
func scopeOf(r *service.Request) service.Scope {
	return service.Scope{Partition: r.Caller.Partition, Region: r.Region, AccountID: r.Caller.AccountID}
}

func (w *World) onKey(r *service.Request, operation string, ref *string) []service.Check {
	return []service.Check{w.Check(scopeOf(r), operation, aws.ToString(ref))}
}

// Check is the check of an operation on a key that a caller of the scope names. It is
// judged on the key, whatever name it is given. The key policy has the first word; between
// accounts both sides must allow.
func (w *World) Check(r service.Scope, operation, ref string) service.Check {
	c := service.Check{Action: "kms:" + operation, Resource: "arn:" + r.Partition + ":kms:" + r.Region + ":" + r.AccountID + ":key/" + ref}
	c.Context.Set("kms:CallerAccount", r.AccountID)
	k, ok := w.find(r, ref)
	if !ok {
		if strings.HasPrefix(ref, "arn:") {
			c.Resource = ref
		}
		return c
	}
	c.Resource, c.ResourcePolicy, c.Rule = k.ARN, &authz.Policy{Name: k.ARN, Document: k.Parsed}, authz.ResourceAllows
	if k.AccountID != r.AccountID {
		c.Rule = authz.BothAllow
	}
	if _, name, aliased := strings.Cut(ref, "alias/"); aliased {
		c.Context.Set("kms:RequestAlias", "alias/"+name)
	}
	c.Context.Set("kms:ResourceAliases", k.Aliases...)
	return c
}

func (w *World) describeKey(r *service.Request, in *sdk.DescribeKeyInput) (*sdk.DescribeKeyOutput, error) {
	k, ok := w.find(scopeOf(r), aws.ToString(in.KeyId))
	if !ok {
		return nil, w.notFound(r, aws.ToString(in.KeyId))
	}
	return &sdk.DescribeKeyOutput{KeyMetadata: &types.KeyMetadata{
		KeyId: aws.String(k.ID), Arn: aws.String(k.ARN), AWSAccountId: aws.String(k.AccountID), CreationDate: aws.Time(k.Created),
		Description: aws.String(k.Description), Enabled: k.State == string(types.KeyStateEnabled), KeyState: types.KeyState(k.State),
		KeyManager: types.KeyManagerTypeCustomer, KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt,
		Origin: types.OriginTypeAwsKms, MultiRegion: aws.Bool(false),
		EncryptionAlgorithms: []types.EncryptionAlgorithmSpec{types.EncryptionAlgorithmSpecSymmetricDefault},
	}}, nil
}

// keyID is the form of a key's id, which GetKeyPolicy wants: it takes no alias.
var keyID = regexp.MustCompile(`^(arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/)?(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

func (w *World) getKeyPolicy(r *service.Request, in *sdk.GetKeyPolicyInput) (*sdk.GetKeyPolicyOutput, error) {
	ref := aws.ToString(in.KeyId)
	if !keyID.MatchString(ref) {
		return nil, wire.Errorf(400, "NotFoundException", "Invalid keyId %s", ref)
	}
	k, ok := w.find(scopeOf(r), ref)
	if !ok {
		return nil, w.notFound(r, ref)
	}
	if name := aws.ToString(in.PolicyName); name != "" && name != "default" {
		return nil, wire.Errorf(400, "NotFoundException", "No such policy exists")
	}
	return &sdk.GetKeyPolicyOutput{Policy: aws.String(k.Policy), PolicyName: aws.String("default")}, nil
}

func (w *World) notFound(r *service.Request, ref string) error {
	parsed, err := arn.Parse(ref)
	switch {
	case err == nil && parsed.Region != r.Region:
		return wire.Errorf(400, "NotFoundException", "Invalid arn %s", parsed.Region)
	case strings.HasPrefix(ref, "alias/"):
		return wire.Errorf(400, "NotFoundException", "Alias arn:%s:kms:%s:%s:%s is not found.", r.Caller.Partition, r.Region, r.Caller.AccountID, ref)
	case err == nil && strings.HasPrefix(parsed.Resource, "alias/"):
		return wire.Errorf(400, "NotFoundException", "Alias %s is not found.", ref)
	case err == nil:
		return wire.Errorf(400, "NotFoundException", "Key '%s' does not exist", ref)
	case !keyID.MatchString(ref):
		return wire.Errorf(400, "NotFoundException", "Invalid keyId '%s'", ref)
	}
	return wire.Errorf(400, "NotFoundException", "Key 'arn:%s:kms:%s:%s:key/%s' does not exist", r.Caller.Partition, r.Region, r.Caller.AccountID, ref)
}
