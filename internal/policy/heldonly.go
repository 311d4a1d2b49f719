package policy

import "slices"

// wanted returns the atoms of grants that were checked before. From grants that
// are HeldOnly it takes the atoms that some document holds.
func wanted(acct Account, p Principal, grants []*Grant, held []string) *atoms {
	all := collect(acct, p, grants)
	heldOnly := func(g *Grant) bool { return g.HeldOnly }
	if !slices.ContainsFunc(grants, heldOnly) {
		return all
	}
	decided := collect(acct, p, slices.DeleteFunc(slices.Clone(grants), heldOnly))
	keep := make([]bool, all.len())
	for atom := range keep {
		g := &all.groups[all.groupOf[atom]]
		keep[atom] = decided.find(g.kind, g.condition, all.element(atom)) >= 0
	}
	for _, document := range held {
		for _, atom := range parseHeld(all, document).atoms {
			keep[atom] = true
		}
	}
	return all.only(keep)
}

// only returns the atoms that are to be kept.
func (a *atoms) only(keep []bool) *atoms {
	c := &collector{}
	for _, g := range a.groups {
		kept := group{kind: g.kind, condition: g.condition, wrapper: g.wrapper}
		for i, e := range g.elements {
			if keep[g.first+i] {
				kept.elements = append(kept.elements, e)
			}
		}
		if len(kept.elements) > 0 {
			c.groups = append(c.groups, kept)
		}
	}
	return c.finish()
}
