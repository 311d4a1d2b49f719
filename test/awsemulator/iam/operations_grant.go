package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// grantOperations are the operations that give policies to users and groups.
func grantOperations(of func(*service.Request) *Account) []service.Operation {
	return []service.Operation{
		service.Define(of, "AttachUserPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.AttachUserPolicyInput) []service.Check {
			return a.onEntity(r, "AttachUserPolicy", User, in.UserName, policyKey(in.PolicyArn), a.currentBoundary(r, User, in.UserName))
		}, (*Account).attachUserPolicy).Require("UserName", "PolicyArn"),
		service.Define(of, "DetachUserPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DetachUserPolicyInput) []service.Check {
			return a.onEntity(r, "DetachUserPolicy", User, in.UserName, policyKey(in.PolicyArn), a.currentBoundary(r, User, in.UserName))
		}, (*Account).detachUserPolicy).Require("UserName", "PolicyArn"),
		service.Define(of, "ListAttachedUserPolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListAttachedUserPoliciesInput) []service.Check {
			return a.onEntity(r, "ListAttachedUserPolicies", User, in.UserName)
		}, (*Account).listAttachedUserPolicies).Require("UserName"),
		service.Define(of, "PutUserPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.PutUserPolicyInput) []service.Check {
			return a.onEntity(r, "PutUserPolicy", User, in.UserName, a.currentBoundary(r, User, in.UserName))
		}, (*Account).putUserPolicy).Require("UserName", "PolicyName", "PolicyDocument"),
		service.Define(of, "GetUserPolicy", service.Read, func(a *Account, r *service.Request, in *sdk.GetUserPolicyInput) []service.Check {
			return a.onEntity(r, "GetUserPolicy", User, in.UserName)
		}, (*Account).getUserPolicy).Require("UserName", "PolicyName"),
		service.Define(of, "DeleteUserPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteUserPolicyInput) []service.Check {
			return a.onEntity(r, "DeleteUserPolicy", User, in.UserName, a.currentBoundary(r, User, in.UserName))
		}, (*Account).deleteUserPolicy).Require("UserName", "PolicyName"),
		service.Define(of, "ListUserPolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListUserPoliciesInput) []service.Check {
			return a.onEntity(r, "ListUserPolicies", User, in.UserName)
		}, (*Account).listUserPolicies).Require("UserName"),
		service.Define(of, "PutUserPermissionsBoundary", service.Write, func(a *Account, r *service.Request, in *sdk.PutUserPermissionsBoundaryInput) []service.Check {
			return a.onEntity(r, "PutUserPermissionsBoundary", User, in.UserName, boundaryKey(in.PermissionsBoundary))
		}, (*Account).putUserPermissionsBoundary).Require("UserName", "PermissionsBoundary"),
		service.Define(of, "DeleteUserPermissionsBoundary", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteUserPermissionsBoundaryInput) []service.Check {
			return a.onEntity(r, "DeleteUserPermissionsBoundary", User, in.UserName, a.currentBoundary(r, User, in.UserName))
		}, (*Account).deleteUserPermissionsBoundary).Require("UserName"),
		service.Define(of, "AttachGroupPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.AttachGroupPolicyInput) []service.Check {
			return a.onEntity(r, "AttachGroupPolicy", Group, in.GroupName, policyKey(in.PolicyArn))
		}, (*Account).attachGroupPolicy).Require("GroupName", "PolicyArn"),
		service.Define(of, "DetachGroupPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DetachGroupPolicyInput) []service.Check {
			return a.onEntity(r, "DetachGroupPolicy", Group, in.GroupName, policyKey(in.PolicyArn))
		}, (*Account).detachGroupPolicy).Require("GroupName", "PolicyArn"),
		service.Define(of, "ListAttachedGroupPolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListAttachedGroupPoliciesInput) []service.Check {
			return a.onEntity(r, "ListAttachedGroupPolicies", Group, in.GroupName)
		}, (*Account).listAttachedGroupPolicies).Require("GroupName"),
		service.Define(of, "PutGroupPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.PutGroupPolicyInput) []service.Check {
			return a.onEntity(r, "PutGroupPolicy", Group, in.GroupName)
		}, (*Account).putGroupPolicy).Require("GroupName", "PolicyName", "PolicyDocument"),
		service.Define(of, "GetGroupPolicy", service.Read, func(a *Account, r *service.Request, in *sdk.GetGroupPolicyInput) []service.Check {
			return a.onEntity(r, "GetGroupPolicy", Group, in.GroupName)
		}, (*Account).getGroupPolicy).Require("GroupName", "PolicyName"),
		service.Define(of, "DeleteGroupPolicy", service.Write, func(a *Account, r *service.Request, in *sdk.DeleteGroupPolicyInput) []service.Check {
			return a.onEntity(r, "DeleteGroupPolicy", Group, in.GroupName)
		}, (*Account).deleteGroupPolicy).Require("GroupName", "PolicyName"),
		service.Define(of, "ListGroupPolicies", service.Read, func(a *Account, r *service.Request, in *sdk.ListGroupPoliciesInput) []service.Check {
			return a.onEntity(r, "ListGroupPolicies", Group, in.GroupName)
		}, (*Account).listGroupPolicies).Require("GroupName"),
	}
}
