package collect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// asking is the part of a survey that asks node by node.
type asking struct {
	*taking
	memory *Memory
	// stopped holds the last error of each region that is not read any further, and
	// failures how often in a row a region gave no answer.
	stopped  map[string]error
	failures map[string]int
}

// connections reads, one by one, the connection status of the nodes whose agents
// do not show that they are connected, and of some others. It stops reading in a
// region that denies the call or gives no answer several times in a row, and
// continues in the others.
func (t *taking) connections(ctx context.Context, m *Memory, partial bool) {
	if !partial && t.complete() {
		m.prune(t.nodes)
	}
	m.round++
	a := &asking{taking: t, memory: m, stopped: map[string]error{}, failures: map[string]int{}}
	answering := t.pick(func(n *node) bool { return !t.lost(n) })
	reporting := slices.DeleteFunc(slices.Clone(answering), t.quiet)
	quiet := slices.DeleteFunc(answering, func(n *node) bool { return !t.quiet(n) })
	for _, n := range quiet[:min(len(quiet), maxAsked)] {
		a.ask(ctx, n)
	}
	found := a.again(ctx, m.remembered(reporting))
	after := a.probe(ctx, reporting, found)
	if !partial {
		m.after = after
	}
	a.leave(quiet, reporting)
}

// ask asks for one node, and reports whether the answer was that it is not connected.
func (a *asking) ask(ctx context.Context, n *node) bool {
	if a.stopped[n.region] != nil {
		return false
	}
	status, err := a.ssm(n.region).ConnectionStatus(ctx, n.id)
	n.connection = known(status, err)
	if err == nil {
		a.failures[n.region] = 0
		a.memory.note(n.id, status == check.StatusNotConnected)
		return status == check.StatusNotConnected
	}
	a.failures[n.region]++
	if awserr.Classify(err) == awserr.Refused || a.failures[n.region] == maxFailures {
		a.stopped[n.region] = err
	}
	return false
}

// again asks for nodes that were not connected the last time, and counts those
// that still are not.
func (a *asking) again(ctx context.Context, closed []*node) int {
	found := 0
	for _, n := range closed[:min(len(closed), maxAsked)] {
		if a.ask(ctx, n) {
			found++
		}
	}
	return found
}

// probe reads the connection status of nodes that report, in turn, and returns the
// id of the last. What keeps one node from its control channel mostly keeps others
// too, so each node that is found not connected, now or again, allows one more
// that is connected. A survey therefore has two calls for each such node, one for
// it and one for another, and one more for the roles, which nodes mostly share.
func (a *asking) probe(ctx context.Context, reporting []*node, found int) (after string) {
	after = a.memory.after
	turn := 0
	for turn < len(reporting) && strings.Compare(reporting[turn].id, after) <= 0 {
		turn++
	}
	probed, misses := 0, maxProbed+found
	for i := range reporting {
		n := reporting[(turn+i)%len(reporting)]
		if probed == maxAsked || misses == 0 {
			break
		}
		after = n.id
		if _, remembered := a.memory.closed[n.id]; remembered || a.stopped[n.region] != nil {
			continue
		}
		probed++
		if a.ask(ctx, n) {
			misses++
		} else {
			misses--
		}
	}
	return after
}

// leave notes what is known of those that were not asked, or gave no answer.
func (a *asking) leave(quiet, reporting []*node) {
	for _, n := range quiet {
		_, answered := n.connection.Get()
		if err := a.stopped[n.region]; err != nil && !answered && n.connection.Missing() == (check.Missing{}) {
			n.connection = known(check.ConnectionStatus(""), err)
		}
	}
	for _, n := range reporting {
		_, answered := n.connection.Get()
		// Its agent's reports would have it connected.
		if _, closed := a.memory.closed[n.id]; closed && !answered {
			n.connection = check.Is(check.StatusNotConnected)
		}
	}
}

// Memory is what one survey of an account remembers for the next. An agent can
// report and have no control channel, which only asking node by node shows, and
// asking all would cost a call each. So each survey asks some of those that
// report, in turn, and again those that it found so, until they are connected:
// where there is no answer, they are still not. The zero value is ready. It is not
// safe for concurrent use.
type Memory struct {
	// after is the last id that was asked in turn.
	after string
	// round counts the surveys.
	round int
	// closed are the nodes that are not connected, with the round of the answer.
	closed map[string]int
}

func (m *Memory) note(id string, closed bool) {
	if m.closed == nil {
		m.closed = map[string]int{}
	}
	if closed {
		m.closed[id] = m.round
	} else {
		delete(m.closed, id)
	}
}

// remembered returns those of the nodes that were not connected, the one with the
// oldest such answer first.
func (m *Memory) remembered(nodes []*node) []*node {
	closed := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool {
		_, is := m.closed[n.id]
		return !is
	})
	slices.SortStableFunc(closed, func(a, b *node) int { return cmp.Compare(m.closed[a.id], m.closed[b.id]) })
	return closed
}

// prune forgets nodes that are not in nodes, which must hold all nodes of the
// account that are of interest.
func (m *Memory) prune(nodes map[string]*node) {
	for id := range m.closed {
		if nodes[id] == nil {
			delete(m.closed, id)
		}
	}
}
