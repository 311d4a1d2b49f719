package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

func (a *Account) createUser(r *service.Request, in *sdk.CreateUserInput) (*sdk.CreateUserOutput, error) {
	e, err := a.create(r, newEntity{
		kind: User, name: in.UserName, path: in.Path, boundary: in.PermissionsBoundary, tags: in.Tags, idPrefix: "AIDA",
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateUserOutput{User: e.user()}, nil
}

// getUser answers the caller itself when no name is given.
func (a *Account) getUser(r *service.Request, in *sdk.GetUserInput) (*sdk.GetUserOutput, error) {
	name := in.UserName
	if name == nil {
		if r.Caller.Kind != service.UserCaller {
			return nil, service.ValidationError("Must specify userName when calling with non-User credentials")
		}
		name = aws.String(r.Caller.Name)
	}
	e, err := findEntity(a.read(r.Now), User, name)
	if err != nil {
		return nil, err
	}
	return &sdk.GetUserOutput{User: e.user()}, nil
}

func (a *Account) listUsers(r *service.Request, in *sdk.ListUsersInput) (*sdk.ListUsersOutput, error) {
	p, err := a.listEntities(r, User, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListUsersOutput{IsTruncated: p.truncated, Marker: p.marker, Users: make([]types.User, len(p.items))}
	for i, e := range p.items {
		out.Users[i] = *e.user()
		// The list leaves out tags and the boundary.
		out.Users[i].Tags, out.Users[i].PermissionsBoundary = nil, nil
	}
	return out, nil
}

func (a *Account) deleteUser(r *service.Request, in *sdk.DeleteUserInput) (*sdk.DeleteUserOutput, error) {
	return &sdk.DeleteUserOutput{}, a.remove(r, User, in.UserName)
}

// listEntities pages through the entities of a kind.
func (a *Account) listEntities(r *service.Request, kind Kind, pathPrefix, marker *string, maxItems *int32) (page[*Entity], error) {
	s := a.read(r.Now)
	return paginate(a, marker, maxItems, s.entities(kind).After, func(e *Entity) bool { return hasPrefix(e.Path, pathPrefix) })
}

func (a *Account) listGroupsForUser(r *service.Request, in *sdk.ListGroupsForUserInput) (*sdk.ListGroupsForUserOutput, error) {
	s := a.read(r.Now)
	u, err := findEntity(s, User, in.UserName)
	if err != nil {
		return nil, err
	}
	t := ordered.New[*Entity]()
	for _, name := range u.Groups {
		if g, ok := s.Entity(Group, name); ok {
			t = t.With(key(name), g)
		}
	}
	p, err := paginate(a, in.Marker, in.MaxItems, t.After, nil)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListGroupsForUserOutput{IsTruncated: p.truncated, Marker: p.marker, Groups: make([]types.Group, len(p.items))}
	for i, g := range p.items {
		out.Groups[i] = *g.group()
	}
	return out, nil
}

func (e *Entity) user() *types.User {
	u := &types.User{
		Arn: aws.String(e.ARN), UserId: aws.String(e.ID), UserName: aws.String(e.Name), Path: aws.String(e.Path),
		CreateDate: aws.Time(e.Created), PermissionsBoundary: e.boundaryOut(),
	}
	if len(e.Tags) > 0 {
		u.Tags = tagsOut(e.Tags)
	}
	return u
}

func (e *Entity) boundaryOut() *types.AttachedPermissionsBoundary {
	if e.Boundary == "" {
		return nil
	}
	return &types.AttachedPermissionsBoundary{
		PermissionsBoundaryArn:  aws.String(e.Boundary),
		PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
	}
}
