package grants

import (
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// What a record says in mode Observe was not granted: AWS was not asked to allow it. It
// is ungranted until it is recorded again under mode Enforce. Until then it revokes
// nothing, and no session rests on it. Records of earlier versions have no such marks,
// so all of them counts as granted.

// WithoutUngranted is the part of a grant that AWS was asked to allow: the grant itself
// where that is all of it, and nil where that is nothing.
func WithoutUngranted(g *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	if g == nil || len(g.Ungranted) == 0 {
		return g
	}
	ungranted := setOf(g.Ungranted)
	next := g.DeepCopy()
	next.Ungranted = nil
	next.Principals = slices.DeleteFunc(next.Principals, func(p v1alpha1.Principal) bool { return ungranted[PrincipalPart(p)] })
	next.PrincipalIDs = slices.DeleteFunc(next.PrincipalIDs, func(id v1alpha1.PrincipalID) bool {
		return ungranted[PrincipalPart(v1alpha1.Principal{Kind: id.Kind, Name: id.Name})]
	})
	next.Regions = slices.DeleteFunc(next.Regions, func(r v1alpha1.Region) bool { return ungranted[string(r)] })
	next.Targets = nil
	for i := range g.Targets {
		t := g.Targets[i].DeepCopy()
		if len(t.InstanceIDs) == 0 {
			if !ungranted[TargetPart(t, "")] {
				next.Targets = append(next.Targets, *t)
			}
			continue
		}
		t.InstanceIDs = slices.DeleteFunc(t.InstanceIDs, func(id v1alpha1.InstanceID) bool { return ungranted[TargetPart(t, string(id))] })
		if len(t.InstanceIDs) > 0 {
			next.Targets = append(next.Targets, *t)
		}
	}
	if len(next.Principals) == 0 || len(next.Regions) == 0 || len(next.Targets) == 0 {
		return nil
	}
	return next
}

// StartParts returns a grant whose named parts are granted since a time, where they
// were ungranted. The grant is not changed.
func StartParts(g *v1alpha1.ResolvedGrant, named map[string]bool, since time.Time) *v1alpha1.ResolvedGrant {
	if !slices.ContainsFunc(g.Ungranted, func(part string) bool { return named[part] }) {
		return g
	}
	next, at := g.DeepCopy(), starts(g)
	next.Ungranted = slices.DeleteFunc(next.Ungranted, func(part string) bool { return named[part] })
	last := timeOf(g.Since)
	for _, start := range at {
		last = latest(last, start)
	}
	for _, part := range g.Ungranted {
		if at[part] = last; named[part] {
			at[part] = since
		}
	}
	setStarts(next, at)
	return next
}

// Admit returns a grant to which a session passes that begins no later than a time,
// although the part of the grant that allows it was ungranted.
func (c Coverage) Admit(g *v1alpha1.ResolvedGrant, since time.Time) *v1alpha1.ResolvedGrant {
	return StartParts(g, setOf(slices.Concat([]string{c.Region}, c.As, c.nodes(g))), since)
}

func setOf(parts []string) map[string]bool {
	set := make(map[string]bool, len(parts))
	for _, part := range parts {
		set[part] = true
	}
	return set
}
