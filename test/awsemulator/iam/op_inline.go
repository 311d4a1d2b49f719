package iam

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/wire"
)

// putInline embeds a policy in an entity or replaces it.
func (a *Account) putInline(r *service.Request, kind Kind, name, policyName, text *string) error {
	if err := policyNamePattern.Check(aws.ToString(policyName)); err != nil {
		return err
	}
	document, err := readDocument("policyDocument", aws.ToString(text), authz.Parse)
	if err != nil {
		return err
	}
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		next := e.with(func(e *Entity) { e.Inline = withInline(e, Inline{aws.ToString(policyName), document}) })
		size := 0
		for _, i := range next.Inline {
			size += i.size()
		}
		if quota := a.Quota(inlineQuota(kind)); size > quota {
			return wire.Errorf(409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", quota, resourceOf(kind), e.Name)
		}
		s.put(next)
		return nil
	})
}

// withInline returns the entity's embedded policies with one put in place.
func withInline(e *Entity, policy Inline) []Inline {
	at, found := e.inline(policy.Name)
	if found {
		list := slices.Clone(e.Inline)
		list[at] = policy
		return list
	}
	return slices.Insert(slices.Clone(e.Inline), at, policy)
}

func (a *Account) getInline(r *service.Request, kind Kind, name, policyName *string) (entityName string, document *string, err error) {
	e, err := findEntity(a.read(r.Now), kind, name)
	if err != nil {
		return "", nil, err
	}
	at, found := e.inline(aws.ToString(policyName))
	if !found {
		return "", nil, noSuchInline(kind, aws.ToString(policyName))
	}
	return e.Name, aws.String(encodeDocument(e.Inline[at].Text)), nil
}

func (a *Account) deleteInline(r *service.Request, kind Kind, name, policyName *string) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		at, found := e.inline(aws.ToString(policyName))
		if !found {
			return noSuchInline(kind, aws.ToString(policyName))
		}
		s.put(e.with(func(e *Entity) { e.Inline = slices.Delete(slices.Clone(e.Inline), at, at+1) }))
		return nil
	})
}

func (a *Account) listInline(r *service.Request, kind Kind, name, marker *string, maxItems *int32) (page[string], error) {
	e, err := findEntity(a.read(r.Now), kind, name)
	if err != nil {
		return page[string]{}, err
	}
	names := make([]string, len(e.Inline))
	for i, policy := range e.Inline {
		names[i] = policy.Name
	}
	return paginate(a, marker, maxItems, sequence(names, func(n string) string { return n }), nil)
}

func noSuchInline(kind Kind, policy string) error {
	return wire.Errorf(404, "NoSuchEntity", "The %s policy with name %s cannot be found.", resourceOf(kind), policy)
}

func (a *Account) putUserPolicy(r *service.Request, in *sdk.PutUserPolicyInput) (*sdk.PutUserPolicyOutput, error) {
	return &sdk.PutUserPolicyOutput{}, a.putInline(r, User, in.UserName, in.PolicyName, in.PolicyDocument)
}

func (a *Account) putGroupPolicy(r *service.Request, in *sdk.PutGroupPolicyInput) (*sdk.PutGroupPolicyOutput, error) {
	return &sdk.PutGroupPolicyOutput{}, a.putInline(r, Group, in.GroupName, in.PolicyName, in.PolicyDocument)
}

func (a *Account) putRolePolicy(r *service.Request, in *sdk.PutRolePolicyInput) (*sdk.PutRolePolicyOutput, error) {
	return &sdk.PutRolePolicyOutput{}, a.putInline(r, Role, in.RoleName, in.PolicyName, in.PolicyDocument)
}

func (a *Account) getUserPolicy(r *service.Request, in *sdk.GetUserPolicyInput) (*sdk.GetUserPolicyOutput, error) {
	name, document, err := a.getInline(r, User, in.UserName, in.PolicyName)
	return &sdk.GetUserPolicyOutput{UserName: &name, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

func (a *Account) getGroupPolicy(r *service.Request, in *sdk.GetGroupPolicyInput) (*sdk.GetGroupPolicyOutput, error) {
	name, document, err := a.getInline(r, Group, in.GroupName, in.PolicyName)
	return &sdk.GetGroupPolicyOutput{GroupName: &name, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

func (a *Account) getRolePolicy(r *service.Request, in *sdk.GetRolePolicyInput) (*sdk.GetRolePolicyOutput, error) {
	name, document, err := a.getInline(r, Role, in.RoleName, in.PolicyName)
	return &sdk.GetRolePolicyOutput{RoleName: &name, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

func (a *Account) deleteUserPolicy(r *service.Request, in *sdk.DeleteUserPolicyInput) (*sdk.DeleteUserPolicyOutput, error) {
	return &sdk.DeleteUserPolicyOutput{}, a.deleteInline(r, User, in.UserName, in.PolicyName)
}

func (a *Account) deleteGroupPolicy(r *service.Request, in *sdk.DeleteGroupPolicyInput) (*sdk.DeleteGroupPolicyOutput, error) {
	return &sdk.DeleteGroupPolicyOutput{}, a.deleteInline(r, Group, in.GroupName, in.PolicyName)
}

func (a *Account) deleteRolePolicy(r *service.Request, in *sdk.DeleteRolePolicyInput) (*sdk.DeleteRolePolicyOutput, error) {
	return &sdk.DeleteRolePolicyOutput{}, a.deleteInline(r, Role, in.RoleName, in.PolicyName)
}

func (a *Account) listUserPolicies(r *service.Request, in *sdk.ListUserPoliciesInput) (*sdk.ListUserPoliciesOutput, error) {
	p, err := a.listInline(r, User, in.UserName, in.Marker, in.MaxItems)
	return &sdk.ListUserPoliciesOutput{PolicyNames: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}

func (a *Account) listGroupPolicies(r *service.Request, in *sdk.ListGroupPoliciesInput) (*sdk.ListGroupPoliciesOutput, error) {
	p, err := a.listInline(r, Group, in.GroupName, in.Marker, in.MaxItems)
	return &sdk.ListGroupPoliciesOutput{PolicyNames: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}

func (a *Account) listRolePolicies(r *service.Request, in *sdk.ListRolePoliciesInput) (*sdk.ListRolePoliciesOutput, error) {
	p, err := a.listInline(r, Role, in.RoleName, in.Marker, in.MaxItems)
	return &sdk.ListRolePoliciesOutput{PolicyNames: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}
