package iam

import (
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// detail is one entry of the bulk read: an entity or a policy.
type detail struct {
	entity *Entity
	policy *Policy
}

func (a *Account) getAccountAuthorizationDetails(r *service.Request, in *sdk.GetAccountAuthorizationDetailsInput) (*sdk.GetAccountAuthorizationDetailsOutput, error) {
	s := a.read(r.Now)
	from, err := s.details(in.Filter)
	if err != nil {
		return nil, err
	}
	p, err := paginate(a, in.Marker, in.MaxItems, from, nil)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetAccountAuthorizationDetailsOutput{
		IsTruncated: p.truncated, Marker: p.marker,
		UserDetailList: []types.UserDetail{}, GroupDetailList: []types.GroupDetail{},
		RoleDetailList: []types.RoleDetail{}, Policies: []types.ManagedPolicyDetail{},
	}
	for _, d := range p.items {
		switch {
		case d.policy != nil:
			out.Policies = append(out.Policies, s.policyDetail(d.policy))
		case d.entity.Kind == User:
			out.UserDetailList = append(out.UserDetailList, d.entity.userDetail())
		case d.entity.Kind == Group:
			out.GroupDetailList = append(out.GroupDetailList, d.entity.groupDetail())
		default:
			out.RoleDetailList = append(out.RoleDetailList, s.roleDetail(d.entity))
		}
	}
	return out, nil
}

// details yields what a filter asks for, all of it when it is empty.
func (s *State) details(filter []types.EntityType) (func(string) iter.Seq2[string, detail], error) {
	for _, f := range filter {
		if !slices.Contains(f.Values(), f) {
			return nil, service.ValidationError("Value '[%s]' at 'filter' failed to satisfy constraint: Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy]", f)
		}
	}
	wants := func(t types.EntityType) bool { return len(filter) == 0 || slices.Contains(filter, t) }
	ofEntity := func(e *Entity) detail { return detail{entity: e} }
	ofPolicy := func(p *Policy) detail { return detail{policy: p} }
	var parts []func(string) iter.Seq2[string, detail]
	if wants(types.EntityTypeUser) {
		parts = append(parts, part(partUsers, s.users, ofEntity))
	}
	if wants(types.EntityTypeGroup) {
		parts = append(parts, part(partGroups, s.groups, ofEntity))
	}
	if wants(types.EntityTypeRole) {
		parts = append(parts, part(partRoles, s.roles, ofEntity))
	}
	if wants(types.EntityTypeLocalManagedPolicy) {
		parts = append(parts, part(partPolicies, s.policies, ofPolicy))
	}
	if wants(types.EntityTypeAWSManagedPolicy) {
		parts = append(parts, part(partAWS, s.awsTree(), ofPolicy))
	}
	return joined(parts...), nil
}

func (e *Entity) userDetail() types.UserDetail {
	return types.UserDetail{
		Arn: aws.String(e.ARN), UserId: aws.String(e.ID), UserName: aws.String(e.Name), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), GroupList: append([]string{}, e.Groups...), AttachedManagedPolicies: attachedOut(e),
		UserPolicyList: inlineOut(e), Tags: tagsOut(e.Tags), PermissionsBoundary: e.boundaryOut(),
	}
}

// groupDetail has no tags: groups have none.
func (e *Entity) groupDetail() types.GroupDetail {
	return types.GroupDetail{
		Arn: aws.String(e.ARN), GroupId: aws.String(e.ID), GroupName: aws.String(e.Name), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), AttachedManagedPolicies: attachedOut(e), GroupPolicyList: inlineOut(e),
	}
}

func (s *State) roleDetail(e *Entity) types.RoleDetail {
	profiles := []types.InstanceProfile{}
	for _, p := range s.profilesOf(e) {
		profiles = append(profiles, s.profileOut(p))
	}
	return types.RoleDetail{
		Arn: aws.String(e.ARN), RoleId: aws.String(e.ID), RoleName: aws.String(e.Name), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), AttachedManagedPolicies: attachedOut(e), RolePolicyList: inlineOut(e),
		AssumeRolePolicyDocument: aws.String(encodeDocument(e.Trust.Text)), InstanceProfileList: profiles,
		Tags: tagsOut(e.Tags), PermissionsBoundary: e.boundaryOut(),
	}
}

// policyDetail has every version's document and, as AWS has it, no tags.
func (s *State) policyDetail(p *Policy) types.ManagedPolicyDetail {
	d := types.ManagedPolicyDetail{
		Arn: aws.String(p.ARN), PolicyId: aws.String(p.ID), PolicyName: aws.String(p.Name), Path: aws.String(p.Path),
		DefaultVersionId: aws.String(p.Default), AttachmentCount: aws.Int32(s.attachmentCount(p.ARN)),
		PermissionsBoundaryUsageCount: aws.Int32(s.boundaryCount(p.ARN)), IsAttachable: true,
		CreateDate: aws.Time(p.Created), UpdateDate: aws.Time(p.Updated), PolicyVersionList: make([]types.PolicyVersion, len(p.Versions)),
	}
	if p.Description != "" {
		d.Description = aws.String(p.Description)
	}
	for i, v := range p.Versions {
		d.PolicyVersionList[i] = *v.out(p)
	}
	return d
}

func inlineOut(e *Entity) []types.PolicyDetail {
	out := make([]types.PolicyDetail, len(e.Inline))
	for i, policy := range e.Inline {
		out[i] = types.PolicyDetail{PolicyName: aws.String(policy.Name), PolicyDocument: aws.String(encodeDocument(policy.Text))}
	}
	return out
}
