package iam

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (a *Account) tagPolicy(r *service.Request, in *sdk.TagPolicyInput) (*sdk.TagPolicyOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagPolicyOutput{}, a.changePolicyTags(r, in.PolicyArn, func(old []service.Tag) ([]service.Tag, error) {
		return mergeTags(old, tags)
	})
}

func (a *Account) untagPolicy(r *service.Request, in *sdk.UntagPolicyInput) (*sdk.UntagPolicyOutput, error) {
	return &sdk.UntagPolicyOutput{}, a.changePolicyTags(r, in.PolicyArn, func(old []service.Tag) ([]service.Tag, error) {
		return dropTags(old, in.TagKeys), nil
	})
}

func (a *Account) changePolicyTags(r *service.Request, arn *string, change func([]service.Tag) ([]service.Tag, error)) error {
	return a.update(r.Now, func(s *State) error {
		p, err := findOwnPolicy(s, arn)
		if err != nil {
			return err
		}
		tags, err := change(p.Tags)
		if err != nil {
			return err
		}
		s.putPolicy(p.with(func(p *Policy) { p.Tags = tags }))
		return nil
	})
}

func (a *Account) listPolicyTags(r *service.Request, in *sdk.ListPolicyTagsInput) (*sdk.ListPolicyTagsOutput, error) {
	p, err := findPolicy(a.read(r.Now), in.PolicyArn)
	if err != nil {
		return nil, err
	}
	page, err := a.pageTags(p.Tags, in.Marker, in.MaxItems)
	return &sdk.ListPolicyTagsOutput{Tags: page.items, IsTruncated: page.truncated, Marker: page.marker}, err
}

// pageTags pages through tags by their keys.
func (a *Account) pageTags(tags []service.Tag, marker *string, maxItems *int32) (page[types.Tag], error) {
	t := ordered.New[types.Tag]()
	for _, tag := range tagsOut(tags) {
		t = t.With(key(*tag.Key), tag)
	}
	return paginate(a, marker, maxItems, t.After, nil)
}

func (a *Account) changeEntityTags(r *service.Request, kind Kind, name *string, change func([]service.Tag) ([]service.Tag, error)) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		tags, err := change(e.Tags)
		if err != nil {
			return err
		}
		s.put(e.with(func(e *Entity) { e.Tags = tags }))
		return nil
	})
}

func (a *Account) tagUser(r *service.Request, in *sdk.TagUserInput) (*sdk.TagUserOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagUserOutput{}, a.changeEntityTags(r, User, in.UserName, func(old []service.Tag) ([]service.Tag, error) {
		return mergeTags(old, tags)
	})
}

func (a *Account) untagUser(r *service.Request, in *sdk.UntagUserInput) (*sdk.UntagUserOutput, error) {
	return &sdk.UntagUserOutput{}, a.changeEntityTags(r, User, in.UserName, func(old []service.Tag) ([]service.Tag, error) {
		return dropTags(old, in.TagKeys), nil
	})
}

func (a *Account) tagRole(r *service.Request, in *sdk.TagRoleInput) (*sdk.TagRoleOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return &sdk.TagRoleOutput{}, a.changeEntityTags(r, Role, in.RoleName, func(old []service.Tag) ([]service.Tag, error) {
		return mergeTags(old, tags)
	})
}

func (a *Account) untagRole(r *service.Request, in *sdk.UntagRoleInput) (*sdk.UntagRoleOutput, error) {
	return &sdk.UntagRoleOutput{}, a.changeEntityTags(r, Role, in.RoleName, func(old []service.Tag) ([]service.Tag, error) {
		return dropTags(old, in.TagKeys), nil
	})
}
