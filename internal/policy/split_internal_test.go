package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawAtoms returns groups with conditions and elements of any length. Sizes are
// uniform, unlike rapid's own, which favours small numbers.
func drawAtoms(t *rapid.T, mostGroups, mostElements int) *atoms {
	c := &collector{index: map[string]int{}}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
	for g := range 1 + random.IntN(mostGroups) {
		kind := start + statementKind(random.IntN(statementKinds-int(start)))
		condition := fmt.Sprintf(`,"Condition":{"%d%s":{}}`, g, strings.Repeat("c", random.IntN(300)))
		for e := range 1 + random.IntN(mostElements) {
			c.put(kind, condition, element{"e/", fmt.Sprint(e, strings.Repeat("x", random.IntN(150)))})
		}
	}
	return c.finish()
}

// fewest tries every way to spread the atoms.
func fewest(all *atoms, limit int) int {
	best := all.len() + 1
	var place func(atom int, shards []*shard)
	place = func(atom int, shards []*shard) {
		if len(shards) >= best {
			return
		}
		if atom == all.len() {
			best = len(shards)
			return
		}
		for i, s := range shards {
			if c := s.clone(); c.addIfFits(atom, limit) {
				next := slices.Clone(shards)
				next[i] = c
				place(atom+1, next)
			}
		}
		if s := newShard(all); s.addIfFits(atom, limit) {
			place(atom+1, append(slices.Clone(shards), s))
		}
	}
	place(0, nil)
	return best
}

func TestPackingIsCompleteExactAndNeverFarFromTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := drawAtoms(t, 4, 3)
		c := &compilation{packer: packer{all: all}}
		c.limit = max(c.largest(), rapid.IntRange(300, 1500).Draw(t, "limit"))
		shards := c.pack(c.everything())
		var packed []int
		for _, s := range shards {
			packed = append(packed, s.atoms...)
			if got := len(s.render()); got != s.size || got > c.limit {
				t.Fatalf("size is counted as %d, rendered %d, limit %d", s.size, got, c.limit)
			}
		}
		slices.Sort(packed)
		if !slices.Equal(packed, c.everything()) {
			t.Fatalf("packed %v of %d", packed, all.len())
		}
		best, bound := fewest(all, c.limit), c.lowerBound(c.everything())
		if bound > best {
			t.Fatalf("the lower bound %d is above the fewest, %d", bound, best)
		}
		if len(shards) > best+1 {
			t.Fatalf("%d shards, the fewest are %d", len(shards), best)
		}
	})
}

// instances returns one group of n instances.
func instances(c *collector, condition string, n int) {
	for i := range n {
		c.put(start, condition, element{"arn:aws:ec2:ap-northeast-1:488821267897:instance/", fmt.Sprintf("i-%017x", i)})
	}
}

func TestPackingOfOneGroupIsOptimal(t *testing.T) {
	size := func(n int) int {
		c := &collector{index: map[string]int{}}
		instances(c, "", n)
		return len(shardOf(c.finish(), []int{0, 1, 2}[:n]).render())
	}
	rapid.Check(t, func(t *rapid.T) {
		c := &collector{index: map[string]int{}}
		instances(c, "", rapid.IntRange(1, 1000).Draw(t, "elements"))
		p := packer{all: c.finish(), limit: rapid.IntRange(300, 6144).Draw(t, "limit")}
		list := (&compilation{packer: p}).everything()
		room := 1
		if size(2) <= p.limit {
			room = 2 + (p.limit-size(2))/(size(3)-size(2))
		}
		if got, want := len(p.pack(list)), ceilDiv(len(list), room); got != want {
			t.Fatalf("%d instances, %d a policy: %d policies, want %d", len(list), room, got, want)
		}
	})
}

func TestGroupsAreSplitWhereThatSavesAPolicy(t *testing.T) {
	c := &collector{index: map[string]int{}}
	for _, condition := range []string{"a", "b", "c"} {
		instances(c, strings.Repeat(condition, 150), 50) // each fills 60 % of a policy
	}
	p := packer{all: c.finish(), limit: 6144}
	if got := len(p.pack((&compilation{packer: p}).everything())); got != 2 {
		t.Errorf("%d policies, want 2", got)
	}
}

func TestPackingOfManyGroupsIsNearTheLowerBound(t *testing.T) {
	worst := 0
	rapid.Check(t, func(t *rapid.T) {
		all := drawAtoms(t, 12, 60)
		c := &compilation{packer: packer{all: all, limit: 6144}}
		got, bound := len(c.pack(c.everything())), c.lowerBound(c.everything())
		worst = max(worst, got-bound)
		if got > bound+1 {
			t.Fatalf("%d shards, the lower bound is %d", got, bound)
		}
	})
	t.Logf("at worst %d above the lower bound", worst)
}
