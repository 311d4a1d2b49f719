package iam

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (a *Account) createPolicy(r *service.Request, in *sdk.CreatePolicyInput) (*sdk.CreatePolicyOutput, error) {
	name := aws.ToString(in.PolicyName)
	if err := policyNamePattern.Check(name); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := descriptionPattern.Check(aws.ToString(in.Description)); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	document, err := a.managedDocument(aws.ToString(in.PolicyDocument))
	if err != nil {
		return nil, err
	}
	p := &Policy{
		Name: name, Path: path, ARN: a.arn("policy", path, name), ID: a.Random.UniqueID("ANPA"),
		Description: aws.ToString(in.Description), Created: r.Now, Updated: r.Now, Tags: tags,
		Versions: []*Version{{ID: "v1", Created: r.Now, Document: document}}, Default: "v1", NextVersion: 2,
	}
	err = a.update(r.Now, func(s *State) error {
		if _, ok := s.policies.Get(key(name)); ok {
			return alreadyExists("policy", name)
		}
		if quota := a.Quota(quotaPolicies); s.policies.Len() >= quota {
			return limitExceeded("PoliciesPerAccount", quota)
		}
		s.putPolicy(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := p.out(0, 0)
	out.Tags = tagsOut(p.Tags)
	// The answer to a creation leaves out the description.
	out.Description = nil
	return &sdk.CreatePolicyOutput{Policy: out}, nil
}

// errOldVersion is AWS's word on a managed policy of the language of 2008.
var errOldVersion = errors.New("the policy must contain a valid version string")

// managedDocument reads the document of a managed policy and checks its size.
func (a *Account) managedDocument(text string) (Document, error) {
	document, err := readDocument("policyDocument", text, authz.Parse)
	if err != nil {
		return Document{}, err
	}
	if document.Parsed.Version != authz.VersionCurrent {
		return Document{}, malformedDocument(errOldVersion)
	}
	if quota := a.Quota(quotaPolicySize); document.size() > quota {
		return Document{}, limitExceeded("PolicySize", quota)
	}
	return document, nil
}

func (a *Account) getPolicy(r *service.Request, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	s := a.read(r.Now)
	p, err := findPolicy(s, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := p.out(s.attachmentCount(p.ARN), s.boundaryCount(p.ARN))
	out.Tags = tagsOut(p.Tags)
	return &sdk.GetPolicyOutput{Policy: out}, nil
}

func (a *Account) listPolicies(r *service.Request, in *sdk.ListPoliciesInput) (*sdk.ListPoliciesOutput, error) {
	s := a.read(r.Now)
	p, err := paginate(a, in.Marker, in.MaxItems, s.policySequence(in.Scope), func(p *Policy) bool {
		return hasPrefix(p.Path, in.PathPrefix) && (!in.OnlyAttached || s.attachmentCount(p.ARN) > 0) &&
			(in.PolicyUsageFilter != types.PolicyUsageTypePermissionsBoundary || s.boundaryCount(p.ARN) > 0) &&
			(in.PolicyUsageFilter != types.PolicyUsageTypePermissionsPolicy || s.attachmentCount(p.ARN) > 0)
	})
	if err != nil {
		return nil, err
	}
	out := &sdk.ListPoliciesOutput{IsTruncated: p.truncated, Marker: p.marker, Policies: make([]types.Policy, len(p.items))}
	for i, policy := range p.items {
		out.Policies[i] = *policy.out(s.attachmentCount(policy.ARN), s.boundaryCount(policy.ARN))
		// The list leaves out descriptions.
		out.Policies[i].Description = nil
	}
	return out, nil
}

func (a *Account) deletePolicy(r *service.Request, in *sdk.DeletePolicyInput) (*sdk.DeletePolicyOutput, error) {
	return &sdk.DeletePolicyOutput{}, a.update(r.Now, func(s *State) error {
		p, err := findOwnPolicy(s, in.PolicyArn)
		switch {
		case err != nil:
			return err
		case s.attachmentCount(p.ARN) > 0 || s.boundaryCount(p.ARN) > 0:
			return deleteConflict("Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		s.policies = s.policies.Without(key(p.Name))
		return nil
	})
}

// findPolicy finds a policy, the account's or AWS's, for an operation.
func findPolicy(s *State, arn *string) (*Policy, error) {
	if err := policyARNPattern.Check(aws.ToString(arn)); err != nil {
		return nil, err
	}
	p, ok := s.Policy(aws.ToString(arn))
	if !ok {
		return nil, noSuchPolicy(aws.ToString(arn))
	}
	return p, nil
}

// findOwnPolicy finds a policy that the account may change.
func findOwnPolicy(s *State, arn *string) (*Policy, error) {
	p, err := findPolicy(s, arn)
	if err != nil {
		return nil, err
	}
	if p.AWSManaged {
		return nil, invalidInput("Policy %s is owned by AWS and cannot be changed.", p.ARN)
	}
	return p, nil
}

func (p *Policy) out(attachments, boundaries int32) *types.Policy {
	out := &types.Policy{
		Arn: aws.String(p.ARN), PolicyId: aws.String(p.ID), PolicyName: aws.String(p.Name), Path: aws.String(p.Path),
		DefaultVersionId: aws.String(p.Default), AttachmentCount: aws.Int32(attachments),
		PermissionsBoundaryUsageCount: aws.Int32(boundaries), IsAttachable: true,
		CreateDate: aws.Time(p.Created), UpdateDate: aws.Time(p.Updated),
	}
	if p.Description != "" {
		out.Description = aws.String(p.Description)
	}
	return out
}
