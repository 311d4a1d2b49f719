package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// relationOperations are the operations on groups' members, tags, trust and the account.
func relationOperations(of func(*service.Request) *Account) []service.Operation {
	return []service.Operation{
		service.Define(of, "UpdateAssumeRolePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.UpdateAssumeRolePolicyInput) []service.Check {
			return a.onEntity(r, "UpdateAssumeRolePolicy", Role, in.RoleName)
		}, (*Account).updateAssumeRolePolicy).Require("RoleName", "PolicyDocument"),
		service.Define(of, "AddUserToGroup", service.Write, func(a *Account, r *service.Request, in *sdk.AddUserToGroupInput) []service.Check {
			return a.onEntity(r, "AddUserToGroup", Group, in.GroupName)
		}, (*Account).addUserToGroup).Require("GroupName", "UserName"),
		service.Define(of, "RemoveUserFromGroup", service.Write, func(a *Account, r *service.Request, in *sdk.RemoveUserFromGroupInput) []service.Check {
			return a.onEntity(r, "RemoveUserFromGroup", Group, in.GroupName)
		}, (*Account).removeUserFromGroup).Require("GroupName", "UserName"),
		service.Define(of, "ListGroupsForUser", service.Read, func(a *Account, r *service.Request, in *sdk.ListGroupsForUserInput) []service.Check {
			return a.onEntity(r, "ListGroupsForUser", User, in.UserName)
		}, (*Account).listGroupsForUser).Require("UserName"),
		service.Define(of, "TagUser", service.Write, func(a *Account, r *service.Request, in *sdk.TagUserInput) []service.Check {
			return a.onEntity(r, "TagUser", User, in.UserName, requestTags(in.Tags))
		}, (*Account).tagUser).Require("UserName", "Tags"),
		service.Define(of, "UntagUser", service.Write, func(a *Account, r *service.Request, in *sdk.UntagUserInput) []service.Check {
			return a.onEntity(r, "UntagUser", User, in.UserName, tagKeys(in.TagKeys))
		}, (*Account).untagUser).Require("UserName", "TagKeys"),
		service.Define(of, "TagRole", service.Write, func(a *Account, r *service.Request, in *sdk.TagRoleInput) []service.Check {
			return a.onEntity(r, "TagRole", Role, in.RoleName, requestTags(in.Tags))
		}, (*Account).tagRole).Require("RoleName", "Tags"),
		service.Define(of, "UntagRole", service.Write, func(a *Account, r *service.Request, in *sdk.UntagRoleInput) []service.Check {
			return a.onEntity(r, "UntagRole", Role, in.RoleName, tagKeys(in.TagKeys))
		}, (*Account).untagRole).Require("RoleName", "TagKeys"),
		service.Define(of, "GetAccountAuthorizationDetails", service.Read, func(a *Account, r *service.Request, in *sdk.GetAccountAuthorizationDetailsInput) []service.Check {
			return anything("GetAccountAuthorizationDetails")
		}, (*Account).getAccountAuthorizationDetails),
		service.Define(of, "GetAccountSummary", service.Read, func(a *Account, r *service.Request, in *sdk.GetAccountSummaryInput) []service.Check {
			return anything("GetAccountSummary")
		}, (*Account).getAccountSummary),
		service.Define(of, "SimulatePrincipalPolicy", service.Read, func(a *Account, r *service.Request, in *sdk.SimulatePrincipalPolicyInput) []service.Check {
			return a.onSource(r, in.PolicySourceArn)
		}, (*Account).simulatePrincipalPolicy).Require("PolicySourceArn", "ActionNames"),
		service.Define(of, "SimulateCustomPolicy", service.Read, func(*Account, *service.Request, *sdk.SimulateCustomPolicyInput) []service.Check {
			return []service.Check{{Action: "iam:SimulateCustomPolicy", Resource: "*"}}
		}, (*Account).simulateCustomPolicy).Require("ActionNames", "PolicyInputList"),
	}
}
