package policy

import "slices"

// mover leads from what is held to a layout, one write at a time. At no moment
// is an atom that is held and wanted in no shard.
type mover struct {
	packer
	layout []*shard
	// target is the layout's documents.
	target []string
	// home is the shard in which the layout has an atom.
	home []int
	// now holds the atoms of each shard at this point, ascending; document is its
	// text as the operator would write it, and foreign means that it holds more.
	now      [][]int
	document []string
	foreign  []bool
	// cover counts the shards that hold an atom at this point.
	cover  []int
	writes []Write
}

// moves returns the plan that leads from what is held to the layout. False means
// that no order was found that leaves no gap: the shards are too full to pass
// atoms on.
func (c *compilation) moves(layout []*shard) (Plan, bool) {
	m := &mover{
		packer:   c.packer,
		layout:   layout,
		target:   make([]string, len(layout)),
		home:     c.homes(layout),
		now:      make([][]int, len(layout)),
		document: make([]string, len(layout)),
		foreign:  make([]bool, len(layout)),
		cover:    make([]int, c.all.len()),
	}
	for i, h := range c.held {
		m.now[i], m.document[i], m.foreign[i] = h.atoms, h.canonical, h.foreign
		for _, atom := range h.atoms {
			m.cover[atom]++
		}
	}
	for i, s := range layout {
		m.target[i] = s.render()
	}
	cuts := c.cuts()
	m.narrow()
	for !m.done() {
		if !m.advance() {
			return Plan{}, false
		}
	}
	return Plan{Documents: m.target, Writes: m.writes, Cuts: cuts}, true
}

// cuts returns for each shard that holds what is not wanted the part that is.
func (c *compilation) cuts() map[int]string {
	cuts := map[int]string{}
	for i, h := range c.held {
		if h.foreign {
			cuts[i+1] = shardOf(c.all, h.atoms).render()
		}
	}
	return cuts
}

// narrow first removes what is not wanted: from the shards that only lose atoms,
// and from those that must wait for others before they can change.
func (m *mover) narrow() {
	for i := range m.layout {
		if m.gains(i) && !m.pinned(i) {
			continue // one write does both
		}
		keep := m.keep(i)
		if m.foreign[i] || len(keep) < len(m.now[i]) {
			m.write(i, keep)
		}
	}
}

// advance makes the next writes that are safe, those that also narrow first, and
// reports whether there was one.
func (m *mover) advance() bool {
	for _, ready := range []func(int) bool{
		func(i int) bool { return m.gains(i) && m.loses(i) },
		m.gains,
		func(i int) bool { return !m.final(i) },
	} {
		progress := false
		for i := range m.layout {
			if ready(i) && !m.pinned(i) {
				m.write(i, m.layout[i].atoms)
				progress = true
			}
		}
		if progress {
			return true
		}
	}
	return m.squeeze()
}

// squeeze handles shards that wait for one another: one takes in what another
// waits to give up, or some of it, before it gives up anything itself.
func (m *mover) squeeze() bool {
	for i := range m.layout {
		s := shardOf(m.all, m.keep(i))
		grown := false
		for _, atom := range m.layout[i].atoms {
			if m.cover[atom] > 0 && !contains(m.now[i], atom) {
				grown = s.addIfFits(atom, m.limit) || grown
			}
		}
		if grown {
			slices.Sort(s.atoms)
			m.write(i, s.atoms)
			return true
		}
	}
	return false
}

// keep returns what the shard holds and must not give up yet.
func (m *mover) keep(i int) []int {
	var list []int
	for _, atom := range m.now[i] {
		if m.home[atom] == i || m.cover[atom] == 1 {
			list = append(list, atom)
		}
	}
	return list
}

// pinned reports whether the shard holds what has to go to a shard that does not
// hold it yet.
func (m *mover) pinned(i int) bool {
	return slices.ContainsFunc(m.now[i], func(atom int) bool { return m.home[atom] != i && m.cover[atom] == 1 })
}

func (m *mover) gains(i int) bool {
	return slices.ContainsFunc(m.layout[i].atoms, func(atom int) bool { return !contains(m.now[i], atom) })
}

func (m *mover) loses(i int) bool {
	return m.foreign[i] || slices.ContainsFunc(m.now[i], func(atom int) bool { return m.home[atom] != i })
}

func (m *mover) final(i int) bool {
	return !m.foreign[i] && slices.Equal(m.now[i], m.layout[i].atoms) && m.document[i] == m.target[i]
}

func (m *mover) done() bool {
	for i := range m.layout {
		if !m.final(i) {
			return false
		}
	}
	return true
}

// write plans a write that makes the shard hold the atoms, ascending.
func (m *mover) write(i int, list []int) {
	w := Write{Shard: i + 1, Document: m.target[i], Narrows: m.foreign[i]}
	if !slices.Equal(list, m.layout[i].atoms) {
		w.Document = shardOf(m.all, list).render()
	}
	for _, atom := range m.now[i] {
		m.cover[atom]--
		w.Narrows = w.Narrows || !contains(list, atom)
	}
	for _, atom := range list {
		m.cover[atom]++
		w.Grows = w.Grows || !contains(m.now[i], atom)
	}
	m.now[i], m.document[i], m.foreign[i] = list, w.Document, false
	m.writes = append(m.writes, w)
}

func contains(sorted []int, v int) bool {
	_, found := slices.BinarySearch(sorted, v)
	return found
}
