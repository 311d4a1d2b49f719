package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (a *Account) createRole(r *service.Request, in *sdk.CreateRoleInput) (*sdk.CreateRoleOutput, error) {
	trust, err := a.trustDocument("assumeRolePolicyDocument", in.AssumeRolePolicyDocument)
	if err != nil {
		return nil, err
	}
	if err := descriptionPattern.Check(aws.ToString(in.Description)); err != nil {
		return nil, err
	}
	e, err := a.create(r, newEntity{
		kind: Role, name: in.RoleName, path: in.Path, boundary: in.PermissionsBoundary, tags: in.Tags, idPrefix: "AROA",
		trust: trust, description: in.Description, sessionSeconds: in.MaxSessionDuration,
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateRoleOutput{Role: e.role()}, nil
}

func (a *Account) trustDocument(member string, text *string) (Document, error) {
	document, err := readDocument(member, aws.ToString(text), authz.ParseTrust)
	if err != nil {
		return Document{}, err
	}
	if quota := a.Quota(quotaAssumeRolePolicySize); document.size() > quota {
		return Document{}, limitExceeded("ACLSizePerRole", quota)
	}
	return document, nil
}

func (a *Account) getRole(r *service.Request, in *sdk.GetRoleInput) (*sdk.GetRoleOutput, error) {
	e, err := findEntity(a.read(r.Now), Role, in.RoleName)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRoleOutput{Role: e.role()}, nil
}

func (a *Account) listRoles(r *service.Request, in *sdk.ListRolesInput) (*sdk.ListRolesOutput, error) {
	p, err := a.listEntities(r, Role, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListRolesOutput{IsTruncated: p.truncated, Marker: p.marker, Roles: make([]types.Role, len(p.items))}
	for i, e := range p.items {
		out.Roles[i] = *e.role()
		// The list leaves out tags and the boundary.
		out.Roles[i].Tags, out.Roles[i].PermissionsBoundary = nil, nil
	}
	return out, nil
}

func (a *Account) deleteRole(r *service.Request, in *sdk.DeleteRoleInput) (*sdk.DeleteRoleOutput, error) {
	return &sdk.DeleteRoleOutput{}, a.remove(r, Role, in.RoleName)
}

func (a *Account) updateAssumeRolePolicy(r *service.Request, in *sdk.UpdateAssumeRolePolicyInput) (*sdk.UpdateAssumeRolePolicyOutput, error) {
	trust, err := a.trustDocument("policyDocument", in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	return &sdk.UpdateAssumeRolePolicyOutput{}, a.update(r.Now, func(s *State) error {
		e, err := changeable(s, Role, in.RoleName)
		if err != nil {
			return err
		}
		s.put(e.with(func(e *Entity) { e.Trust = trust }))
		return nil
	})
}

func (e *Entity) role() *types.Role {
	role := &types.Role{
		Arn: aws.String(e.ARN), RoleId: aws.String(e.ID), RoleName: aws.String(e.Name), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), PermissionsBoundary: e.boundaryOut(),
		AssumeRolePolicyDocument: aws.String(encodeDocument(e.Trust.Text)),
		MaxSessionDuration:       aws.Int32(e.MaxSessionDuration),
	}
	if e.Description != "" {
		role.Description = aws.String(e.Description)
	}
	if len(e.Tags) > 0 {
		role.Tags = tagsOut(e.Tags)
	}
	return role
}
