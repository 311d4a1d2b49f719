package iam

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// The methods here change the account as a user of the console would, but
// without credentials, counting and quotas: for tests of changes by others.

// Attach attaches a managed policy, by its ARN or name, to an entity.
func (a *Account) Attach(kind Kind, name, policy string) error {
	return a.onEntityState(kind, name, func(s *State, e *Entity) error {
		p, err := a.policyByRef(s, policy)
		if err != nil {
			return err
		}
		s.attach(e, p.ARN)
		return nil
	})
}

// Detach takes a managed policy from an entity.
func (a *Account) Detach(kind Kind, name, policy string) error {
	return a.onEntityState(kind, name, func(s *State, e *Entity) error {
		p, err := a.policyByRef(s, policy)
		if err != nil {
			return err
		}
		if !e.attached(p.ARN) {
			return noSuchPolicy(p.ARN)
		}
		s.detach(e, p.ARN)
		return nil
	})
}

// SetBoundary sets an entity's permissions boundary, "" takes it away.
func (a *Account) SetBoundary(kind Kind, name, policy string) error {
	return a.onEntityState(kind, name, func(s *State, e *Entity) error {
		if policy == "" {
			s.setBoundary(e, "")
			return nil
		}
		p, err := a.policyByRef(s, policy)
		if err != nil {
			return err
		}
		s.setBoundary(e, p.ARN)
		return nil
	})
}

// SetTrust replaces the policy that says who may assume a role.
func (a *Account) SetTrust(role, text string) error {
	parsed, err := authz.ParseTrust([]byte(text))
	if err != nil {
		return fmt.Errorf("trust of role %s: %w", role, err)
	}
	return a.onEntityState(Role, role, func(s *State, e *Entity) error {
		s.put(e.with(func(e *Entity) { e.Trust = Document{Text: text, Parsed: parsed} }))
		return nil
	})
}

// SetInline replaces the document of an inline policy that an entity has.
func (a *Account) SetInline(kind Kind, name, policy, text string) error {
	parsed, err := authz.Parse([]byte(text))
	if err != nil {
		return fmt.Errorf("inline policy %s: %w", policy, err)
	}
	return a.onEntityState(kind, name, func(s *State, e *Entity) error {
		i, ok := e.inline(policy)
		if !ok {
			return fmt.Errorf("%s %s has no inline policy %s", kind, name, policy)
		}
		s.put(e.with(func(e *Entity) {
			e.Inline = slices.Clone(e.Inline)
			e.Inline[i].Document = Document{Text: text, Parsed: parsed}
		}))
		return nil
	})
}

// Join makes a user a member of a group.
func (a *Account) Join(user, group string) error {
	return a.onEntityState(User, user, func(s *State, u *Entity) error {
		g, ok := s.Entity(Group, group)
		if !ok {
			return noSuchEntity(Group, group)
		}
		s.join(u, g)
		return nil
	})
}

// Leave takes a user out of a group.
func (a *Account) Leave(user, group string) error {
	return a.onEntityState(User, user, func(s *State, u *Entity) error {
		g, ok := s.Entity(Group, group)
		if !ok || !u.memberOf(g) {
			return noSuchEntity(Group, group)
		}
		s.leave(u, g)
		return nil
	})
}

// RemoveEntity deletes an entity whatever hangs on it, its credentials too.
func (a *Account) RemoveEntity(kind Kind, name string) error {
	err := a.onEntityState(kind, name, func(s *State, e *Entity) error {
		for _, arn := range e.Attached {
			current, _ := s.Entity(kind, name)
			s.detach(current, arn)
		}
		for _, group := range e.Groups {
			current, _ := s.Entity(kind, name)
			if g, ok := s.Entity(Group, group); ok {
				s.leave(current, g)
			}
		}
		if kind == Group {
			for _, member := range s.membersAfter(e, "") {
				s.leave(member, e)
			}
		}
		current, _ := s.Entity(kind, name)
		s.drop(current)
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range a.Keys(kind, name) {
		a.RemoveKey(k.ID)
	}
	return nil
}

// SetDocument makes a document the default version of a policy. When the policy
// is full, the oldest other version is deleted.
func (a *Account) SetDocument(policy, text string) error {
	parsed, err := authz.Parse([]byte(text))
	if err != nil {
		return fmt.Errorf("policy %s: %w", policy, err)
	}
	now := a.Now()
	return a.onPolicyState(policy, func(s *State, p *Policy) error {
		versions := p.Versions
		if len(versions) >= a.Quota(quotaVersionsPerPolicy) {
			for _, v := range slices.Backward(versions) {
				if v.ID != p.Default {
					versions = removed(versions, v)
					break
				}
			}
		}
		v := &Version{ID: "v" + strconv.Itoa(p.NextVersion), Created: now, Document: Document{Text: text, Parsed: parsed}}
		s.putPolicy(p.with(func(p *Policy) {
			p.Versions, p.Default, p.Updated = slices.Concat([]*Version{v}, versions), v.ID, now
			p.NextVersion++
		}))
		return nil
	})
}

// SetDefaultVersion moves the default version of a policy.
func (a *Account) SetDefaultVersion(policy, version string) error {
	return a.onPolicyState(policy, func(s *State, p *Policy) error {
		if p.version(version) == nil {
			return noSuchVersion(p.ARN, version)
		}
		s.putPolicy(p.with(func(p *Policy) { p.Default, p.Updated = version, a.Now() }))
		return nil
	})
}

// RemovePolicy detaches a policy from every principal and deletes it.
func (a *Account) RemovePolicy(policy string) error {
	return a.onPolicyState(policy, func(s *State, p *Policy) error {
		for _, holder := range s.attachments.Below(p.ARN + "\x00") {
			if e, ok := s.entities(holder.kind).Get(holder.key); ok {
				s.detach(e, p.ARN)
			}
		}
		for _, holder := range s.boundaries.Below(p.ARN + "\x00") {
			if e, ok := s.entities(holder.kind).Get(holder.key); ok {
				s.setBoundary(e, "")
			}
		}
		s.policies = s.policies.Without(key(p.Name))
		return nil
	})
}

func (a *Account) onEntityState(kind Kind, name string, change func(*State, *Entity) error) error {
	return a.update(a.Now(), func(s *State) error {
		e, ok := s.Entity(kind, name)
		if !ok {
			return noSuchEntity(kind, name)
		}
		return change(s, e)
	})
}

func (a *Account) onPolicyState(policy string, change func(*State, *Policy) error) error {
	return a.update(a.Now(), func(s *State) error {
		p, err := a.policyByRef(s, policy)
		if err != nil {
			return err
		}
		if p.AWSManaged {
			return invalidInput("Policy %s is owned by AWS and cannot be changed.", p.ARN)
		}
		return change(s, p)
	})
}
