package grants

import (
	"slices"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Coverage asks since when a grant covers a session.
type Coverage struct {
	// Owner of the session as [PrincipalPart] names it; "" where it is not known.
	Owner string
	// As are the parts of the principals that the owner acts as.
	As []string
	// Node and Region of the session.
	Node, Region string
	// OnTarget reports whether the node is one of the grant's nth target.
	OnTarget func(n int) bool
}

// Start returns since when a grant covers a session's owner on its node: the earliest
// time at which it does in any way, and not before the grant's notBefore. The time is zero
// where it is not known. covers is false where the grant does not cover the two.
func (c Coverage) Start(g *v1alpha1.ResolvedGrant) (start time.Time, covers bool) {
	at := allowed(g)
	region, ok := at[c.Region]
	if !ok || !slices.Contains(g.Regions, v1alpha1.Region(c.Region)) {
		return time.Time{}, false
	}
	principal, ok := earliestOf(at, c.As)
	if !ok {
		return time.Time{}, false
	}
	node, ok := earliestOf(at, c.nodes(g))
	if !ok {
		return time.Time{}, false
	}
	start = latest(region, principal, node)
	for _, i := range g.Inherited {
		if i.Owner == c.Owner && i.Node == c.Node && timeOf(i.Since).Before(start) {
			start = timeOf(i.Since)
		}
	}
	return start, true
}

// nodes are the parts of a grant's targets that have the session's node.
func (c Coverage) nodes(g *v1alpha1.ResolvedGrant) []string {
	var nodes []string
	for i := range g.Targets {
		t := &g.Targets[i]
		if !c.OnTarget(i) {
			continue
		}
		if len(t.InstanceIDs) == 0 {
			nodes = append(nodes, TargetPart(t, ""))
		} else {
			nodes = append(nodes, TargetPart(t, c.Node))
		}
	}
	return nodes
}

func earliestOf(at map[string]time.Time, names []string) (earliest time.Time, found bool) {
	for _, name := range names {
		if start, ok := at[name]; ok && (!found || start.Before(earliest)) {
			earliest, found = start, true
		}
	}
	return earliest, found
}
