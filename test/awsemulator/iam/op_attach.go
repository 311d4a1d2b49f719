package iam

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// attach attaches a managed policy to an entity; attached already, it is done.
func (a *Account) attach(r *service.Request, kind Kind, name, arn *string) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		if err := policyARNPattern.Check(aws.ToString(arn)); err != nil {
			return err
		}
		p, ok := s.Policy(aws.ToString(arn))
		if !ok {
			return notAttachable(aws.ToString(arn))
		}
		if quota := a.Quota(attachedQuota(kind)); !e.attached(p.ARN) && len(e.Attached) >= quota {
			return limitExceeded("PoliciesPer"+string(kind), quota)
		}
		s.attach(e, p.ARN)
		return nil
	})
}

// detach takes a managed policy from an entity.
func (a *Account) detach(r *service.Request, kind Kind, name, arn *string) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		if err != nil {
			return err
		}
		if !e.attached(aws.ToString(arn)) {
			return noSuchPolicy(aws.ToString(arn))
		}
		s.detach(e, aws.ToString(arn))
		return nil
	})
}

func (a *Account) attachUserPolicy(r *service.Request, in *sdk.AttachUserPolicyInput) (*sdk.AttachUserPolicyOutput, error) {
	return &sdk.AttachUserPolicyOutput{}, a.attach(r, User, in.UserName, in.PolicyArn)
}

func (a *Account) attachGroupPolicy(r *service.Request, in *sdk.AttachGroupPolicyInput) (*sdk.AttachGroupPolicyOutput, error) {
	return &sdk.AttachGroupPolicyOutput{}, a.attach(r, Group, in.GroupName, in.PolicyArn)
}

func (a *Account) attachRolePolicy(r *service.Request, in *sdk.AttachRolePolicyInput) (*sdk.AttachRolePolicyOutput, error) {
	return &sdk.AttachRolePolicyOutput{}, a.attach(r, Role, in.RoleName, in.PolicyArn)
}

func (a *Account) detachUserPolicy(r *service.Request, in *sdk.DetachUserPolicyInput) (*sdk.DetachUserPolicyOutput, error) {
	return &sdk.DetachUserPolicyOutput{}, a.detach(r, User, in.UserName, in.PolicyArn)
}

func (a *Account) detachGroupPolicy(r *service.Request, in *sdk.DetachGroupPolicyInput) (*sdk.DetachGroupPolicyOutput, error) {
	return &sdk.DetachGroupPolicyOutput{}, a.detach(r, Group, in.GroupName, in.PolicyArn)
}

func (a *Account) detachRolePolicy(r *service.Request, in *sdk.DetachRolePolicyInput) (*sdk.DetachRolePolicyOutput, error) {
	return &sdk.DetachRolePolicyOutput{}, a.detach(r, Role, in.RoleName, in.PolicyArn)
}

// listAttached pages through the managed policies of an entity.
func (a *Account) listAttached(r *service.Request, kind Kind, name, pathPrefix, marker *string, maxItems *int32) (page[types.AttachedPolicy], error) {
	s := a.read(r.Now)
	e, err := findEntity(s, kind, name)
	if err != nil {
		return page[types.AttachedPolicy]{}, err
	}
	return paginate(a, marker, maxItems, s.attachedSequence(e), func(p types.AttachedPolicy) bool {
		policy, ok := s.Policy(*p.PolicyArn)
		return ok && hasPrefix(policy.Path, pathPrefix)
	})
}

// attachedSequence yields the attached policies of an entity by name.
func (s *State) attachedSequence(e *Entity) func(string) iter.Seq2[string, types.AttachedPolicy] {
	t := ordered.New[types.AttachedPolicy]()
	for _, p := range attachedOut(e) {
		t = t.With(key(*p.PolicyName)+"\x00"+*p.PolicyArn, p)
	}
	return t.After
}

func (a *Account) listAttachedUserPolicies(r *service.Request, in *sdk.ListAttachedUserPoliciesInput) (*sdk.ListAttachedUserPoliciesOutput, error) {
	p, err := a.listAttached(r, User, in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	return &sdk.ListAttachedUserPoliciesOutput{AttachedPolicies: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}

func (a *Account) listAttachedGroupPolicies(r *service.Request, in *sdk.ListAttachedGroupPoliciesInput) (*sdk.ListAttachedGroupPoliciesOutput, error) {
	p, err := a.listAttached(r, Group, in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	return &sdk.ListAttachedGroupPoliciesOutput{AttachedPolicies: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}

func (a *Account) listAttachedRolePolicies(r *service.Request, in *sdk.ListAttachedRolePoliciesInput) (*sdk.ListAttachedRolePoliciesOutput, error) {
	p, err := a.listAttached(r, Role, in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	return &sdk.ListAttachedRolePoliciesOutput{AttachedPolicies: p.items, IsTruncated: p.truncated, Marker: p.marker}, err
}

func (a *Account) listEntitiesForPolicy(r *service.Request, in *sdk.ListEntitiesForPolicyInput) (*sdk.ListEntitiesForPolicyOutput, error) {
	s := a.read(r.Now)
	policy, err := findPolicy(s, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	holders := s.attachments
	if in.PolicyUsageFilter == types.PolicyUsageTypePermissionsBoundary {
		holders = s.boundaries
	}
	prefix := policy.ARN + "\x00"
	p, err := paginate(a, in.Marker, in.MaxItems, func(after string) iter.Seq2[string, *Entity] {
		return s.holdersAfter(holders, prefix, after)
	}, func(e *Entity) bool { return ofType(in.EntityFilter, e.Kind) && hasPrefix(e.Path, in.PathPrefix) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListEntitiesForPolicyOutput{
		IsTruncated: p.truncated, Marker: p.marker,
		PolicyGroups: []types.PolicyGroup{}, PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{},
	}
	for _, e := range p.items {
		switch e.Kind {
		case User:
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserId: aws.String(e.ID), UserName: aws.String(e.Name)})
		case Group:
			out.PolicyGroups = append(out.PolicyGroups, types.PolicyGroup{GroupId: aws.String(e.ID), GroupName: aws.String(e.Name)})
		case Role:
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleId: aws.String(e.ID), RoleName: aws.String(e.Name)})
		}
	}
	return out, nil
}

// holdersAfter yields the entities that hold the policy whose ARN the prefix
// names.
func (s *State) holdersAfter(holders ordered.Map[attachment], prefix, after string) iter.Seq2[string, *Entity] {
	return func(yield func(string, *Entity) bool) {
		for k, h := range holders.Below(prefix) {
			if k <= after {
				continue
			}
			if e, ok := s.entities(h.kind).Get(h.key); ok && !yield(k, e) {
				return
			}
		}
	}
}

// ofType reports whether an entity filter asks for the kind; empty asks for
// all.
func ofType(filter types.EntityType, kind Kind) bool {
	return filter == "" || string(filter) == string(kind)
}

func attachedOut(e *Entity) []types.AttachedPolicy {
	out := make([]types.AttachedPolicy, len(e.Attached))
	for i, arn := range e.Attached {
		out[i] = types.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(nameOfARN(arn))}
	}
	return out
}
