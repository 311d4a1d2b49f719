package policy

import (
	"cmp"
	"slices"
)

// compilation is one call of Compile after its input was checked.
type compilation struct {
	packer
	// policies is how many there may be.
	policies int
	held     []heldShard
}

// unchanged reports, without reading what is held, that it is one policy of
// exactly what is wanted: so it is for nearly every principal at nearly every time.
func (c *compilation) unchanged(held []string) bool {
	if len(held) == 0 || held[0] == "" || c.all.len() == 0 || c.policies == 0 {
		return false
	}
	if slices.ContainsFunc(held[1:], func(document string) bool { return document != "" }) {
		return false
	}
	whole, ok := c.single(c.runs(c.everything()))
	return ok && whole[0].size == len(held[0]) && whole[0].render() == held[0]
}

// plan finds the shard of every atom and the writes that lead there, or says why
// it cannot.
func (c *compilation) plan() (Plan, *TooLargeError) {
	if size := c.largest(); size > c.limit {
		return Plan{}, &TooLargeError{Needed: size, Allowed: c.limit, Indivisible: true, PolicySize: c.limit}
	}
	if least := c.lowerBound(c.everything()); least > c.policies {
		return Plan{}, c.tooMany(least)
	}
	layout := c.sticky()
	used := countUsed(layout)
	if c.over(layout) {
		layout = c.thinned(layout)
	}
	if c.over(layout) {
		fresh := c.pack(c.everything())
		if len(fresh) > c.policies {
			return Plan{}, c.tooMany(len(fresh))
		}
		layout = c.afresh(fresh)
	}
	if plan, ok := c.moves(layout); ok {
		return plan, nil
	}
	return Plan{}, c.tooMany(used)
}

// over reports whether the layout has more policies than there may be.
func (c *compilation) over(layout []*shard) bool {
	return countUsed(layout) > c.policies
}

// thinned drains the smallest shards until there are no more than there may be,
// or the rest has no room. That moves less than packing afresh.
func (c *compilation) thinned(layout []*shard) []*shard {
	for c.over(layout) {
		fewer, ok := c.drain(layout, smallest(layout))
		if !ok {
			break
		}
		layout = fewer
	}
	return layout
}

func (c *compilation) tooMany(needed int) *TooLargeError {
	return &TooLargeError{Needed: needed, Allowed: c.policies, PolicySize: c.limit}
}

// everything lists all atoms.
func (c *compilation) everything() []int {
	list := make([]int, c.all.len())
	for i := range list {
		list[i] = i
	}
	return list
}

// largest is the size of the largest policy that cannot be split, one that holds
// a single atom.
func (c *compilation) largest() int {
	size, empty := 0, newShard(c.all)
	for atom := range c.all.len() {
		size = max(size, empty.size+empty.cost(atom))
	}
	return size
}

// nowhere is the home of an atom that no shard holds.
const nowhere = -1

// homes returns the shard of each atom in a layout, which holds each at most once.
func (c *compilation) homes(layout []*shard) []int {
	homes := make([]int, c.all.len())
	for i := range homes {
		homes[i] = nowhere
	}
	for i, s := range layout {
		for _, atom := range s.atoms {
			homes[atom] = i
		}
	}
	return homes
}

// kept returns what is held and still wanted, each atom in one shard where it is.
// An atom in several, as a move that was cut short leaves it, stays in the one
// that holds the most: moves lead from small shards to large ones.
func (c *compilation) kept(limit int) []*shard {
	layout := make([]*shard, len(c.held))
	order := make([]int, len(c.held))
	for i := range layout {
		layout[i], order[i] = newShard(c.all), i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(c.held[b].atoms), len(c.held[a].atoms))
	})
	claimed := make([]bool, c.all.len())
	for _, i := range order {
		for _, atom := range c.held[i].atoms {
			if !claimed[atom] {
				claimed[atom] = layout[i].addIfFits(atom, limit)
			}
		}
	}
	return layout
}

// sticky leaves what is held where it is, puts what is new where there is room,
// and the rest into new shards.
func (c *compilation) sticky() []*shard {
	layout := c.kept(c.limit)
	var rest, left []int
	for atom, home := range c.homes(layout) {
		if home == nowhere {
			rest = append(rest, atom)
		}
	}
	used := slices.DeleteFunc(slices.Clone(layout), (*shard).empty)
	for _, run := range c.runs(rest) {
		left = append(left, c.insert(used, run)...)
	}
	slices.Sort(left)
	if len(left) == 0 {
		return layout
	}
	return c.settle(layout, c.pack(left))
}

// afresh packs everything again and gives each shard the number of the held
// shard with which it has most in common.
func (c *compilation) afresh(fresh []*shard) []*shard {
	type match struct{ fresh, held, common int }
	var matches []match
	for i, s := range fresh {
		for j, h := range c.held {
			if n := common(h.atoms, s.atoms); n > 0 {
				matches = append(matches, match{i, j, n})
			}
		}
	}
	slices.SortStableFunc(matches, func(a, b match) int { return cmp.Compare(b.common, a.common) })
	layout := make([]*shard, len(c.held))
	for i := range layout {
		layout[i] = newShard(c.all)
	}
	placed := make([]bool, len(fresh))
	for _, m := range matches {
		if !placed[m.fresh] && layout[m.held].empty() {
			layout[m.held], placed[m.fresh] = fresh[m.fresh], true
		}
	}
	var rest []*shard
	for i, s := range fresh {
		if !placed[i] {
			rest = append(rest, s)
		}
	}
	return c.settle(layout, rest)
}

// settle puts new shards where the layout is empty: first in place of policies
// that would have to go, so that the number of policies never exceeds that
// before and after, then under the lowest free numbers.
func (c *compilation) settle(layout, fresh []*shard) []*shard {
	for _, existing := range []bool{true, false} {
		for i := range layout {
			if len(fresh) > 0 && layout[i].empty() && (c.held[i].document != "") == existing {
				layout[i], fresh = fresh[0], fresh[1:]
			}
		}
	}
	return append(layout, fresh...)
}

// common counts what two lists share, the first of them ascending.
func common(sorted, list []int) int {
	n := 0
	for _, v := range list {
		if _, found := slices.BinarySearch(sorted, v); found {
			n++
		}
	}
	return n
}

func countUsed(layout []*shard) int {
	n := 0
	for _, s := range layout {
		if !s.empty() {
			n++
		}
	}
	return n
}
