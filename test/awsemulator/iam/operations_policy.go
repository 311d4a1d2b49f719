package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// policyOperations are the operations on managed policies.
func policyOperations(of func(*service.Request) *Account) []service.Operation {
	return []service.Operation{
		service.Define(of, "CreatePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.CreatePolicyInput) []service.Check {
			return a.onNew("CreatePolicy", "policy", in.Path, in.PolicyName, in.Tags)
		}, (*Account).createPolicy).Require("PolicyName", "PolicyDocument"),
		service.Define(of, "GetPolicy", service.Read, func(a *Account, r *service.Request, in *sdk.GetPolicyInput) []service.Check {
			return a.onPolicy(r, "GetPolicy", in.PolicyArn)
		}, (*Account).getPolicy).Require("PolicyArn"),
		service.Define(of, "ListPolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListPoliciesInput) []service.Check {
			return anything("ListPolicies")
		}, (*Account).listPolicies),
		service.Define(of, "DeletePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DeletePolicyInput) []service.Check {
			return a.onPolicy(r, "DeletePolicy", in.PolicyArn)
		}, (*Account).deletePolicy).Require("PolicyArn"),
		service.Define(of, "CreatePolicyVersion", service.Write, func(a *Account, r *service.Request, in *sdk.CreatePolicyVersionInput) []service.Check {
			return a.onPolicy(r, "CreatePolicyVersion", in.PolicyArn)
		}, (*Account).createPolicyVersion).Require("PolicyArn", "PolicyDocument"),
		service.Define(of, "GetPolicyVersion", service.Read, func(a *Account, r *service.Request, in *sdk.GetPolicyVersionInput) []service.Check {
			return a.onPolicy(r, "GetPolicyVersion", in.PolicyArn)
		}, (*Account).getPolicyVersion).Require("PolicyArn", "VersionId"),
		service.Define(of, "ListPolicyVersions", service.Read, func(a *Account, r *service.Request, in *sdk.ListPolicyVersionsInput) []service.Check {
			return a.onPolicy(r, "ListPolicyVersions", in.PolicyArn)
		}, (*Account).listPolicyVersions).Require("PolicyArn"),
		service.Define(of, "SetDefaultPolicyVersion", service.Write, func(a *Account, r *service.Request, in *sdk.SetDefaultPolicyVersionInput) []service.Check {
			return a.onPolicy(r, "SetDefaultPolicyVersion", in.PolicyArn)
		}, (*Account).setDefaultPolicyVersion).Require("PolicyArn", "VersionId"),
		service.Define(of, "DeletePolicyVersion", service.Write, func(a *Account, r *service.Request, in *sdk.DeletePolicyVersionInput) []service.Check {
			return a.onPolicy(r, "DeletePolicyVersion", in.PolicyArn)
		}, (*Account).deletePolicyVersion).Require("PolicyArn", "VersionId"),
		service.Define(of, "TagPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.TagPolicyInput) []service.Check {
			return a.onPolicy(r, "TagPolicy", in.PolicyArn, requestTags(in.Tags))
		}, (*Account).tagPolicy).Require("PolicyArn", "Tags"),
		service.Define(of, "UntagPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.UntagPolicyInput) []service.Check {
			return a.onPolicy(r, "UntagPolicy", in.PolicyArn, tagKeys(in.TagKeys))
		}, (*Account).untagPolicy).Require("PolicyArn", "TagKeys"),
		service.Define(of, "ListPolicyTags", service.Read, func(a *Account, r *service.Request, in *sdk.ListPolicyTagsInput) []service.Check {
			return a.onPolicy(r, "ListPolicyTags", in.PolicyArn)
		}, (*Account).listPolicyTags).Require("PolicyArn"),
		service.Define(of, "ListEntitiesForPolicy", service.Read, func(a *Account, r *service.Request, in *sdk.ListEntitiesForPolicyInput) []service.Check {
			return a.onPolicy(r, "ListEntitiesForPolicy", in.PolicyArn)
		}, (*Account).listEntitiesForPolicy).Require("PolicyArn"),
	}
}
