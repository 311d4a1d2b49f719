package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// roleGrantOperations are the operations that give policies to roles.
func roleGrantOperations(of func(*service.Request) *Account) []service.Operation {
	return []service.Operation{
		service.Define(of, "AttachRolePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.AttachRolePolicyInput) []service.Check {
			return a.onEntity(r, "AttachRolePolicy", Role, in.RoleName, policyKey(in.PolicyArn), a.currentBoundary(r, Role, in.RoleName))
		}, (*Account).attachRolePolicy).Require("RoleName", "PolicyArn"),
		service.Define(of, "DetachRolePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DetachRolePolicyInput) []service.Check {
			return a.onEntity(r, "DetachRolePolicy", Role, in.RoleName, policyKey(in.PolicyArn), a.currentBoundary(r, Role, in.RoleName))
		}, (*Account).detachRolePolicy).Require("RoleName", "PolicyArn"),
		service.Define(of, "ListAttachedRolePolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListAttachedRolePoliciesInput) []service.Check {
			return a.onEntity(r, "ListAttachedRolePolicies", Role, in.RoleName)
		}, (*Account).listAttachedRolePolicies).Require("RoleName"),
		service.Define(of, "PutRolePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.PutRolePolicyInput) []service.Check {
			return a.onEntity(r, "PutRolePolicy", Role, in.RoleName, a.currentBoundary(r, Role, in.RoleName))
		}, (*Account).putRolePolicy).Require("RoleName", "PolicyName", "PolicyDocument"),
		service.Define(of, "GetRolePolicy", service.Read, func(a *Account, r *service.Request, in *sdk.GetRolePolicyInput) []service.Check {
			return a.onEntity(r, "GetRolePolicy", Role, in.RoleName)
		}, (*Account).getRolePolicy).Require("RoleName", "PolicyName"),
		service.Define(of, "DeleteRolePolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteRolePolicyInput) []service.Check {
			return a.onEntity(r, "DeleteRolePolicy", Role, in.RoleName, a.currentBoundary(r, Role, in.RoleName))
		}, (*Account).deleteRolePolicy).Require("RoleName", "PolicyName"),
		service.Define(of, "ListRolePolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListRolePoliciesInput) []service.Check {
			return a.onEntity(r, "ListRolePolicies", Role, in.RoleName)
		}, (*Account).listRolePolicies).Require("RoleName"),
		service.Define(of, "PutRolePermissionsBoundary", service.Write, func(a *Account, r *service.Request, in *sdk.PutRolePermissionsBoundaryInput) []service.Check {
			return a.onEntity(r, "PutRolePermissionsBoundary", Role, in.RoleName, boundaryKey(in.PermissionsBoundary))
		}, (*Account).putRolePermissionsBoundary).Require("RoleName", "PermissionsBoundary"),
		service.Define(of, "DeleteRolePermissionsBoundary", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteRolePermissionsBoundaryInput) []service.Check {
			return a.onEntity(r, "DeleteRolePermissionsBoundary", Role, in.RoleName, a.currentBoundary(r, Role, in.RoleName))
		}, (*Account).deleteRolePermissionsBoundary).Require("RoleName"),
	}
}
