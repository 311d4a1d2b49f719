package iam

import "slices"

// Names are not identities: a deleted principal's name is free for another one,
// and a renamed user or group keeps its attachments and memberships under the
// new name. IAM's unique ids, which never change, distinguish such cases.

// NameOf is the present name of the principal with a unique id; "" when the
// cache knows none. It looks through all principals.
func (c *Cache) NameOf(kind PrincipalKind, id string) string {
	if id == "" {
		return ""
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for key, p := range c.principals {
		if p.id == id && principalOf(key, p.name).Kind == kind {
			return p.name
		}
	}
	return ""
}

// FormerMembers lists the users who were members of a group, by its unique id,
// at the last Refresh that found it; none for one that never disappeared.
func (c *Cache) FormerMembers(groupID string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.formerMembers[groupID])
}

// bury keeps the members of a group that is not under its name any more. The
// caller holds mu, and has not yet replaced the members.
func (c *Cache) bury(key string, old *principal) {
	if old.id != "" && principalOf(key, old.name).Kind == Group {
		c.formerMembers[old.id] = slices.Clone(c.members[nameKey(old.name)])
	}
}
