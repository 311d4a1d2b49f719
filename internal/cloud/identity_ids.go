package cloud

import "slices"

// Names are not identities: a deleted principal's name is free for another one,
// and a renamed user or group keeps its attachments and memberships under the
// new name. IAM's unique ids, which never change, distinguish such cases.

// NameOf is the present name of the principal with a unique id; "" when the
// mirror knows none. It looks through all principals.
func (m *Mirror) NameOf(kind PrincipalKind, id string) string {
	if id == "" {
		return ""
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for key, p := range m.principals {
		if p.id == id && principalOf(key, p.name).Kind == kind {
			return p.name
		}
	}
	return ""
}

// FormerMembers lists the users who were members of a group, by its unique id,
// at the last Refresh that found it; none for one that never disappeared.
func (m *Mirror) FormerMembers(groupID string) []string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.formerMembers[groupID])
}

// bury keeps the members of a group that is not under its name any more. The
// caller holds mu, and has not yet replaced the members.
func (m *Mirror) bury(key string, old *principal) {
	if old.id != "" && principalOf(key, old.name).Kind == Group {
		m.formerMembers[old.id] = slices.Clone(m.members[nameKey(old.name)])
	}
}
