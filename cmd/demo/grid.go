package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// answer is what AWS answers when a user opens a session on a node.
type answer string

const (
	opens  answer = "session opens"
	denied answer = "AccessDenied"
	// tierMissing: the Standard tier opens no session on a hybrid node.
	tierMissing answer = "refused for the instances tier"
)

// grid holds an answer for each user and node.
type grid struct {
	users, nodes []string
	cells        map[string]map[string]answer // by user, then node
}

func newGrid(users, nodes []string) grid {
	g := grid{users: users, nodes: nodes, cells: make(map[string]map[string]answer, len(users))}
	for _, user := range users {
		g.cells[user] = make(map[string]answer, len(nodes))
	}
	return g
}

// declared is the grid in which the given users may open sessions on one node
// each, and nothing else may be opened.
func declared(users, nodes []string, may map[string]string) grid {
	g := newGrid(users, nodes)
	for _, user := range users {
		for _, node := range nodes {
			g.cells[user][node] = denied
			if may[user] == node {
				g.cells[user][node] = opens
			}
		}
	}
	return g
}

// print writes the grid as a table.
func (g grid) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "\t%s\n", strings.Join(g.nodes, "\t"))
	for _, user := range g.users {
		fmt.Fprint(table, user)
		for _, node := range g.nodes {
			fmt.Fprintf(table, "\t%s", g.cells[user][node])
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush() // Nothing can be done when the terminal is gone.
	fmt.Fprintln(out)
}

// differences describes, in a sentence each, where the grid differs from the
// one wanted.
func (g grid) differences(want grid) []string {
	var sentences []string
	for _, user := range g.users {
		for _, node := range g.nodes {
			if got, wanted := g.cells[user][node], want.cells[user][node]; got != wanted {
				sentences = append(sentences, fmt.Sprintf("%s on %s: %q was declared, and AWS answered %q.", user, node, wanted, got))
			}
		}
	}
	return sentences
}
