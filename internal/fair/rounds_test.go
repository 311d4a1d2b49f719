package fair

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func always(Turn) bool { return true }

// drain serves everything and names it in order.
func drain(r *Rounds[string]) []string {
	var names []string
	for {
		name, _, ok := r.Next(always)
		if !ok {
			return names
		}
		names = append(names, name)
	}
}

func TestTheMostUrgentClassIsServedFirstAndTenantsInTurn(t *testing.T) {
	t.Parallel()
	var r Rounds[string]
	for i := range 3 {
		r.Add(fmt.Sprintf("grant %d", i), Turn{2, "a", "x"})
	}
	for i := range 4 {
		r.Add(fmt.Sprintf("x%d", i), Turn{1, "a", "x"})
	}
	r.Add("y0", Turn{1, "a", "y"})
	r.Add("other account", Turn{1, "b", "x"})
	want := []string{"x0", "other account", "y0", "x1", "x2", "x3", "grant 0", "grant 1", "grant 2"}
	if got := drain(&r); !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
	if r.Len() != 0 || len(r.classes) != 0 {
		t.Errorf("%d items and %d classes are left of nothing", r.Len(), len(r.classes))
	}
}

func TestNoTenantPushesBackTheItemOfAnother(t *testing.T) {
	t.Parallel()
	var r Rounds[string]
	for i := range 5 {
		r.Add(fmt.Sprintf("x%d", i), Turn{1, "a", "x"})
	}
	r.Add("shared", Turn{1, "a", "y"})
	for range 3 {
		r.Add("shared", Turn{1, "a", "x"})
		r.Add("shared", Turn{3, "a", "y"})
	}
	want := []string{"x0", "shared", "x1", "x2", "x3", "x4"}
	if got := drain(&r); !slices.Equal(got, want) {
		t.Errorf("served %v, want %v", got, want)
	}
}

func TestAnItemIsServedWithTheTurnsOfAllWhoAskedForIt(t *testing.T) {
	t.Parallel()
	var r Rounds[string]
	r.Add("shared", Turn{2, "a", "x"})
	r.Add("shared", Turn{1, "a", "x"})
	r.Add("shared", Turn{3, "a", "y"})
	_, turns, ok := r.Next(always)
	if want := []Turn{{1, "a", "x"}, {3, "a", "y"}}; !ok || !slices.Equal(turns, want) {
		t.Errorf("served for %v, want %v", turns, want)
	}
}

// arrival is what the model remembers of an item that waits.
type arrival struct {
	key  int
	turn Turn
	at   int
	// passed counts the turns since it came.
	passed int
}

// machine drives Rounds with random additions and compares with what is promised.
type machine struct {
	rounds  Rounds[int]
	waiting []arrival
	clock   int
	blocked map[string]bool // accounts that must not be served
}

func (m *machine) may(turn Turn) bool { return !m.blocked[turn.Account] }

func (m *machine) add(t *rapid.T) {
	m.clock++
	turn := Turn{rapid.IntRange(0, 2).Draw(t, "class"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "account"), rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "tenant")}
	m.rounds.Add(m.clock, turn)
	m.waiting = append(m.waiting, arrival{key: m.clock, turn: turn, at: m.clock})
}

func (m *machine) block(t *rapid.T) {
	account := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "account")
	m.blocked[account] = !m.blocked[account]
}

func (m *machine) next(t *rapid.T) {
	eligible := slices.ContainsFunc(m.waiting, func(a arrival) bool { return m.may(a.turn) })
	key, turns, ok := m.rounds.Next(m.may)
	if ok != eligible {
		t.Fatalf("served %v, and whether something may be served is %v", ok, eligible)
	}
	if !ok {
		return
	}
	at := slices.IndexFunc(m.waiting, func(a arrival) bool { return a.key == key })
	if at < 0 || m.waiting[at].turn != turns[0] {
		t.Fatalf("served %d at %v, which does not wait there", key, turns)
	}
	served := m.waiting[at]
	m.waiting = slices.Delete(m.waiting, at, at+1)
	for i := range m.waiting {
		m.judge(t, served, &m.waiting[i])
	}
}

// judge fails where an item that waits was passed over against the rules.
func (m *machine) judge(t *rapid.T, served arrival, waits *arrival) {
	if !m.may(waits.turn) {
		waits.passed = 0
		return
	}
	if waits.turn.Class < served.turn.Class && waits.at < served.at {
		t.Fatalf("%+v was served before %+v, which is more urgent and came earlier", served, *waits)
	}
	if waits.turn == served.turn && waits.at < served.at {
		t.Fatalf("%+v was served before %+v of the same tenant, which came earlier", served, *waits)
	}
	older := 0
	for _, other := range m.waiting {
		if other.at < waits.at {
			older++
		}
	}
	// Each tenth turn serves the oldest, so this one is served after so many turns at
	// the latest, however much comes meanwhile.
	if waits.passed++; waits.passed > (older+1)*oldestEvery+oldestEvery*len(m.waiting) {
		t.Fatalf("%+v starves", *waits)
	}
}

func TestRoundsKeepTheirPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{blocked: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"add": m.add, "add more": m.add, "next": m.next, "block": m.block,
			"": func(t *rapid.T) {
				if m.rounds.Len() != len(m.waiting) {
					t.Fatalf("%d wait, want %d", m.rounds.Len(), len(m.waiting))
				}
			},
		})
	})
}

// A tenant with one item waits for one item of each other tenant at the most, and
// for the share of the oldest, however much the others have.
func TestATenantWaitsForOneItemOfEachOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var r Rounds[string]
		crowds := rapid.SliceOfN(rapid.IntRange(1, 200), 1, 8).Draw(t, "crowds")
		for tenant, items := range crowds {
			for i := range items {
				r.Add(fmt.Sprintf("%d/%d", tenant, i), Turn{1, "a", fmt.Sprint(tenant)})
			}
		}
		for range rapid.IntRange(0, 50).Draw(t, "served before") {
			r.Next(always)
		}
		r.Add("mine", Turn{1, "a", "mine"})
		position := slices.Index(drain(&r), "mine")
		if allowed := len(crowds) + len(crowds)/oldestEvery + 1; position > allowed {
			t.Fatalf("%d were served before the only item of a tenant, and there are %d others", position, len(crowds))
		}
	})
}

func TestWhatWaitsLongIsServedAlthoughMoreUrgentWorkNeverEnds(t *testing.T) {
	t.Parallel()
	var r Rounds[int]
	r.Add(-1, Turn{5, "a", "x"})
	for i := range 2 * oldestEvery {
		r.Add(i, Turn{1, "a", "y"})
		if key, _, _ := r.Next(always); key == -1 {
			return
		}
	}
	t.Error("it starves")
}
