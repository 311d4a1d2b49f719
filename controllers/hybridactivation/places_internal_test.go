package hybridactivation

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

func TestDecisionsWithinABound(t *testing.T) {
	const long = 2 * time.Hour
	type want struct {
		create                   bool
		limit                    int32
		graceful, full, counting bool
		narrowed                 bool
	}
	deleted := func(ago time.Duration) func(*observed) {
		return func(f *observed) { f.seen.closing = map[string]closing{"gone": {f.now.Add(-ago), 3}} }
	}
	limited := func(n int32) func(*observed) { return see("current", func(a *ssm.Activation) { a.Limit = n }) }
	renamed := see("current", func(a *ssm.Activation) { a.Description = "x" })
	for name, c := range map[string]struct {
		facts observed
		most  int32
		nodes map[string]int32
		want  want
	}{
		"all is well":                          {world(long), 3, nil, want{limit: 3}},
		"the first":                            {world(long, noCode, unseen("current"), func(f *observed) { f.reported = "" }), 3, nil, want{create: true, limit: 3}},
		"used up":                              {world(long, see("current", used(3))), 3, map[string]int32{"current": 3}, want{limit: 3, full: true}},
		"used up, to be replenished":           {world(long, see("current", used(3)), func(f *observed) { f.desired.replenish = true }), 3, map[string]int32{"current": 3}, want{limit: 3, full: true}},
		"used up, and one was deregistered":    {world(long, see("current", used(3)), func(f *observed) { f.desired.replenish = true }), 3, map[string]int32{"current": 2}, want{limit: 3, counting: true, narrowed: true}},
		"a change, and room for both":          {world(long, renamed), 6, nil, want{create: true, limit: 3, graceful: true}},
		"a change, and no room for both":       {world(long, renamed), 5, nil, want{limit: 3, counting: true, narrowed: true}},
		"after the one before was deleted":     {world(long, noCode, unseen("current"), deleted(30*time.Second)), 5, nil, want{limit: 3, counting: true}},
		"until the last of them is listed":     {world(long, noCode, unseen("current"), deleted(2*time.Minute)), 5, map[string]int32{"gone": 2}, want{limit: 3, counting: true}},
		"when its machines are counted":        {world(long, noCode, unseen("current"), deleted(2*time.Minute+time.Second)), 5, map[string]int32{"gone": 3}, want{create: true, limit: 2}},
		"a code that was lost":                 {world(long, noCode), 3, nil, want{limit: 3, counting: true}},
		"a code that was lost, and all are in": {world(long, noCode), 3, map[string]int32{"old": 3}, want{limit: 3, full: true}},
		"a lowered bound":                      {world(long), 3, map[string]int32{"old": 2}, want{limit: 3, counting: true, narrowed: true}},
		"a bound below what is registered":     {world(long), 3, map[string]int32{"old": 4}, want{limit: 3, full: true, narrowed: true}},
		"a reduced one":                        {world(long, limited(2)), 3, map[string]int32{"old": 1}, want{limit: 3}},
		"a reduced one, and a place is free":   {world(long, limited(1)), 3, map[string]int32{"old": 1}, want{limit: 3, counting: true, narrowed: true}},
		"expired":                              {world(25 * time.Hour), 3, map[string]int32{"old": 1}, want{create: true, limit: 2}},
		"expired, and all are in":              {world(25 * time.Hour), 3, map[string]int32{"old": 3}, want{limit: 3, full: true}},
		"restarted after a deletion":           {world(long, noCode, unseen("current"), func(f *observed) { f.started = noon.Add(-time.Second); f.record.Former = []string{"x"} }), 5, nil, want{limit: 3, counting: true}},
		"long after a restart":                 {world(long, noCode, unseen("current"), func(f *observed) { f.record.Former = []string{"x"} }), 5, nil, want{create: true, limit: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			p := places{most: c.most, wanted: 3, nodes: c.nodes}
			d := planFor(c.facts.within(p))
			d.fit(c.facts, p)
			got := want{d.create != "", d.limit, d.graceful, d.full, d.counting, d.narrowed}
			if got != c.want {
				t.Errorf("got  %+v (%s)\nwant %+v", got, d.create, c.want)
			}
			if d.counting && !d.wake.After(noon) {
				t.Errorf("it looks again at %v", d.wake)
			}
		})
	}
}

// site is an object, its activations and its machines, as AWS has them. AWS shows what was
// written at most one ConsistencyWindow late, everywhere: for that long a deleted activation
// lets machines in, and for that long after it registered the last of them is not listed. So
// two windows after a deletion all are counted.
type site struct {
	now, started time.Time
	// first is when this process listed activations first, listed what it has seen or made of
	// them.
	first       time.Time
	listed      map[string]bool
	restores    int
	want        desired
	most        int32
	record      *v1alpha1.ActivationRecord
	reported    string
	stored      *content
	activations map[string]*siteActivation
	closing     map[string]closing
	nodes       map[string]siteNode
	made        int
}

type siteActivation struct {
	ssm.Activation
	// closes is until when machines may register with it.
	closes  time.Time
	deleted bool
}

type siteNode struct {
	activation string
	shown      time.Time
}

func newSite(t *rapid.T) *site {
	s := &site{
		now: noon, started: noon, want: wanted(), most: rapid.Int32Range(1, 6).Draw(t, "most"),
		listed: map[string]bool{}, activations: map[string]*siteActivation{}, closing: map[string]closing{}, nodes: map[string]siteNode{},
	}
	s.want.limit = rapid.Int32Range(1, s.most).Draw(t, "limit")
	s.want.most = s.most
	s.want.replenish = rapid.Bool().Draw(t, "replenish")
	return s
}

