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
	// Nodes are the regions in which to search for each node, by the node's id,
	// "i-…" or "mi-…". A node belongs to the first region in which it is found.
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

// key identifies a selection.
func (s Selection) key() string {
	var b strings.Builder
	b.WriteString(s.Region)
	for _, name := range slices.Sorted(maps.Keys(s.Tags)) {
		b.WriteString(" " + strconv.Quote(name) + "=" + strconv.Quote(s.Tags[name]))
	}
	return b.String()
}

// regions returns the regions to search, sorted.
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
