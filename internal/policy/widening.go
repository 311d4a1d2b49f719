package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Pair is a widening: with nodes of one grant, IAM also allows documents that
// only the other grant declares.
type Pair struct {
	// Nodes and Documents are the IDs of the two grants.
	Nodes, Documents string
	// Names are those documents, sorted.
	Names []string
}

// Widening lists what IAM allows beyond the grants of one principal, because it
// checks the node and the document of a session each by itself: a node of grant
// A with a document of grant B, although no grant declares the two together.
// Pass the grants that are not expired; for a user, those of its groups too.
//
// There is at most one pair for each two grants and direction, ordered by IDs.
// Tags are compared as declared, so two tag targets that happen to mean the same
// nodes are reported. Grants whose times or regions never meet are not.
func Widening(grants []Grant) []Pair {
	var pairs []Pair
	for i := range grants {
		for j := range grants {
			a, b := &grants[i], &grants[j]
			if i == j || !meet(a, b) {
				continue
			}
			if names := widened(grants, a, b); len(names) > 0 {
				pairs = append(pairs, Pair{a.ID, b.ID, names})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int {
		return cmp.Or(strings.Compare(x.Nodes, y.Nodes), strings.Compare(x.Documents, y.Documents))
	})
	return pairs
}

// widened gives the documents of b that IAM allows on some node of a although no
// grant declares that.
func widened(grants []Grant, a, b *Grant) []string {
	var names []string
	for _, d := range b.Documents {
		if !a.declares(d.Name) && slices.ContainsFunc(b.Regions, func(region string) bool {
			return slices.Contains(a.Regions, region) && widens(grants, a, b, d.Name, region)
		}) {
			names = append(names, d.Name)
		}
	}
	return sortedIDs(names)
}

// widens reports whether a has a node that no grant declares with the document
// in the region, whenever a and b both hold.
func widens(grants []Grant, a, b *Grant, document, region string) bool {
	var declaring []*Grant
	for i := range grants {
		g := &grants[i]
		if g.declares(document) && slices.Contains(g.Regions, region) && noStricter(g, a, b) {
			declaring = append(declaring, g)
		}
	}
	for _, t := range a.Targets {
		ids := t.InstanceIDs
		if len(ids) == 0 {
			ids = []string{""}
		}
		for _, id := range ids {
			if !slices.ContainsFunc(declaring, func(g *Grant) bool { return g.includes(id, t.Tags) }) {
				return true
			}
		}
	}
	return false
}

func (g *Grant) declares(document string) bool {
	return slices.ContainsFunc(g.Documents, func(d Document) bool { return d.Name == document })
}

// includes reports whether the grant has a target that means at least the node
// with the id, or any node when it is empty, as far as it carries the tags.
func (g *Grant) includes(id string, tags map[string]string) bool {
	return slices.ContainsFunc(g.Targets, func(t Target) bool {
		if id == "" && len(t.InstanceIDs) > 0 {
			return false
		}
		return t.matches(id, tags)
	})
}

// meet reports whether there is a time at which both grants hold.
func meet(a, b *Grant) bool {
	begin, end := both(a, b)
	return end.IsZero() || begin.Before(end)
}

// both gives the time in which both grants hold, zero meaning unbounded.
func both(a, b *Grant) (begin, end time.Time) {
	begin, end = a.NotBefore, a.NotAfter
	if b.NotBefore.After(begin) {
		begin = b.NotBefore
	}
	if end.IsZero() || !b.NotAfter.IsZero() && b.NotAfter.Before(end) {
		end = b.NotAfter
	}
	return begin, end
}

// noStricter reports whether g holds whenever a and b both do.
func noStricter(g, a, b *Grant) bool {
	begin, end := both(a, b)
	if g.NotBefore.After(begin) || !g.NotAfter.IsZero() && (end.IsZero() || g.NotAfter.Before(end)) {
		return false
	}
	if g.RequireMFA && !a.RequireMFA && !b.RequireMFA {
		return false
	}
	own := sources(g.SourceCIDRs)
	return len(own) == 0 || slices.Equal(own, sources(a.SourceCIDRs)) || slices.Equal(own, sources(b.SourceCIDRs))
}
