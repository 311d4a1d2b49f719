package hybridactivation

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// maxLimit is the most machines that AWS lets register with one activation.
const maxLimit = 1000

// places is what a guardrail's maxRegistrations rests on: it bounds the machines of
// an object over all of its activations, former ones included. A machine that was
// deregistered frees its place.
type places struct {
	// most is the bound.
	most int32
	// wanted is the registrationLimit of the spec.
	wanted int32
	// nodes are the registered machines of the object, by the activation with which
	// each registered.
	nodes map[string]int32
}

// counted is when the list of nodes shows for certain all machines that registered
// with an activation that was deleted at a time: for one window machines may still
// register with it, and the last of them may be listed another window later.
func counted(deleted time.Time) time.Time { return settled(deleted).Add(awsclient.ConsistencyWindow) }

// closing is an activation that was deleted so lately that machines may still
// register with it, or have registered and are not listed yet.
type closing struct {
	at time.Time
	// limit is how many machines may have registered in all.
	limit int32
}

// countByActivation counts nodes, each once.
func countByActivation(nodes []ssm.HybridNode) map[string]int32 {
	counts, seen := map[string]int32{}, map[string]bool{}
	for _, n := range nodes {
		if !seen[n.ID] {
			seen[n.ID] = true
			counts[n.ActivationID]++
		}
	}
	return counts
}

// registered is how many machines there are.
func (p places) registered() int32 {
	n := int32(0)
	for _, count := range p.nodes {
		n += count
	}
	return n
}

// within is the facts with the limit that an activation can have. One that got a
// lower limit than the spec asks for, because no more places were free, stays while
// another would let in no more machines than it does.
func (f observed) within(p places) observed {
	if f.stored == nil {
		return f
	}
	a, seen := f.seen.activations[f.stored.ID]
	if seen && a.Limit < p.wanted && free(a, p, f.now) >= min(p.wanted, p.most-p.registered()) {
		f.desired.limit = a.Limit
	}
	return f
}

// fit bounds a plan by the places that are free. An activation that could let in
// more machines than there are places for is deleted. Another one is created beside
// those that exist only when there are places for all of its registrations. Else
// those are deleted first, and the places that they leave are counted when the list
// of nodes shows for certain who has registered.
func (d *plan) fit(f observed, p places) {
	d.limit, d.full = p.wanted, p.registered() >= p.most
	d.closeExcess(f, p)
	if d.create == "" {
		return
	}
	if d.full {
		d.create, d.graceful = "", false
		if d.current != nil && (usedUp(*d.current) || expired(*d.current, f.now)) {
			d.narrowed = false
		} else {
			d.narrowed = d.current != nil
		}
		return
	}
	reserved, certain := d.reserved(f, p)
	if p.most-p.registered()-reserved >= p.wanted {
		return
	}
	d.retirePrevious()
	if d.current != nil && !closed(*d.current, f.now) {
		d.narrowed, d.graceful = true, false
		certain = counted(f.now)
	}
	if certain.After(f.now) {
		d.counting, d.create = true, ""
		d.wakeAt(certain)
		return
	}
	d.graceful = false
	d.limit = min(p.wanted, p.most-p.registered())
}

// closeExcess deletes activations that could let in more machines than the bound
// allows: first those before, then the current one.
func (d *plan) closeExcess(f observed, p places) {
	total := p.registered()
	for _, previous := range d.record.Previous {
		if a, ok := f.seen.activations[previous.ID]; ok {
			total += free(a, p, f.now)
		}
	}
	if d.current != nil {
		total += free(*d.current, p, f.now)
	}
	if total <= p.most {
		return
	}
	for _, previous := range d.record.Previous {
		if a, ok := f.seen.activations[previous.ID]; ok {
			total -= free(a, p, f.now)
		}
	}
	d.retirePrevious()
	if total <= p.most || d.current == nil || free(*d.current, p, f.now) == 0 || d.settling {
		return
	}
	d.narrowed, d.graceful = true, false
	if d.create == "" {
		d.create = "more machines could register with it than maxRegistrations allows"
	}
}

// free is how many more machines may register with an activation. The lists of nodes
// and of activations are of different times, but no more can register than its limit.
func free(a ssm.Activation, p places, now time.Time) int32 {
	if expired(a, now) {
		return 0
	}
	return max(0, min(a.Limit-p.nodes[a.ID], a.Limit-a.Registered))
}

// closed reports whether an activation has been closed to registrations for so long
// that all of its nodes are listed. An expired activation accepts no registration.
func closed(a ssm.Activation, now time.Time) bool { return !now.Before(settled(a.Expires)) }

// reserved is how many machines beyond those listed may register, or may already have
// registered, with activations that exist or were deleted lately. certain is when the
// list shows the machines of those that were deleted.
func (d *plan) reserved(f observed, p places) (n int32, certain time.Time) {
	reserved := map[string]int32{}
	for id, c := range f.seen.closing {
		if f.now.Before(counted(c.at)) {
			reserved[id] = c.limit
			certain = later(certain, counted(c.at))
		}
	}
	if restarted := counted(later(f.started, f.seen.first)); f.now.Before(restarted) && d.closedBefore(f) {
		// Something may have deleted one a moment before this process listed any.
		reserved[""] = maxLimit
		certain = later(certain, restarted)
	}
	for _, previous := range d.record.Previous {
		if a, ok := f.seen.activations[previous.ID]; ok && !closed(a, f.now) {
			reserved[a.ID] = a.Limit
		}
	}
	for _, id := range d.remove {
		if a, ok := f.seen.activations[id]; ok && !closed(a, f.now) {
			reserved[id] = a.Limit
			certain = later(certain, counted(f.now))
		}
	}
	if d.current != nil && !closed(*d.current, f.now) {
		reserved[d.current.ID] = d.current.Limit
	}
	for id, limit := range reserved {
		n += max(0, limit-p.nodes[id])
	}
	return n, certain
}