func (s *site) lag(t *rapid.T) time.Duration {
	return time.Duration(rapid.IntRange(0, int(awsclient.ConsistencyWindow/time.Second)).Draw(t, "lag")) * time.Second
}

// register registers a machine with any activation that lets one in.
func (s *site) register(t *rapid.T) {
	for _, id := range slices.Sorted(maps.Keys(s.activations)) {
		if a := s.activations[id]; a.Registered < a.Limit && !s.now.After(a.closes) {
			a.Registered++
			s.made++
			s.nodes[fmt.Sprint("mi-", s.made)] = siteNode{id, s.now.Add(s.lag(t))}
			return
		}
	}
}

func (s *site) deregister() {
	for _, id := range slices.Sorted(maps.Keys(s.nodes)) {
		delete(s.nodes, id)
		return
	}
}

func (s *site) observed() observed {
	if s.first.IsZero() {
		s.first = s.now
	}
	seen := observation{begun: s.now, first: s.first, activations: map[string]ssm.Activation{}, gone: map[string]string{}}
	for id := range s.closing {
		seen.gone[id] = ""
	}
	for id, a := range s.activations {
		_, own := s.closing[id]
		switch {
		case !a.deleted:
			seen.activations[id] = a.Activation
			s.listed[id] = true
		case s.listed[id] && !own: // Something else deleted it.
			s.closing[id] = closing{s.now, a.Limit}
		}
	}
	seen.closing = maps.Clone(s.closing)
	return observed{now: s.now, started: s.started, desired: s.want, record: s.record, reported: s.reported, stored: s.stored, seen: seen}
}

func (s *site) places() places {
	p := places{most: s.most, wanted: s.want.limit, nodes: map[string]int32{}}
	for _, n := range s.nodes {
		if !s.now.Before(n.shown) {
			p.nodes[n.activation]++
		}
	}
	return p
}

func (s *site) remove(t *rapid.T, ids ...string) {
	for _, id := range ids {
		if s.deleted(t, id) {
			s.closing[id] = closing{s.now, s.activations[id].Limit}
		}
	}
}

// deleted deletes an activation, as the operator or a person does.
func (s *site) deleted(t *rapid.T, id string) bool {
	a := s.activations[id]
	if a == nil || a.deleted {
		return false
	}
	a.deleted = true
	if lag := s.now.Add(s.lag(t)); lag.Before(a.closes) {
		a.closes = lag // An expired activation accepts no registration.
	}
	return true
}

// restart has another process continue.
func (s *site) restart() {
	s.started, s.first, s.closing, s.listed = s.now, time.Time{}, map[string]closing{}, map[string]bool{}
}

// restore brings the object back without its status, as another of the same name, by another
// process. It was away for longer than it takes until the machines of what was deleted before
// are listed.
func (s *site) restore() {
	s.now = counted(s.now).Add(time.Second)
	s.restart()
	s.restores++
	s.record, s.reported, s.stored = nil, "", nil
	s.want.tags = maps.Clone(s.want.tags)
	s.want.tags[v1alpha1.TagActivation] = fmt.Sprint("uid-", s.restores)
}

// reconcile does what the reconciler does with a decision.
func (s *site) reconcile(t *rapid.T) plan {
	f, p := s.observed(), s.places()
	d := planFor(f.within(p))
	d.fit(f, p)
	d.closeNarrowed()
	s.remove(t, d.remove...)
	if d.stored == nil {
		s.stored, s.reported = nil, ""
	}
	s.record = &d.record
	if d.create == "" {
		return d
	}
	s.made++
	id := fmt.Sprint("activation-", s.made)
	want := s.want
	want.limit = d.limit
	request := want.ask(id, s.now)
	next := d.replaced(request, s.now)
	next.Pending = nil
	if d.current != nil && !d.graceful {
		s.remove(t, d.current.ID)
	}
	s.record, s.reported, s.stored = &next, id, &content{registration{ID: id}, request}
	a := want.made(id, request)
	s.activations[id] = &siteActivation{Activation: a, closes: a.Expires}
	s.listed[id] = true // The process misses what it made as soon as a list lacks it.
	return d
}

func TestNeverAreMoreMachinesRegisteredThanTheBoundAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSite(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 10).Draw(t, "step") {
			case 0, 1:
				s.register(t)
			case 2:
				s.deregister()
			case 3:
				s.stored = nil
			case 4:
				s.restart()
			case 5:
				s.want.description = fmt.Sprint(s.now)
			case 6:
				s.want.limit = rapid.Int32Range(1, s.most).Draw(t, "limit")
			case 7:
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
			case 8:
				s.now = s.now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			case 9:
				s.restore()
			case 10:
				if ids := slices.Sorted(maps.Keys(s.activations)); len(ids) > 0 {
					s.deleted(t, rapid.SampledFrom(ids).Draw(t, "deleted by a person"))
				}
			}
			if rapid.Bool().Draw(t, "look") {
				s.reconcile(t)
			}
			if n := len(s.nodes); n > int(s.most) {
				t.Fatalf("%d machines are registered, and %d may be", n, s.most)
			}
		}
		// In time it settles, and lets in as many as there are places for.
		for range 4 {
			s.now = s.now.Add(counted(time.Time{}).Sub(time.Time{}) + time.Minute)
			s.reconcile(t)
		}
		d := s.reconcile(t)
		if d.counting || d.create != "" {
			t.Fatalf("it does not settle: %+v", d)
		}
		if left := s.most - int32(len(s.nodes)); left > 0 && s.want.replenish && (d.current == nil || usedUp(*d.current)) {
			t.Fatalf("%d places are free, and nobody can register: %+v", left, d)
		}
	})
}
