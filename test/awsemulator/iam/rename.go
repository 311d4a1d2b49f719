package iam

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// A user or group that is renamed or moved to another path keeps its unique id,
// its attached and embedded policies, its boundary, its memberships and its
// credentials (IAM User Guide, "Rename an IAM user"). Its ARN changes.

// Rename renames a user or group.
func (a *Account) Rename(kind Kind, name, to string) error {
	return a.update(a.Now(), func(s *State) error { return a.rename(s, kind, &name, nil, &to) })
}

func (a *Account) updateUser(r *service.Request, in *sdk.UpdateUserInput) (*sdk.UpdateUserOutput, error) {
	return &sdk.UpdateUserOutput{}, a.update(r.Now, func(s *State) error {
		return a.rename(s, User, in.UserName, in.NewPath, in.NewUserName)
	})
}

func (a *Account) updateGroup(r *service.Request, in *sdk.UpdateGroupInput) (*sdk.UpdateGroupOutput, error) {
	return &sdk.UpdateGroupOutput{}, a.update(r.Now, func(s *State) error {
		return a.rename(s, Group, in.GroupName, in.NewPath, in.NewGroupName)
	})
}

// rename changes the path and the name, as far as they are given.
func (a *Account) rename(s *State, kind Kind, name, newPath, newName *string) error {
	before, err := findEntity(s, kind, name)
	if err != nil {
		return err
	}
	path, to := before.Path, before.Name
	if newPath != nil {
		if path, err = checkPath(newPath); err != nil {
			return err
		}
	}
	if newName != nil {
		to = aws.ToString(newName)
		if err := namePattern(kind).Check(to); err != nil {
			return err
		}
		if _, taken := s.Entity(kind, to); taken && key(to) != key(before.Name) {
			return alreadyExists(string(kind), to)
		}
	}
	after := before.with(func(e *Entity) { e.Name, e.Path, e.ARN = to, path, a.arn(resourceOf(kind), path, to) })
	s.replace(before, after)
	a.rekey(kind, before.Name, to)
	return nil
}

// replace puts an entity in the place of one of another name, with everything
// that refers to it by name.
func (s *State) replace(before, after *Entity) {
	members := slices.Collect(func(yield func(*Entity) bool) {
		if before.Kind == Group {
			for _, member := range s.membersAfter(before, "") {
				if !yield(member) {
					return
				}
			}
		}
	})
	t := s.entities(before.Kind)
	*t = t.Without(key(before.Name))
	s.put(after)
	holder := attachment{after.Kind, key(after.Name)}
	for _, arn := range before.Attached {
		s.attachments = s.attachments.Without(attachmentKey(arn, before.Kind, key(before.Name))).
			With(attachmentKey(arn, after.Kind, key(after.Name)), holder)
	}
	if before.Boundary != "" {
		s.boundaries = s.boundaries.Without(attachmentKey(before.Boundary, before.Kind, key(before.Name))).
			With(attachmentKey(before.Boundary, after.Kind, key(after.Name)), holder)
	}
	for _, group := range before.Groups {
		s.members = s.members.Without(memberKey(group, before.Name)).With(memberKey(group, after.Name), key(after.Name))
	}
	for _, member := range members {
		s.members = s.members.Without(memberKey(before.Name, member.Name)).With(memberKey(after.Name, member.Name), key(member.Name))
		s.put(member.with(func(u *Entity) {
			u.Groups = slices.Clone(u.Groups)
			for i, group := range u.Groups {
				if key(group) == key(before.Name) {
					u.Groups[i] = after.Name
				}
			}
		}))
	}
}

// rekey hands the credentials of an entity to its new name.
func (a *Account) rekey(kind Kind, before, after string) {
	for _, k := range a.Keys(kind, before) {
		k.Owner = after
		a.AddKey(k)
	}
}

// onRenamed is the check of an operation that renames: AWS wants the permission
// on the entity and on the one that it becomes.
func (a *Account) onRenamed(r *service.Request, operation string, kind Kind, name, newPath, newName *string) []service.Check {
	checks := a.onEntity(r, operation, kind, name)
	path, to := "/", aws.ToString(name)
	if e, ok := a.ForEvaluation(r.Now).Entity(kind, to); ok {
		path, to = e.Path, e.Name
	}
	if newPath != nil {
		path = *newPath
	}
	if newName != nil {
		to = *newName
	}
	return append(checks, service.Check{Action: "iam:" + operation, Resource: a.arn(resourceOf(kind), path, to)})
}
