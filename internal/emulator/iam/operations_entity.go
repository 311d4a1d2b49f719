package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/service"
)

// entityOperations are the operations on users, groups, roles and the account.
func entityOperations(of func(*service.Request) *Account) []service.Operation {
	return []service.Operation{
		service.Define(of, "CreateUser", service.Write, func(a *Account, r *service.Request, in *sdk.CreateUserInput) []service.Check {
			return a.onNew("CreateUser", "user", in.Path, in.UserName, requestTags(in.Tags), boundaryKey(in.PermissionsBoundary))
		}, (*Account).createUser).Require("UserName"),
		service.Define(of, "CreateGroup", service.Write, func(a *Account, r *service.Request, in *sdk.CreateGroupInput) []service.Check {
			return a.onNew("CreateGroup", "group", in.Path, in.GroupName)
		}, (*Account).createGroup).Require("GroupName"),
		service.Define(of, "CreateRole", service.Write, func(a *Account, r *service.Request, in *sdk.CreateRoleInput) []service.Check {
			return a.onNew("CreateRole", "role", in.Path, in.RoleName, requestTags(in.Tags), boundaryKey(in.PermissionsBoundary))
		}, (*Account).createRole).Require("RoleName", "AssumeRolePolicyDocument"),
		service.Define(of, "GetUser", service.Read, func(a *Account, r *service.Request, in *sdk.GetUserInput) []service.Check {
			name := in.UserName
			if name == nil {
				name = &r.Caller.Name
			}
			return a.onEntity(r, "GetUser", User, name)
		}, (*Account).getUser),
		service.Define(of, "GetGroup", service.Read, func(a *Account, r *service.Request, in *sdk.GetGroupInput) []service.Check {
			return a.onEntity(r, "GetGroup", Group, in.GroupName)
		}, (*Account).getGroup).Require("GroupName"),
		service.Define(of, "GetRole", service.Read, func(a *Account, r *service.Request, in *sdk.GetRoleInput) []service.Check {
			return a.onEntity(r, "GetRole", Role, in.RoleName)
		}, (*Account).getRole).Require("RoleName"),
		service.Define(of, "ListUsers", service.Read, func(a *Account, r *service.Request, in *sdk.ListUsersInput) []service.Check {
			return anything("ListUsers")
		}, (*Account).listUsers),
		service.Define(of, "DeleteUser", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteUserInput) []service.Check {
			return a.onEntity(r, "DeleteUser", User, in.UserName)
		}, (*Account).deleteUser).Require("UserName"),
		service.Define(of, "ListGroups", service.Read, func(a *Account, r *service.Request, in *sdk.ListGroupsInput) []service.Check {
			return anything("ListGroups")
		}, (*Account).listGroups),
		service.Define(of, "DeleteGroup", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteGroupInput) []service.Check {
			return a.onEntity(r, "DeleteGroup", Group, in.GroupName)
		}, (*Account).deleteGroup).Require("GroupName"),
		service.Define(of, "ListRoles", service.Read, func(a *Account, r *service.Request, in *sdk.ListRolesInput) []service.Check {
			return anything("ListRoles")
		}, (*Account).listRoles),
		service.Define(of, "DeleteRole", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteRoleInput) []service.Check {
			return a.onEntity(r, "DeleteRole", Role, in.RoleName)
		}, (*Account).deleteRole).Require("RoleName"),
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
	}
}
