package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// newEntity is what the creation of a user, a group or a role has in common.
type newEntity struct {
	kind           Kind
	name, path     *string
	boundary       *string
	tags           []types.Tag
	idPrefix       string
	trust          Document
	description    *string
	sessionSeconds *int32
}

// create makes an entity.
func (a *Account) create(r *service.Request, n newEntity) (*Entity, error) {
	name := aws.ToString(n.name)
	if err := namePattern(n.kind).Check(name); err != nil {
		return nil, err
	}
	path, err := checkPath(n.path)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(n.tags)
	if err != nil {
		return nil, err
	}
	seconds, err := service.InRange("maxSessionDuration", n.sessionSeconds, 3600, 43200, 3600)
	if err != nil {
		return nil, err
	}
	e := &Entity{
		Kind: n.kind, Name: name, Path: path, ARN: a.arn(resourceOf(n.kind), path, name), ID: a.Random.UniqueID(n.idPrefix),
		Created: r.Now, Tags: tags, Trust: n.trust, Description: aws.ToString(n.description), MaxSessionDuration: int32(seconds),
	}
	err = a.update(r.Now, func(s *State) error {
		if _, ok := s.Entity(n.kind, name); ok {
			return alreadyExists(string(n.kind), name)
		}
		if quota := a.Quota(entitiesQuota(n.kind)); s.entities(n.kind).Len() >= quota {
			return limitExceeded(string(n.kind)+"sPerAccount", quota)
		}
		s.put(e)
		if n.boundary == nil {
			return nil
		}
		if _, err := findPolicy(s, n.boundary); err != nil {
			return err
		}
		s.setBoundary(e, *n.boundary)
		e, _ = s.Entity(n.kind, name)
		return nil
	})
	return e, err
}

// remove deletes an entity that nothing hangs on any more.
func (a *Account) remove(r *service.Request, kind Kind, name *string) error {
	return a.update(r.Now, func(s *State) error {
		e, err := changeable(s, kind, name)
		switch {
		case err != nil:
			return err
		case len(e.Attached) > 0:
			return deleteConflict("Cannot delete entity, must detach all policies first.")
		case len(e.Inline) > 0:
			return deleteConflict("Cannot delete entity, must delete policies first.")
		case kind == User && len(e.Groups) > 0, kind == Group && s.members.CountBelow(memberKey(e.Name, "")) > 0:
			return deleteConflict("Cannot delete entity, must remove users from group first.")
		case kind == Role && len(s.profilesOf(e)) > 0:
			return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		case kind == User && len(a.Keys(User, e.Name)) > 0:
			return deleteConflict("Cannot delete entity, must delete access keys first.")
		}
		s.drop(e)
		return nil
	})
}

// drop takes an entity out of the state.
func (s *State) drop(e *Entity) {
	if e.Boundary != "" {
		s.setBoundary(e, "")
	}
	for _, p := range s.profilesOf(e) {
		next := *p
		next.Role = ""
		s.profiles = s.profiles.With(key(p.Name), &next)
	}
	t := s.entities(e.Kind)
	*t = t.Without(key(e.Name))
}

func resourceOf(kind Kind) string {
	switch kind {
	case User:
		return "user"
	case Group:
		return "group"
	default:
		return "role"
	}
}
