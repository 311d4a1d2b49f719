package cloud

import "slices"

// Filled reports whether a Refresh has succeeded: before, everything that no
// point read or write has shown is Unknown.
func (m *Mirror) Filled() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.readAt != never
}

// Principal returns what is known about a principal.
func (m *Mirror) Principal(p Principal) PrincipalView {
	m.mu.RLock()
	defer m.mu.RUnlock()
	key := p.Key()
	view := PrincipalView{Principal: p}
	for _, policyKey := range m.attached[key] {
		view.Attached = append(view.Attached, m.policies[policyKey].name)
	}
	slices.Sort(view.Attached)
	known := m.principals[key]
	switch {
	case known != nil:
		view.Presence = Present
		view.ID, view.Name = known.id, known.name
		view.Path, view.Boundary = known.path, known.boundary
		view.Groups = slices.Clone(known.groups)
		view.ForeignAttachments = known.foreignAttachments
		view.Complete = known.complete
	case m.readAt != never:
		view.Presence = Absent
	}
	return view
}

// Policy returns what is known about the operator's policy of that name, even
// if the mirror has never seen it.
func (m *Mirror) Policy(name string) PolicyView {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p := m.policies[nameKey(name)]
	if p == nil {
		p = m.unknownPolicy(name)
	}
	return m.view(p)
}

// PoliciesWithPrefix lists the operator's policies whose names begin with
// prefix, ignoring case, sorted: those that exist, may exist, or are gone but
// not proven so. complete reports whether it is proven that there are no
// others.
func (m *Mirror) PoliciesWithPrefix(prefix string) (views []PolicyView, complete bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, key := range m.policyNames.withPrefix(nameKey(prefix)) {
		if view := m.view(m.policies[key]); !view.Gone() {
			views = append(views, view)
		}
	}
	return views, evidence{read: m.readAt}.provesAbsence()
}

// OurNames lists all policies of the operator that exist or may exist, sorted.
func (m *Mirror) OurNames() []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var names []string
	for _, key := range m.policyNames {
		if p := m.policies[key]; p.presence != Absent {
			names = append(names, p.name)
		}
	}
	return names
}

// PolicyCount is the number of customer managed policies in the account, those
// of others included.
func (m *Mirror) PolicyCount() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	count := m.foreignPolicies
	for _, p := range m.policies {
		if p.presence != Absent {
			count++
		}
	}
	return count
}

// UserNames lists the users of the account, sorted ignoring case.
func (m *Mirror) UserNames() []string { return m.UserNamesWithPrefix("") }

// UserNamesWithPrefix lists the users whose names begin with prefix, ignoring
// case, sorted ignoring case.
func (m *Mirror) UserNamesWithPrefix(prefix string) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var names []string
	for _, key := range m.userNames.withPrefix(nameKey(prefix)) {
		names = append(names, m.principals[Principal{Kind: User, Name: key}.Key()].name)
	}
	return names
}

// Members lists the users in a group, sorted.
func (m *Mirror) Members(group string) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.members[nameKey(group)])
}

// GroupsOf lists the groups of a user, sorted.
func (m *Mirror) GroupsOf(user string) []string {
	return m.Principal(Principal{Kind: User, Name: user}).Groups
}

// ForeignOwners lists the policies of other owners' operators that are
// attached to the principal.
func (m *Mirror) ForeignOwners(p Principal) []ForeignPolicy {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if known := m.principals[p.Key()]; known != nil {
		return slices.Clone(known.foreignOwners)
	}
	return nil
}

// view is what callers see of an entry. The caller holds mu.
func (m *Mirror) view(p *policy) PolicyView {
	v := PolicyView{
		Name:           p.name,
		ARN:            m.arn(p.name),
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
		proven := a.presence != Unknown && a.evidence.proves(presenceValue(a.presence))
		if a.presence == Absent && proven && v.OthersProven {
			continue // as proven as that of any principal that is not listed
		}
		if !proven {
			settles = max(settles, a.evidence.settles())
		}
		v.Attachments = append(v.Attachments, Attachment{Principal: a.principal, Presence: a.presence, Proven: proven})
	}
	if settles != never {
		v.SettlesAt = m.timeOf(settles)
	}
	return v
}
