package iam

import (
	"iter"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ordered"
)

// State is all of an account's IAM at one moment. It is immutable.
type State struct {
	users, groups, roles ordered.Map[*Entity]
	policies             ordered.Map[*Policy]
	profiles             ordered.Map[*Profile]
	// attachments has a key "policy ARN, kind, name" for each attachment.
	attachments ordered.Map[attachment]
	// boundaries has the same for each permissions boundary in use.
	boundaries ordered.Map[attachment]
	// members has a key "group, user" for each membership.
	members ordered.Map[string]
	// aws holds the managed policies of AWS, the same in every account.
	aws map[string]*Policy
	// organization are the service control policies, level by level.
	organization [][]authz.Policy
}

// attachment is the holder of a policy.
type attachment struct {
	kind Kind
	key  string
}

func newState(aws map[string]*Policy) *State {
	return &State{
		users: ordered.New[*Entity](), groups: ordered.New[*Entity](), roles: ordered.New[*Entity](),
		policies: ordered.New[*Policy](), profiles: ordered.New[*Profile](), attachments: ordered.New[attachment](), boundaries: ordered.New[attachment](),
		members: ordered.New[string](), aws: aws,
	}
}

// with returns a copy that change has changed.
func (s *State) with(change func(*State) error) (*State, error) {
	next := *s
	if err := change(&next); err != nil {
		return nil, err
	}
	return &next, nil
}

func (s *State) entities(kind Kind) *ordered.Map[*Entity] {
	switch kind {
	case User:
		return &s.users
	case Group:
		return &s.groups
	default:
		return &s.roles
	}
}

// Entity finds a user, group or role by its name, whatever the case.
func (s *State) Entity(kind Kind, name string) (*Entity, bool) {
	return s.entities(kind).Get(key(name))
}

// Policy finds a managed policy, the account's own or AWS's, by its ARN.
func (s *State) Policy(arn string) (*Policy, bool) {
	if p, ok := s.aws[arn]; ok {
		return p, true
	}
	p, ok := s.policies.Get(key(arn[strings.LastIndex(arn, "/")+1:]))
	if !ok || p.ARN != arn {
		return nil, false
	}
	return p, true
}

// Entities yields the entities of a kind in the order of their names.
func (s *State) Entities(kind Kind) iter.Seq[*Entity] { return s.entities(kind).Values() }

// Policies yields the customer managed policies in the order of their names.
func (s *State) Policies() iter.Seq[*Policy] { return s.policies.Values() }

func (s *State) put(e *Entity) {
	t := s.entities(e.Kind)
	*t = t.With(key(e.Name), e)
}

func (s *State) putPolicy(p *Policy) { s.policies = s.policies.With(key(p.Name), p) }

func attachmentKey(arn string, kind Kind, entityKey string) string {
	return arn + "\x00" + string(kind) + "\x00" + entityKey
}

func memberKey(group, user string) string { return key(group) + "\x00" + key(user) }

// attach attaches the policy to the entity; if it is attached, nothing changes.
func (s *State) attach(e *Entity, arn string) {
	if e.attached(arn) {
		return
	}
	s.put(e.with(func(e *Entity) { e.Attached = added(e.Attached, arn) }))
	s.attachments = s.attachments.With(attachmentKey(arn, e.Kind, key(e.Name)), attachment{e.Kind, key(e.Name)})
}

func (s *State) detach(e *Entity, arn string) {
	s.put(e.with(func(e *Entity) { e.Attached = removed(e.Attached, arn) }))
	s.attachments = s.attachments.Without(attachmentKey(arn, e.Kind, key(e.Name)))
}

// setBoundary sets the permissions boundary or, with "", removes it.
func (s *State) setBoundary(e *Entity, arn string) {
	if e.Boundary != "" {
		s.boundaries = s.boundaries.Without(attachmentKey(e.Boundary, e.Kind, key(e.Name)))
	}
	if arn != "" {
		s.boundaries = s.boundaries.With(attachmentKey(arn, e.Kind, key(e.Name)), attachment{e.Kind, key(e.Name)})
	}
	s.put(e.with(func(e *Entity) { e.Boundary = arn }))
}

// join makes the user a member of the group.
func (s *State) join(user, group *Entity) {
	if _, ok := s.members.Get(memberKey(group.Name, user.Name)); ok {
		return
	}
	s.members = s.members.With(memberKey(group.Name, user.Name), key(user.Name))
	s.put(user.with(func(u *Entity) { u.Groups = added(u.Groups, group.Name) }))
}

func (s *State) leave(user, group *Entity) {
	s.members = s.members.Without(memberKey(group.Name, user.Name))
	s.put(user.with(func(u *Entity) { u.Groups = removed(u.Groups, group.Name) }))
}

// attachmentCount is how many users, groups and roles hold the policy.
func (s *State) attachmentCount(arn string) int32 {
	return int32(s.attachments.CountBelow(arn + "\x00"))
}

// boundaryCount is how many users and roles have the policy as boundary.
func (s *State) boundaryCount(arn string) int32 {
	return int32(s.boundaries.CountBelow(arn + "\x00"))
}
