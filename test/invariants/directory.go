package invariants

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
)

// meddle changes IAM as an administrator would, and then what is known of it.
func (o *Observer) meddle(change func(*iam.Account) error, known func()) error {
	account := o.server.Account(o.domain.AccountID).IAM
	o.mu.Lock()
	o.meddling = true
	o.mu.Unlock()
	err := change(account)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.meddling, o.foreign = false, o.foreignTo(account.Latest())
	if err != nil {
		return fmt.Errorf("change IAM: %w", err)
	}
	known()
	o.reconsider()
	o.judgeState(account.Latest())
	return nil
}

// Exists reports whether IAM has a principal.
func (o *Observer) Exists(p v1alpha1.Principal) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.facts.IDs.named(p.Kind, p.Name) != nil
}

// RemovePrincipal deletes a principal from IAM.
func (o *Observer) RemovePrincipal(p v1alpha1.Principal) error {
	return o.meddle(func(a *iam.Account) error { return a.RemoveEntity(iam.Kind(p.Kind), p.Name) }, func() {
		i := o.facts.IDs.named(p.Kind, p.Name)
		i.deleted = true
		o.changedPerson(i.token)
		o.domain.People = slices.DeleteFunc(o.domain.People, func(x Person) bool { return x.As[0].Kind == p.Kind && x.As[0].Name == i.token })
		for n, x := range o.domain.People {
			o.domain.People[n].As = slices.DeleteFunc(slices.Clone(x.As), func(as v1alpha1.Principal) bool { return as.Kind == p.Kind && as.Name == i.token })
		}
	})
}

// RenamePrincipal renames a user or a group in IAM.
func (o *Observer) RenamePrincipal(p v1alpha1.Principal, to string) error {
	return o.meddle(func(a *iam.Account) error { return a.Rename(iam.Kind(p.Kind), p.Name, to) }, func() {
		i := o.facts.IDs.named(p.Kind, p.Name)
		i.name = to
		o.changedPerson(i.token)
		for n, x := range o.domain.People {
			if x.As[0].Kind == p.Kind && x.As[0].Name == i.token {
				o.domain.People[n].ARN = o.arnOf(p.Kind, to)
			}
		}
	})
}

// AddPrincipal makes a principal under a name that was there at first: a user in its
// groups, a group with its members, as far as they exist.
func (o *Observer) AddPrincipal(p v1alpha1.Principal) error {
	o.mu.Lock()
	groups, members := o.groupsAtFirst(p.Name), o.membersAtFirst(p.Name)
	o.mu.Unlock()
	return o.meddle(func(a *iam.Account) error {
		switch p.Kind {
		case v1alpha1.PrincipalUser:
			f := fixtures.User{Name: p.Name}
			for _, g := range groups {
				f.Groups = append(f.Groups, g.name)
			}
			return a.AddUser(f)
		case v1alpha1.PrincipalGroup:
			if err := a.AddGroup(fixtures.Group{Name: p.Name}); err != nil {
				return err
			}
			for _, member := range members {
				if err := a.Join(member.name, p.Name); err != nil {
					return err
				}
			}
			return nil
		default:
			return a.AddRole(fixtures.Role{Name: p.Name, Trust: []byte(trustOf(o.domain.AccountID))})
		}
	}, func() { o.added(o.facts.IDs.add(p.Kind, p.Name), groups, members) })
}

// added notes that a principal is there. The lock is held.
func (o *Observer) added(i *identity, groups, members []*identity) {
	as := []v1alpha1.Principal{{Kind: i.kind, Name: i.token}}
	if i.kind == v1alpha1.PrincipalGroup {
		for n, x := range o.domain.People {
			if slices.ContainsFunc(members, func(m *identity) bool { return x.As[0].Name == m.token }) {
				o.domain.People[n].As = append(slices.Clone(x.As), as...)
			}
		}
		return
	}
	if i.kind == v1alpha1.PrincipalUser {
		for _, g := range groups {
			as = append(as, v1alpha1.Principal{Kind: v1alpha1.PrincipalGroup, Name: g.token})
		}
	}
	o.domain.People = append(o.domain.People, Person{ARN: o.arnOf(i.kind, i.name), As: as})
}

