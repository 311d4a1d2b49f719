package invariants_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// tally counts what has happened in sequences: that a step is drawn does not say that
// there was anything for it to do.
type tally struct {
	mu sync.Mutex
	of map[string]int
}

var happened = tally{of: map[string]int{}}

func (t *tally) count(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of[what]++
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []string
	for _, what := range slices.Sorted(maps.Keys(t.of)) {
		all = append(all, fmt.Sprintf("%s: %d", what, t.of[what]))
	}
	return strings.Join(all, ", ")
}