// closedBefore reports whether this process does not know when some former activation
// was deleted.
func (d *plan) closedBefore(f observed) bool {
	return slices.ContainsFunc(d.record.Former, func(id string) bool {
		_, known := f.seen.closing[id]
		_, shown := f.seen.activations[id]
		return !known && (!shown || !slices.Contains(d.remove, id))
	})
}

func (d *plan) retirePrevious() {
	for _, p := range d.record.Previous {
		d.retire(p.ID)
	}
	d.record.Previous = nil
	d.record.Former = bounded(d.record.Former)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// activationIDs are all activations of the object that are known.
func (f observed) activationIDs() []string {
	ids := slices.Collect(maps.Keys(f.seen.activations))
	for id := range f.seen.closing {
		ids = append(ids, id)
	}
	if f.reported != "" {
		ids = append(ids, f.reported)
	}
	if f.record != nil {
		ids = append(ids, f.record.Former...)
		for _, p := range f.record.Previous {
			ids = append(ids, p.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// machineListing is the nodes of one object, those that carry its tag and those that
// registered with one of its activations.
type machineListing struct {
	begun time.Time
	nodes []ssm.HybridNode
}

// closingOf is what a deleted activation may still let in.
func closingOf(w ownWrite) closing {
	c := closing{at: w.at, limit: w.activation.Limit}
	if c.limit == 0 {
		c.limit = maxLimit // It was in no list.
	}
	return c
}

// plan decides within the bound of a guardrail. Without the lists of nodes that it needs,
// it only deletes, and returns the error as well.
func (s *scope) plan(ctx context.Context, f observed) (plan, error) {
	if s.desired.most == 0 {
		return planFor(f), nil
	}
	d, err := s.planBounded(ctx, f)
	if err != nil {
		d = s.planUncounted(f)
	}
	return d, err
}

// planUncounted plans what only deletes, by the nodes that were listed last.
func (s *scope) planUncounted(f observed) plan {
	p := places{most: s.desired.most, wanted: s.desired.limit}
	known, ok := s.Activations.at(s.place()).machinesOf(s.Object.UID)
	if ok {
		p.nodes = countByActivation(known.nodes)
		f = f.within(p)
	}
	d := planFor(f)
	d.create, d.graceful = "", false
	if ok {
		d.closeExcess(f, p)
		d.create = ""
	}
	return d
}

// planBounded plans with the list of nodes that all objects share while nothing is to
// create. Before that, the nodes of the object are listed again.
func (s *scope) planBounded(ctx context.Context, f observed) (plan, error) {
	listing, err := s.Activations.nodes(ctx, s.account, s.desired.region, func() ([]string, error) { return s.uids(ctx) })
	if err != nil {
		return plan{}, err
	}
	p := places{most: s.desired.most, wanted: s.desired.limit}
	if known, ok := s.Activations.at(s.place()).machinesOf(s.Object.UID); ok {
		p.nodes = countByActivation(listing.of(f.activationIDs(), known.nodes))
		if d := s.planWithin(f, p); d.create == "" && !d.full && !d.counting {
			return d, nil
		}
	}
	nodes, err := s.machines(ctx, f)
	if err != nil {
		return plan{}, err
	}
	p.nodes = countByActivation(nodes)
	d := s.planWithin(f, p)
	if d.create == "" || !f.isFirst() || !listing.hasStrangers() {
		return d, nil
	}
	d.unclear, err = s.unclear(ctx)
	if len(d.unclear) > 0 {
		d.create = ""
	}
	return d, err
}

func (s *scope) planWithin(f observed, p places) plan {
	s.registered = p.registered()
	d := planFor(f.within(p))
	d.fit(f, p)
	return d
}

// countable is when a list of nodes must have begun at the least, so that it shows
// all machines of the activations that were deleted long enough ago.
func (f observed) countable() time.Time {
	since := f.now.Add(-maxAge)
	shows := []time.Time{counted(later(f.started, f.seen.first))}
	for _, c := range f.seen.closing {
		shows = append(shows, counted(c.at))
	}
	for _, at := range shows {
		if !f.now.Before(at) {
			since = later(since, at)
		}
	}
	return since
}

// machines lists the nodes of the object, from lists that are as new as needed to count
// them. At least three calls when there are none.
func (s *scope) machines(ctx context.Context, f observed) ([]ssm.HybridNode, error) {
	r := s.Activations.at(s.place())
	if known, ok := r.machinesOf(s.Object.UID); ok && !known.begun.Before(f.countable()) {
		return known.nodes, nil
	}
	begun := s.Clock.Now()
	nodes, err := nodesOfObject(ctx, s.account.SSM(s.desired.region), s.identity(), f.activationIDs(), func() ([]string, error) { return s.uids(ctx) })
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.machines[s.Object.UID] = machineListing{begun, nodes}
	return nodes, nil
}

func (r *regionListing) machinesOf(uid types.UID) (known machineListing, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok = r.machines[uid]
	return known, ok
}

// forget forgets the nodes of an object that is gone.
func (l *ActivationCache) forget(p place, uid types.UID) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.machines, uid)
}
