package policy

import (
	"cmp"
	"slices"
)

// packer places atoms into shards of at most limit characters.
type packer struct {
	all   *atoms
	limit int
}

// pack places the atoms, ascending, into the fewest new shards it can find.
//
// Groups are taken largest first and whole where they fit, in the fullest shard
// that has the room, so that few wrappers are repeated. One that fits nowhere
// fills shards of its own. Then shards are drained into the room that is left.
// For a single group of elements of one length this is optimal; in general it is
// bin packing.
func (p packer) pack(list []int) []*shard {
	if len(list) == 0 {
		return nil
	}
	shards := p.packRuns(p.runs(list))
	for len(shards) > p.lowerBound(list) {
		fewer, ok := p.drain(shards, smallest(shards))
		if !ok {
			break
		}
		shards = slices.DeleteFunc(fewer, (*shard).empty)
	}
	return shards
}

func (p packer) packRuns(runs [][]int) []*shard {
	if whole, ok := p.single(runs); ok {
		return whole
	}
	var shards []*shard
	for queue := p.weigh(runs); len(queue) > 0; {
		next := queue[0]
		queue = queue[1:]
		// What fits into no empty shard fits into none that was filled either.
		if emptySize+next.cost <= p.limit {
			if s := p.tightest(shards, next.run); s != nil {
				s.addRunIfFits(next.run, p.limit)
				continue
			}
		}
		s := newShard(p.all)
		shards = append(shards, s)
		if rest := p.fill(s, next.run); len(rest) > 0 {
			queue = append(queue, p.weigh([][]int{rest})...)
			slices.SortFunc(queue, weighed.compare)
		}
	}
	return shards
}

// weighed is a run and what it would take by itself.
type weighed struct {
	run  []int
	cost int
}

// compare puts the largest first, and among equals that of the first group.
func (w weighed) compare(other weighed) int {
	return cmp.Or(cmp.Compare(other.cost, w.cost), cmp.Compare(w.run[0], other.run[0]))
}

func (p packer) weigh(runs [][]int) []weighed {
	empty := newShard(p.all)
	queue := make([]weighed, 0, len(runs))
	for _, run := range runs {
		queue = append(queue, weighed{run, empty.runCost(run)})
	}
	slices.SortFunc(queue, weighed.compare)
	return queue
}

// single places everything into one shard, which is what nearly all principals need.
func (p packer) single(runs [][]int) ([]*shard, bool) {
	s := newShard(p.all)
	for _, run := range runs {
		if !s.addRunIfFits(run, p.limit) {
			return nil, false
		}
	}
	return []*shard{s}, true
}

// fill adds what fits of the run and gives the rest.
func (p packer) fill(s *shard, run []int) []int {
	var rest []int
	for _, atom := range run {
		if !s.addIfFits(atom, p.limit) {
			rest = append(rest, atom)
		}
	}
	return rest
}

// tightest returns the fullest shard in which the whole run fits, or nil.
func (p packer) tightest(shards []*shard, run []int) *shard {
	var best *shard
	for _, s := range shards {
		if s.size+s.runCost(run) <= p.limit && (best == nil || s.size > best.size) {
			best = s
		}
	}
	return best
}

// insert places a run into the room of existing shards and gives what did not
// fit: whole where it fits, first where its statement is already, else atom by atom.
func (p packer) insert(shards []*shard, run []int) []int {
	group := p.all.groupOf[run[0]]
	for _, present := range []bool{true, false} {
		for _, s := range shards {
			if s.holds(group) == present && s.addRunIfFits(run, p.limit) {
				return nil
			}
		}
	}
	for _, present := range []bool{true, false} {
		for _, s := range shards {
			if s.holds(group) == present {
				run = p.fill(s, run)
			}
		}
	}
	return run
}

// drain moves everything from shards[from] into the room of the others, and
// reports whether it all fits. The given shards stay as they are.
func (p packer) drain(shards []*shard, from int) ([]*shard, bool) {
	if from < 0 {
		return nil, false
	}
	out := make([]*shard, len(shards))
	var others []*shard
	for i, s := range shards {
		if i == from || s.empty() {
			out[i] = newShard(p.all)
			continue
		}
		out[i] = s.clone()
		others = append(others, out[i])
	}
	for _, run := range p.runs(slices.Sorted(slices.Values(shards[from].atoms))) {
		if rest := p.insert(others, run); len(rest) > 0 {
			return nil, false
		}
	}
	return out, true
}

// smallest returns the index of the smallest shard that is not empty, the last of
// several, or -1 when there are fewer than two.
func smallest(shards []*shard) int {
	best, n := -1, 0
	for i, s := range shards {
		if s.empty() {
			continue
		}
		n++
		if best < 0 || s.size <= shards[best].size {
			best = i
		}
	}
	if n < 2 {
		return -1
	}
	return best
}

// runs cuts ascending atoms where the group changes.
func (p packer) runs(list []int) [][]int {
	var runs [][]int
	for from := 0; from < len(list); {
		to := from + 1
		for to < len(list) && p.all.groupOf[list[to]] == p.all.groupOf[list[from]] {
			to++
		}
		runs = append(runs, list[from:to:to])
		from = to
	}
	return runs
}

// lowerBound is a number of shards below which the atoms cannot fit: every
// group takes as many statements as its elements fill by themselves, and all
// statements and elements together fill so many shards.
func (p packer) lowerBound(list []int) int {
	// A comma belongs to every element here: those between statements and those
	// between elements are together one fewer a shard than there are elements.
	room := p.limit - emptySize + len(`,`)
	total := 0
	for _, run := range p.runs(list) {
		wrapper := p.all.groups[p.all.groupOf[run[0]]].wrapper
		size := 0
		for _, atom := range run {
			e := p.all.element(atom)
			size += len(e.scope) + len(e.name) + len(`"",`)
		}
		total += size + wrapper*ceilDiv(size, max(1, room-wrapper))
	}
	return ceilDiv(total, room)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
