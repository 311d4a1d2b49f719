package iam

import (
	"maps"
	"slices"
	"time"
)

// leftFor is how long the cache remembers that a user left a group. A session that the group
// allowed may be open for that long: without a maximum duration in the preferences, Session
// Manager ends only idle sessions.
const leftFor = 7 * 24 * time.Hour

// LeftGroups lists the groups that a user of that name has left within a week, as Refreshes
// found, in lower case and sorted. The user may be deleted, renamed or replaced since: its
// sessions name it as before.
func (c *Cache) LeftGroups(user string) []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.left[nameKey(user)]))
}

// noteLeft compares the members of each group with those of a bulk read that is about to be
// merged. The caller holds mu.
func (c *Cache) noteLeft(inv *inventory) {
	for group, users := range c.members {
		for _, user := range users {
			now := inv.principals[Principal{Kind: User, Name: user}.Key()]
			if now != nil && slices.ContainsFunc(now.groups, func(g string) bool { return nameKey(g) == group }) {
				continue
			}
			key := nameKey(user)
			if c.left[key] == nil {
				c.left[key] = map[string]monotonicTime{}
			}
			c.left[key][group] = inv.begun
		}
	}
	for user, groups := range c.left {
		maps.DeleteFunc(groups, func(_ string, at monotonicTime) bool { return inv.begun >= at.plus(leftFor) })
		if len(groups) == 0 {
			delete(c.left, user)
		}
	}
}
