package policy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyRearrangementIsMadeWithoutAGap moves atoms between shards at random, in
// circles too, with much or little room to spare.
func TestAnyRearrangementIsMadeWithoutAGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawAtoms(t, 3, 20)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "moves"), 0))
		n := 1 + random.IntN(5)
		c := &compilation{packer: packer{all: all}, policies: -1}
		layout := spread(all, n, random, func(int) bool { return true })
		for _, s := range spread(all, n, random, func(int) bool { return random.IntN(5) > 0 }) {
			if random.IntN(5) == 0 { // what a move that was cut short leaves
				s.add(random.IntN(all.len()))
			}
			slices.Sort(s.atoms)
			s = shardOf(all, slices.Compact(s.atoms))
			document := s.render()
			c.held = append(c.held, heldShard{document: document, atoms: s.atoms, canonical: document, foreign: random.IntN(5) == 0})
			c.limit = max(c.limit, s.size)
		}
		for _, s := range layout {
			c.limit = max(c.limit, s.size)
		}
		spare := rapid.SampledFrom([]int{0, 500, 100_000}).Draw(t, "spare")
		c.limit += spare
		plan, ok := c.moves(layout)
		if !ok {
			if spare > 1000 {
				t.Fatal("there is room for everything, and yet no order was found")
			}
			return
		}
		now := make([][]int, n)
		before := make([]bool, all.len())
		for i, h := range c.held {
			now[i] = h.atoms
			for _, atom := range h.atoms {
				before[atom] = true
			}
		}
		for _, w := range plan.Writes {
			if len(w.Document) > c.limit {
				t.Fatalf("%d characters exceed %d", len(w.Document), c.limit)
			}
			now[w.Shard-1] = parseHeld(all, w.Document).atoms
			held := slices.Concat(now...)
			for atom, was := range before {
				if was && !slices.Contains(held, atom) {
					t.Fatalf("atom %d is in no shard after writing %d of %+v", atom, w.Shard, plan.Writes)
				}
			}
		}
		for i, s := range layout {
			if !slices.Equal(now[i], s.atoms) || plan.Documents[i] != s.render() {
				t.Fatalf("shard %d is left with %v, not %v", i+1, now[i], s.atoms)
			}
		}
	})
}

// spread puts each atom that is chosen into one of n shards.
func spread(all *atoms, n int, random *rand.Rand, chosen func(int) bool) []*shard {
	shards := make([]*shard, n)
	for i := range shards {
		shards[i] = newShard(all)
	}
	for atom := range all.len() {
		if chosen(atom) {
			shards[random.IntN(n)].add(atom)
		}
	}
	return shards
}
