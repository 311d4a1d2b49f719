package iam

import "slices"

// Principal returns what is known about a principal.
func (c *Cache) Principal(p Principal) PrincipalView {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key := p.Key()
	view := PrincipalView{Principal: p}
	for _, policyKey := range c.attached[key] {
		view.Attached = append(view.Attached, c.policies[policyKey].name)
	}
	slices.Sort(view.Attached)
	known := c.principals[key]
	switch {
	case known != nil:
		view.Presence = Present
		view.ID, view.Name = known.id, known.name
		view.Path, view.Boundary = known.path, known.boundary
		view.Groups = slices.Clone(known.groups)
		view.ForeignAttachments = known.foreignAttachments
		view.Complete = known.complete
	case c.readAt != never:
		view.Presence = Absent
	}
	return view
}

// Policy returns what is known about the operator's policy of that name, even
// if the cache has never seen it.
func (c *Cache) Policy(name string) PolicyView {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := c.policies[nameKey(name)]
	if p == nil {
		p = c.unknownPolicy(name)
	}
	return c.view(p)
}

// PoliciesWithPrefix lists the operator's policies whose names begin with
// prefix, ignoring case, sorted: those that exist, may exist, or are gone but
// not proven so. complete reports whether it is proven that there are no
// others.
func (c *Cache) PoliciesWithPrefix(prefix string) (views []PolicyView, complete bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, key := range c.policyNames.withPrefix(nameKey(prefix)) {
		if view := c.view(c.policies[key]); !view.Gone() {
			views = append(views, view)
		}
	}
	return views, consistency{read: c.readAt}.provesAbsence()
}

// OwnedPolicies lists the names of all policies of the operator that exist or may
// exist, sorted.
func (c *Cache) OwnedPolicies() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var names []string
	for _, key := range c.policyNames {
		if p := c.policies[key]; p.presence != Absent {
			names = append(names, p.name)
		}
	}
	return names
}

// PolicyCount is the number of customer managed policies in the account, those
// of others included.
func (c *Cache) PolicyCount() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	count := c.foreignPolicies
	for _, p := range c.policies {
		if p.presence != Absent {
			count++
		}
	}
	return count
}

// UserNamesWithPrefix lists the users whose names begin with prefix, ignoring
// case, sorted ignoring case.
func (c *Cache) UserNamesWithPrefix(prefix string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var names []string
	for _, key := range c.userNames.withPrefix(nameKey(prefix)) {
		names = append(names, c.principals[Principal{Kind: User, Name: key}.Key()].name)
	}
	return names
}

// Members lists the users in a group, sorted.
func (c *Cache) Members(group string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.members[nameKey(group)])
}

// GroupsOf lists the groups of a user, sorted.
func (c *Cache) GroupsOf(user string) []string {
	return c.Principal(Principal{Kind: User, Name: user}).Groups
}

// ForeignOwners lists the policies of other owners' operators that are
// attached to the principal.
func (c *Cache) ForeignOwners(p Principal) []ForeignPolicy {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if known := c.principals[p.Key()]; known != nil {
		return slices.Clone(known.foreignOwners)
	}
	return nil
}

// view is what callers see of an entry. The caller holds mu.
func (c *Cache) view(p *policy) PolicyView {
	v := PolicyView{
		Name:           p.name,
		ARN:            c.arn(p.name),
		Presence:       p.presence,
		PresenceProven: p.presence != Unknown && p.existence.proves(presenceValue(p.presence)),
		Document:       p.document,
		DocumentProven: p.document != "" && p.content.proves(documentValue(p.document)),
		DefaultVersion: p.defaultVersion,
		OthersProven:   p.others.provesAbsence(),
	}
	for _, version := range p.versions {
		v.Versions = append(v.Versions, p.version(version))
	}
	settles := never
	if !v.PresenceProven {
		settles = max(settles, p.existence.settles())
	}
	if v.Presence != Absent {
		if !v.DocumentProven {
			settles = max(settles, p.content.settles())
		}
		if !v.OthersProven {
			settles = max(settles, p.others.settles())
		}
	}
	for _, a := range p.attachments {
		proven := a.presence != Unknown && a.consistency.proves(presenceValue(a.presence))
		if a.presence == Absent && proven && v.OthersProven {
			continue // as proven as that of any principal that is not listed
		}
		if !proven {
			settles = max(settles, a.consistency.settles())
		}
		v.Attachments = append(v.Attachments, Attachment{Principal: a.principal, Presence: a.presence, Proven: proven})
	}
	if settles != never {
		v.SettlesAt = c.timeOf(settles)
	}
	return v
}
