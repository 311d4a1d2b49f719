package policy

import (
	"slices"
	"strings"
)

// Session is an open session: what DescribeSessions returns about it, and what
// is known about its node and owner.
type Session struct {
	// Owner is the ARN of who opened it.
	Owner string
	// OwnerGroups are the groups that the owner, an IAM user, is a member of.
	OwnerGroups []string
	// Target is the node's id, i-… or mi-…
	Target string
	// Tags are the node's tags.
	Tags map[string]string
	// Region of the node.
	Region string
	// Document is the name or the ARN of the session document; empty means
	// [DefaultDocument].
	Document string
}

// Covers reports whether the grant, given to the principals, allows the session
// by itself: its owner (directly or through a group), node, region and document.
// It ignores time, MFA and addresses; for time there is [Grant.Active].
func Covers(acct Account, g Grant, principals []Principal, s Session) bool {
	return NamesDocument(acct, g, principals, s) &&
		!excludes(g.Excluded, s.Tags) &&
		slices.ContainsFunc(g.Targets, func(t Target) bool { return t.matches(s) })
}

// NamesDocument reports whether the grant, given to the principals, allows the
// document of the session to its owner in its region, on whatever node.
func NamesDocument(acct Account, g Grant, principals []Principal, s Session) bool {
	return owns(acct, principals, s) &&
		slices.Contains(g.Regions, s.Region) &&
		slices.ContainsFunc(g.Documents, func(d Document) bool { return d.matches(acct, s.Region, s.Document) })
}

// owns reports whether the session's owner is, or belongs to, one of the principals.
func owns(acct Account, principals []Principal, s Session) bool {
	owner, ok := OwnerOf(s.Owner)
	if !ok || owner.Account != acct {
		return false
	}
	as := []string{Key(owner.Principal)}
	if owner.Principal.Kind == User {
		for _, g := range s.OwnerGroups {
			as = append(as, Key(Principal{Group, g}))
		}
	}
	return slices.ContainsFunc(principals, func(p Principal) bool { return slices.Contains(as, Key(p)) })
}

// Matches reports whether the node of the session is one of the target's.
func (t Target) Matches(s Session) bool { return t.matches(s) }

// matches reports whether the node is one of the target's. A target of nothing
// matches nothing.
func (t Target) matches(s Session) bool {
	if len(t.InstanceIDs) == 0 && len(t.Tags) == 0 {
		return false
	}
	if len(t.InstanceIDs) > 0 && !slices.Contains(t.InstanceIDs, s.Target) {
		return false
	}
	if t.HybridIn != "" && (t.HybridIn != s.Region || !hybrid(s.Target)) {
		return false
	}
	return hasTags(s.Tags, t.Tags)
}

// hybrid reports whether the id is that of a node which is no EC2 instance.
func hybrid(id string) bool { return strings.HasPrefix(id, "mi-") }

// hasTags reports whether all that is wanted is among the tags.
func hasTags(tags, wanted map[string]string) bool {
	for k, v := range wanted {
		if !hasTag(tags, k, v) {
			return false
		}
	}
	return true
}

// hasTag compares keys as IAM does, whatever their case, and values exactly.
func hasTag(tags map[string]string, key, value string) bool {
	if v, ok := tags[key]; ok && v == value {
		return true
	}
	for k, v := range tags {
		if v == value && strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// matches reports whether a session of the region used the document.
func (d Document) matches(acct Account, region, used string) bool {
	switch {
	case used == "":
		return d.Name == DefaultDocument
	case strings.HasPrefix(used, "arn:"):
		e := newScopes(acct, region).documentElement(d.Name)
		return used == e.scope+e.name
	default:
		return used == d.Name
	}
}
