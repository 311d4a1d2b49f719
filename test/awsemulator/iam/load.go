package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/service"
)

// Load fills the account from a fixture.
func (a *Account) Load(f fixtures.Account) error {
	for name, value := range f.Quotas {
		if !a.SetQuota(name, value) {
			return fmt.Errorf("account %s: there is no quota %q", f.ID, name)
		}
	}
	for _, k := range f.RootKeys {
		a.AddKey(AccessKey{ID: k.ID, Secret: k.Secret, SessionToken: k.SessionToken, MFA: k.MFA, MFAAt: a.Now()})
	}
	for _, p := range f.Policies {
		if _, err := a.AddPolicy(p); err != nil {
			return fmt.Errorf("account %s: %w", f.ID, err)
		}
	}
	for _, g := range f.Groups {
		if err := a.AddGroup(g); err != nil {
			return fmt.Errorf("account %s: %w", f.ID, err)
		}
	}
	for _, u := range f.Users {
		if err := a.AddUser(u); err != nil {
			return fmt.Errorf("account %s: %w", f.ID, err)
		}
	}
	for _, r := range f.Roles {
		if err := a.AddRole(r); err != nil {
			return fmt.Errorf("account %s: %w", f.ID, err)
		}
	}
	for _, p := range f.InstanceProfiles {
		if err := a.AddInstanceProfile(p); err != nil {
			return fmt.Errorf("account %s: instance profile %s: %w", f.ID, p.Name, err)
		}
	}
	return nil
}

// AddPolicy puts a managed policy into the account and returns its ARN.
func (a *Account) AddPolicy(f fixtures.Policy) (string, error) {
	document, err := parseFixture(f.Document, authz.Parse)
	if err != nil {
		return "", fmt.Errorf("policy %s: %w", f.Name, err)
	}
	path, now := pathOr(f.Path), a.Now()
	p := &Policy{
		Name: f.Name, Path: path, ARN: a.arn("policy", path, f.Name), ID: a.Random.UniqueID("ANPA"), Description: f.Description,
		Created: now, Updated: now, Tags: sortedTags(f.Tags), Default: "v1", NextVersion: 2,
		Versions: []*Version{{ID: "v1", Created: now, Document: document}},
	}
	return p.ARN, a.update(now, func(s *State) error {
		if _, ok := s.policies.Get(key(f.Name)); ok {
			return alreadyExists("policy", f.Name)
		}
		s.putPolicy(p)
		return nil
	})
}

// AddUser puts a user, with its credentials, into the account.
func (a *Account) AddUser(f fixtures.User) error {
	e := a.fromFixture(User, f.Name, f.Path, f.ID, "AIDA", f.Tags)
	if err := a.addEntity(e, f.Grants, f.Groups); err != nil {
		return fmt.Errorf("user %s: %w", f.Name, err)
	}
	for _, k := range f.AccessKeys {
		a.AddKey(AccessKey{ID: k.ID, Secret: k.Secret, SessionToken: k.SessionToken, OwnerKind: User, Owner: f.Name, MFA: k.MFA, MFAAt: a.Now()})
	}
	return nil
}

// AddGroup puts a group into the account.
func (a *Account) AddGroup(f fixtures.Group) error {
	if err := a.addEntity(a.fromFixture(Group, f.Name, f.Path, f.ID, "AGPA", nil), f.Grants, nil); err != nil {
		return fmt.Errorf("group %s: %w", f.Name, err)
	}
	return nil
}

// AddRole puts a role, with the sessions it has, into the account.
func (a *Account) AddRole(f fixtures.Role) error {
	e := a.fromFixture(Role, f.Name, f.Path, f.ID, "AROA", f.Tags)
	e.Description, e.MaxSessionDuration = f.Description, 3600
	trust, err := parseFixture(f.Trust, authz.ParseTrust)
	if err != nil {
		return fmt.Errorf("trust of role %s: %w", f.Name, err)
	}
	e.Trust = trust
	if err := a.addEntity(e, f.Grants, nil); err != nil {
		return fmt.Errorf("role %s: %w", f.Name, err)
	}
	for _, session := range f.Sessions {
		for _, k := range session.AccessKeys {
			a.AddKey(AccessKey{
				ID: k.ID, Secret: k.Secret, SessionToken: k.SessionToken, OwnerKind: Role, Owner: f.Name,
				SessionName: session.Name, MFA: k.MFA, MFAAt: a.Now(),
			})
		}
	}
	return nil
}

func (a *Account) fromFixture(kind Kind, name, path, id, prefix string, tags map[string]string) *Entity {
	if id == "" {
		id = a.Random.UniqueID(prefix)
	}
	path = pathOr(path)
	return &Entity{
		Kind: kind, Name: name, Path: path, ARN: a.arn(resourceOf(kind), path, name), ID: id,
		Created: a.Now(), Tags: sortedTags(tags),
	}
}

// addEntity puts an entity with its grants and groups into the account.
func (a *Account) addEntity(e *Entity, g fixtures.Grants, groups []string) error {
	if err := namePattern(e.Kind).Check(e.Name); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(g.Inline)) {
		document, err := parseFixture(g.Inline[name], authz.Parse)
		if err != nil {
			return fmt.Errorf("inline policy %s: %w", name, err)
		}
		e.Inline = append(e.Inline, Inline{Name: name, Document: document})
	}
	return a.update(a.Now(), func(s *State) error {
		if _, ok := s.Entity(e.Kind, e.Name); ok {
			return alreadyExists(string(e.Kind), e.Name)
		}
		s.put(e)
		for _, ref := range g.Attached {
			p, err := a.policyByRef(s, ref)
			if err != nil {
				return err
			}
			current, _ := s.Entity(e.Kind, e.Name)
			s.attach(current, p.ARN)
		}
		if g.Boundary != "" {
			p, err := a.policyByRef(s, g.Boundary)
			if err != nil {
				return err
			}
			current, _ := s.Entity(e.Kind, e.Name)
			s.setBoundary(current, p.ARN)
		}
		for _, name := range groups {
			group, ok := s.Entity(Group, name)
			if !ok {
				return noSuchEntity(Group, name)
			}
			current, _ := s.Entity(e.Kind, e.Name)
			s.join(current, group)
		}
		return nil
	})
}

// policyByRef finds a policy by its ARN or, in this account, by its name.
func (a *Account) policyByRef(s *State, ref string) (*Policy, error) {
	if !strings.HasPrefix(ref, "arn:") {
		if p, ok := s.policies.Get(key(ref)); ok {
			return p, nil
		}
		return nil, noSuchPolicy(ref)
	}
	if p, ok := s.Policy(ref); ok {
		return p, nil
	}
	return nil, noSuchPolicy(ref)
}

func parseFixture(raw json.RawMessage, parse func([]byte) (*authz.Document, error)) (Document, error) {
	text := fixtures.Text(raw)
	parsed, err := parse([]byte(text))
	if err != nil {
		return Document{}, err
	}
	return Document{Text: text, Parsed: parsed}, nil
}

func pathOr(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

func sortedTags(tags map[string]string) []service.Tag {
	var list []service.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, service.Tag{Key: k, Value: tags[k]})
	}
	return list
}
