package iam

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (a *Account) createGroup(r *service.Request, in *sdk.CreateGroupInput) (*sdk.CreateGroupOutput, error) {
	e, err := a.create(r, newEntity{kind: Group, name: in.GroupName, path: in.Path, idPrefix: "AGPA"})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateGroupOutput{Group: e.group()}, nil
}

func (a *Account) getGroup(r *service.Request, in *sdk.GetGroupInput) (*sdk.GetGroupOutput, error) {
	s := a.read(r.Now)
	g, err := findEntity(s, Group, in.GroupName)
	if err != nil {
		return nil, err
	}
	p, err := paginate(a, in.Marker, in.MaxItems, func(after string) iter.Seq2[string, *Entity] { return s.membersAfter(g, after) }, nil)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetGroupOutput{Group: g.group(), IsTruncated: p.truncated, Marker: p.marker, Users: make([]types.User, len(p.items))}
	for i, u := range p.items {
		out.Users[i] = *u.user()
		out.Users[i].Tags, out.Users[i].PermissionsBoundary = nil, nil
	}
	return out, nil
}

// membersAfter yields the members of a group by name.
func (s *State) membersAfter(g *Entity, after string) iter.Seq2[string, *Entity] {
	return func(yield func(string, *Entity) bool) {
		for k, user := range s.members.Below(memberKey(g.Name, "")) {
			if k <= after {
				continue
			}
			if u, ok := s.users.Get(user); ok && !yield(k, u) {
				return
			}
		}
	}
}

func (a *Account) listGroups(r *service.Request, in *sdk.ListGroupsInput) (*sdk.ListGroupsOutput, error) {
	p, err := a.listEntities(r, Group, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListGroupsOutput{IsTruncated: p.truncated, Marker: p.marker, Groups: make([]types.Group, len(p.items))}
	for i, e := range p.items {
		out.Groups[i] = *e.group()
	}
	return out, nil
}

func (a *Account) deleteGroup(r *service.Request, in *sdk.DeleteGroupInput) (*sdk.DeleteGroupOutput, error) {
	return &sdk.DeleteGroupOutput{}, a.remove(r, Group, in.GroupName)
}

func (a *Account) addUserToGroup(r *service.Request, in *sdk.AddUserToGroupInput) (*sdk.AddUserToGroupOutput, error) {
	return &sdk.AddUserToGroupOutput{}, a.update(r.Now, func(s *State) error {
		g, err := findEntity(s, Group, in.GroupName)
		if err != nil {
			return err
		}
		u, err := findEntity(s, User, in.UserName)
		if err != nil {
			return err
		}
		if quota := a.Quota(quotaGroupsPerUser); !u.memberOf(g) && len(u.Groups) >= quota {
			return limitExceeded("GroupsPerUser", quota)
		}
		s.join(u, g)
		return nil
	})
}

func (a *Account) removeUserFromGroup(r *service.Request, in *sdk.RemoveUserFromGroupInput) (*sdk.RemoveUserFromGroupOutput, error) {
	return &sdk.RemoveUserFromGroupOutput{}, a.update(r.Now, func(s *State) error {
		g, err := findEntity(s, Group, in.GroupName)
		if err != nil {
			return err
		}
		u, err := findEntity(s, User, in.UserName)
		if err != nil {
			return err
		}
		if !u.memberOf(g) {
			return noSuchEntity(User, u.Name)
		}
		s.leave(u, g)
		return nil
	})
}

func (e *Entity) memberOf(g *Entity) bool {
	for _, name := range e.Groups {
		if key(name) == key(g.Name) {
			return true
		}
	}
	return false
}

func (e *Entity) group() *types.Group {
	return &types.Group{
		Arn: aws.String(e.ARN), GroupId: aws.String(e.ID), GroupName: aws.String(e.Name), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created),
	}
}
