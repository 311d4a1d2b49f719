package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

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

// TestUnsplittableStatementsAreSortedAnewWhenDrainingDoesNotHelp: two statements
// of half a policy and two of a third are in three policies where two must do.
func TestUnsplittableStatementsAreSortedAnewWhenDrainingDoesNotHelp(t *testing.T) {
	acct, p := Account{ID: "488821267897", Partition: "aws"}, Principal{User, "user01"}
	var grants []Grant
	for i, size := range []int{2800, 2801, 1600, 1601} {
		tags := map[string]string{}
		for ; size > 0; size -= tagValueMax {
			tags[fmt.Sprint("Tag", len(tags))] = strings.Repeat("v", min(size, tagValueMax))
		}
		grants = append(grants, Grant{
			ID: fmt.Sprint(i), Regions: []string{"ap-northeast-1"}, Documents: []Document{{Name: DefaultDocument}},
			Targets: []Target{{InstanceIDs: []string{fmt.Sprintf("i-%017x", i)}, Tags: tags}}, Clients: []Client{CLI},
		})
	}
	all := collect(acct, p, []*Grant{&grants[0], &grants[1], &grants[2], &grants[3]})
	held := []*shard{newShard(all), newShard(all), newShard(all)}
	for atom := range all.len() {
		switch size := len(all.groups[all.groupOf[atom]].condition); {
		case size > 2000 && held[0].empty():
			held[0].add(atom)
		case size > 2000:
			held[1].add(atom)
		default:
			held[2].add(atom)
		}
	}
	docs := []string{held[0].render(), held[1].render(), held[2].render()}
	plan, err := Compile(acct, p, grants, docs, Quotas{PolicySize: 6144, Policies: 2}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, doc := range plan.Documents {
		if doc != "" {
			got++
		}
	}
	if got != 2 || len(plan.Writes) != 3 {
		t.Errorf("%d policies by %d writes, want 2 by 3", got, len(plan.Writes))
	}
}
