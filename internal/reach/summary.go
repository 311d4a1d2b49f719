package reach

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

// Reached reports whether the node is connected, and whether that is known.
func (v *Verdict) Reached() (reached, known bool) {
	for i := range v.Checks {
		if c := &v.Checks[i]; c.Name == CheckConnected {
			return c.Result == Pass, c.Result != NotChecked
		}
	}
	return false, false
}

// First is what to tell of the node: the first check that fails or, where none
// does, whether it is connected. False: there is nothing to tell.
func (v *Verdict) First() (Check, bool) {
	if c, failed := FirstFailure(v.Checks); failed {
		return c, true
	}
	for i := range v.Checks {
		if c := v.Checks[i]; c.Name == CheckConnected && c.Result != Pass {
			return c, true
		}
	}
	return Check{}, false
}

// Summary counts the verdicts on several nodes.
type Summary struct {
	// Total of nodes: Connected, NotConnected, and those of which it is not known.
	Total, Connected, NotConnected, Unknown int
	// Impaired nodes are connected, and some check of theirs fails.
	Impaired int
	// Causes of nodes that are not known to be connected, the commonest first.
	Causes []Cause
	// Impairments of nodes that are connected, the commonest first.
	Impairments []Cause
}

// Cause is what to mend first on some nodes.
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
	s := Summary{Total: len(sorted)}
	var causes, impairments []Cause
	for i := range sorted {
		v := &sorted[i]
		first, told := v.First()
		reached, known := v.Reached()
		switch {
		case !known:
			s.Unknown++
		case reached:
			s.Connected++
		default:
			s.NotConnected++
		}
		switch {
		case !told:
		case reached:
			s.Impaired++
			impairments = tally(impairments, v.Node, first)
		default:
			causes = tally(causes, v.Node, first)
		}
	}
	s.Causes, s.Impairments = commonest(causes), commonest(impairments)
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

// commonest first; of equally common ones the first by name.
func commonest(causes []Cause) []Cause {
	slices.SortFunc(causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return causes
}
