package collect

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Request says what to look at in an account.
type Request struct {
	AccountID, Partition string
	// Nodes are the regions in which each node is looked for, by the node's id,
	// "i-…" or "mi-…". It is of the first in which it is found.
	Nodes map[string][]string
	// Selections are sets of nodes by their tags.
	Selections []Selection
	// Documents are the names of the session documents in use, by region.
	Documents map[string][]string
	// Memory of the surveys of this account. Nil: there is none.
	Memory *Memory
	// Partial: it is not about all the nodes of the account that are of interest.
	Partial bool
}

// Selection is the nodes of a region that carry all the tags.
type Selection struct {
	Region string
	Tags   map[string]string
}

// key tells selections apart.
func (s Selection) key() string {
	var b strings.Builder
	b.WriteString(s.Region)
	for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
		b.WriteString(" " + strconv.Quote(name) + "=" + strconv.Quote(s.Tags[name]))
	}
	return b.String()
}

// regions that anything is looked for in, sorted.
func (r *Request) regions() []string {
	set := map[string]bool{}
	for _, regions := range r.Nodes {
		for _, region := range regions {
			set[region] = true
		}
	}
	for _, s := range r.Selections {
		set[s.Region] = true
	}
	return slices.Sorted(maps.Keys(set))
}
