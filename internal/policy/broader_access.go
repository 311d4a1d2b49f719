package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// CrossedPair names two grants that together allow more than they declare: with nodes of
// one grant, IAM also allows documents that only the other grant declares.
type CrossedPair struct {
	// Nodes and Documents are the IDs of the two grants.
	Nodes, Documents string
	// Names are those documents, sorted.
	Names []string
}

// BroaderAccess lists what IAM allows beyond the grants of one principal. IAM checks
// the node and the document of a session separately, so it allows a node of
// grant A with a document of grant B, although no grant declares the two
// together. Pass the grants that are not expired; for a user, those of its
// groups too.
//
// There is at most one pair for each two grants and direction, ordered by IDs.
// Tags are compared by their text, so two tag targets that happen to select the
// same nodes are reported. Grants whose times or regions never overlap are not.
func BroaderAccess(grants []Grant) []CrossedPair {
	nodes := indexNodes(grants)
	var pairs []CrossedPair
	for i := range grants {
		for j := range grants {
			a, b := &grants[i], &grants[j]
			if i == j || !meet(a, b) {
				continue
			}
			if names := nodes.crossed(grants, a, b); len(names) > 0 {
				pairs = append(pairs, CrossedPair{a.ID, b.ID, names})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y CrossedPair) int {
		return cmp.Or(strings.Compare(x.Nodes, y.Nodes), strings.Compare(x.Documents, y.Documents))
	})
	return pairs
}

// nodeIndex holds for each instance id the targets that name it, and under ""
// those that name tags only.
type nodeIndex map[string][]namedNode

// namedNode is one node of one target: the grant it is of, and the tags it must carry.
type namedNode struct {
	grant    int
	tags     map[string]string
	hybridIn string
	excluded []ExcludedTag
}

func indexNodes(grants []Grant) nodeIndex {
	index := nodeIndex{}
	for i := range grants {
		for _, t := range grants[i].Targets {
			for _, id := range t.nodes() {
				index[id] = append(index[id], namedNode{i, t.Tags, t.HybridIn, grants[i].Excluded})
			}
		}
	}
	return index
}

// nodes returns the target's ids, or "" for any node with its tags.
func (t Target) nodes() []string {
	if len(t.InstanceIDs) == 0 {
		return []string{""}
	}
	return t.InstanceIDs
}

// crossed returns the documents of b that IAM allows on some node of a although no
// grant declares that.
func (n nodeIndex) crossed(grants []Grant, a, b *Grant) []string {
	var names []string
	for _, d := range b.Documents {
		if !a.declares(d.Name) && slices.ContainsFunc(b.Regions, func(region string) bool {
			return slices.Contains(a.Regions, region) && n.crosses(grants, a, b, d.Name, region)
		}) {
			names = append(names, d.Name)
		}
	}
	return sortedIDs(names)
}

// crosses reports whether a has a node that no grant declares with the document
// in the region, whenever a and b both hold.
func (n nodeIndex) crosses(grants []Grant, a, b *Grant, document, region string) bool {
	declaring := make([]bool, len(grants))
	for i := range grants {
		g := &grants[i]
		declaring[i] = g.declares(document) && slices.Contains(g.Regions, region) && noStricter(g, a, b)
	}
	return slices.ContainsFunc(a.Targets, func(t Target) bool {
		return (t.HybridIn == "" || t.HybridIn == region) &&
			slices.ContainsFunc(t.nodes(), func(id string) bool { return !n.declared(declaring, id, region, t, a.Excluded) })
	})
}

// declared reports whether one of the grants names at least the target's node
// with the id, or any of its nodes when that is empty, in the region and as far
// as it carries the tags and none of the excluded ones.
func (n nodeIndex) declared(grants []bool, id, region string, t Target, excluded []ExcludedTag) bool {
	includes := func(node namedNode) bool {
		return grants[node.grant] && hasTags(t.Tags, node.tags) && excludesNoMore(node.excluded, excluded, t.Tags) &&
			(node.hybridIn == "" || node.hybridIn == region && (t.HybridIn != "" || hybrid(id)))
	}
	return slices.ContainsFunc(n[id], includes) || id != "" && slices.ContainsFunc(n[""], includes)
}

func (g *Grant) declares(document string) bool {
	return slices.ContainsFunc(g.Documents, func(d Document) bool { return d.Name == document })
}

// meet reports whether there is a time at which both grants hold.
func meet(a, b *Grant) bool {
	begin, end := both(a, b)
	return end.IsZero() || begin.Before(end)
}

// both returns the time in which both grants hold, zero meaning unbounded.
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
