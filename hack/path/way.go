package main

import (
	"fmt"
	"maps"
	"slices"
)

// stop is one function on the way.
type stop struct {
	name, file string
	// depth is how many stops are above it.
	depth int
}

// way is the way of the object.
type way struct {
	stops []stop
	// names that have the object, sorted.
	names []string
}

// files counts the files that hold stops.
func (w *way) files() int {
	files := map[string]bool{}
	for _, s := range w.stops {
		files[s.file] = true
	}
	return len(files)
}

// returns counts the steps into another file that the way was in before: back to the stop
// whose mention comes next, and from there to what is mentioned.
func (w *way) returns() int {
	n, seen, in := 0, map[string]bool{}, ""
	step := func(to string) {
		if to != in && seen[to] {
			n++
		}
		seen[to], in = true, to
	}
	var above []string
	for _, s := range w.stops {
		above = append(above[:s.depth], s.file)
		if s.depth > 0 {
			step(above[s.depth-1])
		}
		step(s.file)
	}
	return n
}

// follow finds the way. What takes the object is known only from the stops, and the stops
// only from what takes it. Both only ever get more, until nothing changes.
func follow(m *module, o config) (*way, error) {
	f, err := newFlow(m, o.objects)
	if err != nil {
		return nil, err
	}
	c := newCode(m, f)
	entries, err := c.named(o.entries)
	if err != nil {
		return nil, err
	}
	ends, err := c.named(o.ends)
	if err != nil {
		return nil, err
	}
	skips, err := c.named(o.skips)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		f.enter(e.Func)
	}
	for {
		before := len(f.taken)
		w := walk{code: c, ends: setOf(ends), seen: setOf(skips), mentioned: map[*function][]*function{}}
		w.findLeading()
		for _, e := range entries {
			w.stopAt(e, 0)
		}
		for _, fn := range w.functions {
			c.takeFrom(fn)
		}
		if len(f.taken) == before {
			return w.result(), nil
		}
	}
}

// named finds functions by their names, each of which has to exist.
func (c *code) named(names []string) ([]*function, error) {
	var found []*function
	for _, name := range names {
		i := slices.IndexFunc(c.all, func(f *function) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no function %s", name)
		}
		found = append(found, c.all[i])
	}
	return found, nil
}

func setOf(functions []*function) map[*function]bool {
	set := map[*function]bool{}
	for _, f := range functions {
		set[f] = true
	}
	return set
}

// walk visits functions.
type walk struct {
	*code
	ends      map[*function]bool
	mentioned map[*function][]*function
	// leading are the functions that lead to an end, and the ends.
	leading map[*function]bool
	// seen are the stops so far, and what is skipped.
	seen      map[*function]bool
	stops     []stop
	functions []*function
}

// findLeading finds what leads to an end, from the ends back to what mentions them.
func (w *walk) findLeading() {
	by := map[*function][]*function{}
	for _, f := range w.all {
		if w.seen[f] {
			continue // It is skipped.
		}
		w.mentioned[f] = w.mentions(f)
		for _, target := range w.mentioned[f] {
			by[target] = append(by[target], f)
		}
	}
	w.leading = maps.Clone(w.ends)
	next := slices.Collect(maps.Keys(w.ends))
	for len(next) > 0 {
		f := next[0]
		next = next[1:]
		for _, from := range by[f] {
			if !w.leading[from] {
				w.leading[from] = true
				next = append(next, from)
			}
		}
	}
}

// stopAt counts a function, and visits what it mentions.
func (w *walk) stopAt(f *function, depth int) {
	if w.seen[f] {
		return
	}
	w.seen[f] = true
	w.stops = append(w.stops, stop{name: f.name, file: f.file, depth: depth})
	w.functions = append(w.functions, f)
	if w.ends[f] {
		return
	}
	for _, target := range w.mentioned[f] {
		if w.leading[target] || w.carries(target) {
			w.stopAt(target, depth+1)
		}
	}
}

func (w *walk) result() *way {
	names := map[string]bool{}
	for _, f := range w.functions {
		for _, name := range w.names(f) {
			names[name] = true
		}
	}
	return &way{stops: w.stops, names: slices.Sorted(maps.Keys(names))}
}
