package check

import (
	"cmp"
	"slices"
)

// Verdict is what was found on one node.
type Verdict struct {
	// Node is the id.
	Node string
	// Checks are those of [Judge].
	Checks []Check
}

// State is the summary of a verdict.
type State int

// The states. On nodes in the first three sessions open.
const (
	// StateInOrder: what the documents ask for works too.
	StateInOrder State = iota
	// StateImpaired: some of it does not.
	StateImpaired
	// StateUnjudged: for some of it, that is not known.
	StateUnjudged
	// StateUnknown: it is not known whether the node is connected.
	StateUnknown
	// StateDown: the node is not connected.
	StateDown
)

// State sums the checks up.
func (v *Verdict) State() State {
	first, found := v.First()
	switch reached, known := v.Reached(); {
	case !known:
		return StateUnknown
	case !reached:
		return StateDown
	case !found:
		return StateInOrder
	case first.Result == Fail || breaks(&first):
		return StateImpaired
	default:
		return StateUnjudged
	}
}

// breaks reports whether the warning is about something that does not work.
// Other warnings are about what works or does not, which is not visible from
// outside.
// outside.
func breaks(c *Check) bool { return c.Result == Warn && c.Name == CheckAgentVersion }

// Reached reports whether the node is connected, and whether that is known.
func (v *Verdict) Reached() (reached, known bool) {
	c, made := v.check(CheckConnected)
	return c.Result == Pass && made, c.Result != NotChecked && made
}

func (v *Verdict) check(name Name) (Check, bool) {
	for i := range v.Checks {
		if v.Checks[i].Name == name {
			return v.Checks[i], true
		}
	}
	return Check{}, false
}

// First is what to report about the node: the first check that fails. If none
// does, it is that the connection status is not known or, for a connected node,
// what may be broken. False: there is nothing to report.
func (v *Verdict) First() (Check, bool) {
	if c, failed := FirstFailure(v.Checks); failed {
		return c, true
	}
	if c, made := v.check(CheckConnected); c.Result != Pass {
		return c, made
	}
	return v.doubt()
}

// doubt is the first thing that may be broken on a node that is connected. A
// check that was not made does not count as passed there.
func (v *Verdict) doubt() (first Check, found bool) {
	for i := range v.Checks {
		c := v.Checks[i]
		switch {
		case c.Result != Warn && c.Result != NotChecked:
		case breaks(&c):
			return c, true
		case !found:
			first, found = c, true
		}
	}
	if first.Reason == NotRead {
		first.Remedy = "Open a session there to see, and look yourself at what its document names."
	}
	return first, found
}

// Telling are the checks behind what is reported about the node: that of
// [Verdict.First], and whether it is connected.
func (v *Verdict) Telling() []Check {
	var kept []Check
	if c, found := v.First(); found {
		kept = append(kept, c)
	}
	if c, made := v.check(CheckConnected); made && (len(kept) == 0 || kept[0].Name != c.Name) {
		kept = append(kept, c)
	}
	return kept
}

// Summary counts the verdicts on several nodes.
type Summary struct {
	// Total of nodes, and Connected ones.
	Total, Connected int
	// In has the nodes by state.
	In map[State]Group
}

// Group is the nodes in one state.
type Group struct {
	Count int
	// Causes are what to report about them first, the commonest first.
	Causes []Cause
}

// Cause is what to fix first on some nodes.
type Cause struct {
	Reason Reason
	// Count of nodes.
	Count int
	// Node is the first of them by id, and Check what was found on it.
	Node  string
	Check Check
}

// Summarize counts. The order of the verdicts does not matter.
func Summarize(verdicts []Verdict) Summary {
	sorted := slices.SortedFunc(slices.Values(verdicts), func(a, b Verdict) int { return cmp.Compare(a.Node, b.Node) })
	s := Summary{Total: len(sorted), In: map[State]Group{}}
	for i := range sorted {
		v := &sorted[i]
		if reached, _ := v.Reached(); reached {
			s.Connected++
		}
		state := v.State()
		group := s.In[state]
		group.Count++
		if first, found := v.First(); found {
			group.Causes = tally(group.Causes, v.Node, first)
		}
		s.In[state] = group
	}
	for _, group := range s.In {
		sortByCount(group.Causes)
	}
	return s
}

func tally(causes []Cause, node string, c Check) []Cause {
	for i := range causes {
		if causes[i].Reason == c.Reason {
			causes[i].Count++
			return causes
		}
	}
	return append(causes, Cause{Reason: c.Reason, Count: 1, Node: node, Check: c})
}

// sortByCount puts the commonest first; of equally common ones the first by
// name.
func sortByCount(causes []Cause) {
	slices.SortFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
}
