package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// entityOperations are the operations on users, groups and roles.
func entityOperations(of func(*service.Request) *Account) []service.Operation {
	return []service.Operation{
		service.Define(of, "CreateUser", service.Write, func(a *Account, r *service.Request, in *sdk.CreateUserInput) []service.Check {
			return a.onNew("CreateUser", "user", in.Path, in.UserName, in.Tags, boundaryKey(in.PermissionsBoundary))
		}, (*Account).createUser).Require("UserName"),
		service.Define(of, "CreateGroup", service.Write, func(a *Account, r *service.Request, in *sdk.CreateGroupInput) []service.Check {
			return a.onNew("CreateGroup", "group", in.Path, in.GroupName, nil)
		}, (*Account).createGroup).Require("GroupName"),
		service.Define(of, "CreateRole", service.Write, func(a *Account, r *service.Request, in *sdk.CreateRoleInput) []service.Check {
			return a.onNew("CreateRole", "role", in.Path, in.RoleName, in.Tags, boundaryKey(in.PermissionsBoundary))
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
		service.Define(of, "GetInstanceProfile", service.Read, func(a *Account, r *service.Request, in *sdk.GetInstanceProfileInput) []service.Check {
			return a.onProfile(r, "GetInstanceProfile", in.InstanceProfileName)
		}, (*Account).getInstanceProfile).Require("InstanceProfileName"),
		service.Define(of, "ListUsers", service.Read, func(a *Account, r *service.Request, in *sdk.ListUsersInput) []service.Check {
			return anything("ListUsers")
		}, (*Account).listUsers),
		service.Define(of, "UpdateUser", service.Write, func(a *Account, r *service.Request, in *sdk.UpdateUserInput) []service.Check {
			return a.onRenamed(r, "UpdateUser", User, in.UserName, in.NewPath, in.NewUserName)
		}, (*Account).updateUser).Require("UserName"),
		service.Define(of, "UpdateGroup", service.Write, func(a *Account, r *service.Request, in *sdk.UpdateGroupInput) []service.Check {
			return a.onRenamed(r, "UpdateGroup", Group, in.GroupName, in.NewPath, in.NewGroupName)
		}, (*Account).updateGroup).Require("GroupName"),
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
	}
}