func (o *Observer) arnOf(kind v1alpha1.PrincipalKind, name string) string {
	return "arn:aws:iam::" + o.domain.AccountID + ":" + strings.ToLower(string(kind)) + "/" + name
}

// groupsAtFirst are those of a user's first groups that still exist.
func (o *Observer) groupsAtFirst(user string) []*identity {
	var groups []*identity
	for _, x := range o.first {
		for _, as := range x.As[1:] {
			if g := o.facts.IDs.named(as.Kind, as.Name); g != nil && x.As[0].Name == user {
				groups = append(groups, g)
			}
		}
	}
	return groups
}

// membersAtFirst are the existing users, under whatever name, that were members of a
// group at first, or were created again under the name of such a member.
func (o *Observer) membersAtFirst(group string) []*identity {
	var members []*identity
	for _, x := range o.first {
		if !slices.ContainsFunc(x.As[1:], func(as v1alpha1.Principal) bool { return as.Name == group }) {
			continue
		}
		for _, i := range o.facts.IDs.all {
			if first, _, _ := strings.Cut(i.token, "#"); i.kind == v1alpha1.PrincipalUser && !i.deleted && first == x.As[0].Name {
				members = append(members, i)
			}
		}
	}
	return members
}

// changedPerson notes that the sessions of the person with a token, or of the members
// of that group, may end. The lock is held.
func (o *Observer) changedPerson(token string) {
	for _, s := range o.sessions {
		if slices.ContainsFunc(s.Person.As, func(as v1alpha1.Principal) bool { return as.Name == token }) {
			s.kept = false
		}
	}
}

// heirs notes that a principal created again under a name gets what the earlier one
// had, where the account says so, including what a waiting object keeps. Which
// sessions of the earlier one end depends on what the operator has read, so the model
// does not judge them. The lock is held.
func (o *Observer) heirs() {
	if !o.facts.Grant {
		return
	}
	for _, i := range o.facts.IDs.all {
		heir := o.facts.IDs.named(i.kind, i.name)
		if !i.deleted || heir == nil {
			continue
		}
		for _, d := range o.declared {
			for _, base := range d.bases {
				d.bases = inherited(d.bases, base, v1alpha1.Principal{Kind: i.kind, Name: i.token}, heir.token)
			}
		}
		for id, s := range o.sessions {
			if !o.over(id) && slices.Contains(s.Person.As, v1alpha1.Principal{Kind: i.kind, Name: i.token}) {
				delete(o.sessions, id)
			}
		}
	}
}

// inherited adds to bases one in which an heir has the place of a principal.
func inherited(bases []v1alpha1.SessionAccessSpec, base v1alpha1.SessionAccessSpec, p v1alpha1.Principal, heir string) []v1alpha1.SessionAccessSpec {
	n := slices.Index(base.Principals, p)
	if n < 0 || slices.ContainsFunc(base.Principals, func(q v1alpha1.Principal) bool { return q.Kind == p.Kind && q.Name == heir }) {
		return bases
	}
	next := *base.DeepCopy()
	next.Principals = append(next.Principals, v1alpha1.Principal{Kind: p.Kind, Name: heir})
	return append(bases, next)
}

// disinherit notes that a principal that was created again gets nothing any more. Until
// then the model does not know which one counted as the earlier one. The lock is held.
func (o *Observer) disinherit() {
	for _, d := range o.declared {
		for _, p := range d.spec.Principals {
			recorded := o.facts.IDs.known(p.Kind, d.bond.of[bondKey(p)])
			if present := o.facts.IDs.named(p.Kind, p.Name); recorded != nil && recorded.deleted && present != nil {
				d.bond.unsure[bondKey(p)] = true
			}
		}
	}
}
