package survey

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
)

// Memory is what one survey of an account remembers for the next. An agent can
// report and have no control channel, which only asking node by node shows, and
// asking all would cost a call each. So each survey asks some of those that
// report, in turn, and again those that it found so, until they are connected.
// The zero value is ready. It is not safe for concurrent use.
type Memory struct {
	// after is the last id that was asked in turn.
	after string
	// closed are the nodes that report and are not connected.
	closed map[string]bool
}

// connections asks one by one of the nodes whose agents do not show that they
// are connected, and some of the others. Once it may not, it asks no further.
func (t *taking) connections(ctx context.Context, m *Memory, partial bool) error {
	quiet := t.pick(t.quiet)
	asked := slices.Concat(quiet[:min(len(quiet), maxAsked)], t.suspects(m))
	if !partial {
		m.prune(t.nodes)
	}
	for _, n := range asked {
		status, err := t.cloud.ConnectionStatus(ctx, n.region, n.id)
		switch cloud.Classify(err) {
		case cloud.None:
			n.connection = reach.Is(status)
			m.note(n.id, status == reach.StatusNotConnected && !t.quiet(n))
		case cloud.Refused:
			for _, left := range quiet {
				left.connection = known(status, err)
			}
			return nil
		default:
			return fmt.Errorf("ask whether nodes are connected: %w", err)
		}
	}
	return nil
}

// suspects are the nodes that report and are asked all the same.
func (t *taking) suspects(m *Memory) []*node {
	reporting := t.pick(func(n *node) bool { return !t.quiet(n) })
	var chosen []*node
	for _, n := range reporting {
		if m.closed[n.id] && len(chosen) < maxAsked {
			chosen = append(chosen, n)
		}
	}
	turn := 0
	for turn < len(reporting) && strings.Compare(reporting[turn].id, m.after) <= 0 {
		turn++
	}
	for i, left := 0, maxProbed; i < len(reporting) && left > 0; i++ {
		n := reporting[(turn+i)%len(reporting)]
		m.after = n.id
		if !m.closed[n.id] {
			chosen = append(chosen, n)
			left--
		}
	}
	return chosen
}

func (m *Memory) note(id string, closed bool) {
	if m.closed == nil {
		m.closed = map[string]bool{}
	}
	if closed {
		m.closed[id] = true
	} else {
		delete(m.closed, id)
	}
}

// prune forgets nodes that nobody asks for any more.
func (m *Memory) prune(nodes map[string]*node) {
	for id := range m.closed {
		if nodes[id] == nil {
			delete(m.closed, id)
		}
	}
}
