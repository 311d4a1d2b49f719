package hybridactivation

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

const (
	// maxAge is how old a list of activations may be to serve another object.
	maxAge = 30 * time.Second
	// nodesMaxAge is the same for the lists of nodes, which are longer. It is
	// shorter than any usual resync.
	nodesMaxAge = 2 * time.Minute
)

// ActivationCache shares among all objects what was listed in a region: a hundred
// objects that look again need one list.
type ActivationCache struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	regions map[place]*regionListing
}

type place struct{ accountID, region string }

// regionListing is what was listed in one region.
type regionListing struct {
	// listed are the activations as AWS lists them, listedNodes the nodes.
	listed      awscache.Read[[]ssm.Activation]
	listedNodes awscache.Read[nodeListing]

	mu sync.Mutex
	// begun is when the list began that activations are from.
	begun       time.Time
	activations map[string]ssm.Activation
	// registered is how many machines the latest list counts, and changed when the list began
	// in which that was another number.
	registered int64
	changed    time.Time
	// first is when the first list of this process began.
	first time.Time
	// written are the operator's own writes that a list can still lack.
	written map[string]ownWrite
	// vanished are activations that a list did not show any more and this process did not
	// delete, with the time at which that list began.
	vanished map[string]ownWrite
	// tagged are the nodes that got their tag again since they were listed, and when.
	tagged map[string]time.Time
	// machines are the nodes of single objects.
	machines map[types.UID]machineListing
}

// ownWrite is an activation that this process made or deleted.
type ownWrite struct {
	at         time.Time
	activation ssm.Activation
	deleted    bool
	// of is the object whose activation was deleted.
	of types.UID
}

// NewActivationCache returns an empty cache.
func NewActivationCache(c clock.PassiveClock) *ActivationCache {
	return &ActivationCache{clock: c, regions: map[place]*regionListing{}}
}

func (l *ActivationCache) at(p place) *regionListing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.regions[p] == nil {
		l.regions[p] = &regionListing{activations: map[string]ssm.Activation{}, written: map[string]ownWrite{}, vanished: map[string]ownWrite{}, tagged: map[string]time.Time{}, machines: map[types.UID]machineListing{}}
	}
	return l.regions[p]
}

// of is what AWS shows of one object's activations, from a list that began at
// since or later.
func (l *ActivationCache) of(ctx context.Context, account accounts.Entry, region string, who identity, since time.Time) (observation, error) {
	r := l.at(place{account.AccountID, region})
	if err := r.refresh(ctx, l.clock, account.SSM(region), since); err != nil {
		return observation{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := observation{begun: r.begun, first: r.first, activations: map[string]ssm.Activation{}, gone: map[string]string{}, closing: map[string]closing{}}
	for id, a := range r.activations {
		if who.has(a.Tags) {
			seen.activations[id] = a
		}
	}
	for id, w := range r.vanished {
		if who.has(w.activation.Tags) {
			seen.closing[id] = closingOf(w)
		}
	}
	for id, w := range r.written {
		if w.deleted && (w.of == who.uid || who.has(w.activation.Tags)) {
			seen.gone[id] = w.activation.Tags[v1alpha1.TagNonce]
			seen.closing[id] = closingOf(w)
		}
	}
	return seen, nil
}

// all are the activations of a region, from a list that is not too old.
func (l *ActivationCache) all(ctx context.Context, account accounts.Entry, region string) (map[string]ssm.Activation, error) {
	r := l.at(place{account.AccountID, region})
	if err := r.refresh(ctx, l.clock, account.SSM(region), l.clock.Now().Add(-maxAge)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.activations), nil
}

// refresh brings activations up to a list that began at since or later.
func (r *regionListing) refresh(ctx context.Context, c clock.PassiveClock, in ssm.Region, since time.Time) error {
	read, err := r.listed.Get(ctx, c, since, math.MaxInt64, func() ([]ssm.Activation, error) { return in.Activations(ctx) })
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun.Before(read.Begun) {
		r.take(read.Begun, read.Value)
	}
	return nil
}

// take copies a list, except where it can still lack what this process wrote shortly
// before. It remembers what this process deleted for longer: until the machines of
// that activation are counted.
func (r *regionListing) take(begun time.Time, listed []ssm.Activation) {
	before := r.activations
	r.begun, r.activations = begun, make(map[string]ssm.Activation, len(listed))
	if r.first.IsZero() {
		r.first = begun
	}
	var registered int64
	for _, a := range listed {
		r.activations[a.ID] = a
		registered += int64(a.Registered)
	}
	if registered != r.registered {
		r.registered, r.changed = registered, begun
	}
	r.noteVanished(begun, before)
	for id, w := range r.written {
		_, shown := r.activations[id]
		switch {
		case !begun.Before(counted(w.at)), !w.deleted && !begun.Before(settled(w.at)):
			delete(r.written, id)
		case !begun.Before(settled(w.at)):
			// The list shows it, or not.
		case w.deleted:
			delete(r.activations, id)
		case !shown:
			r.activations[id] = w.activation
		}
	}
}

// noteVanished keeps what something else deleted until its machines are counted.
func (r *regionListing) noteVanished(begun time.Time, before map[string]ssm.Activation) {
	for id, a := range before {
		_, shown := r.activations[id]
		w, own := r.written[id]
		isOwn := own && (w.deleted || begun.Before(settled(w.at))) // Deleted by us, or too new to be shown.
		if !shown && !isOwn && !closed(a, begun) {
			r.vanished[id] = ownWrite{at: begun, activation: a}
		}
	}
	maps.DeleteFunc(r.vanished, func(id string, w ownWrite) bool {
		_, shown := r.activations[id]
		return shown || !begun.Before(counted(w.at))
	})
}

// made notes an activation that AWS has just made.
func (l *ActivationCache) made(p place, a ssm.Activation) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.activations[a.ID] = a
	r.written[a.ID] = ownWrite{at: l.clock.Now(), activation: a}
}

// deleted notes that AWS has acknowledged the deletion of an object's activation.
func (l *ActivationCache) deleted(p place, id string, of types.UID) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[id] = ownWrite{at: l.clock.Now(), activation: r.activations[id], deleted: true, of: of}
	delete(r.activations, id)
}

// nodeListing is the hybrid nodes of a region, and which of them carry the tag of an
// object that this operator owns.
type nodeListing struct {
	begun time.Time
	// byActivation are the nodes by the activation with which they registered,
	// ordered as AWS gives them.
	byActivation map[string][]ssm.HybridNode
	tagged       map[string]bool
}

// nodes are the hybrid nodes of a region, from lists that are not too old, and no older than
// the news that machines have registered. uids
// are those of all objects of the region, asked for only when they are needed.
func (l *ActivationCache) nodes(ctx context.Context, account accounts.Entry, region string, uids func() ([]string, error)) (nodeListing, error) {
	r := l.at(place{account.AccountID, region})
	read, err := r.listedNodes.Get(ctx, l.clock, r.lastRegistration(), nodesMaxAge, func() (nodeListing, error) {
		return readNodes(ctx, l.clock.Now(), account.SSM(region), uids)
	})
	if err != nil {
		return nodeListing{}, err
	}
	return r.withTagged(read.Value), nil
}

// lastRegistration is when the list began that showed another number of registrations than
// the one before it.
func (r *regionListing) lastRegistration() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// readNodes lists the nodes of a region now.
func readNodes(ctx context.Context, now time.Time, in ssm.Region, uids func() ([]string, error)) (nodeListing, error) {
	nodes, err := in.HybridNodes(ctx)
	if err != nil {
		return nodeListing{}, err
	}
	next := nodeListing{begun: now, byActivation: map[string][]ssm.HybridNode{}, tagged: map[string]bool{}}
	for _, n := range nodes {
		next.byActivation[n.ActivationID] = append(next.byActivation[n.ActivationID], n)
	}
	if len(nodes) == 0 {
		return next, nil
	}
	// Later than the first list, so that it holds the tags of all of its nodes.
	err = next.readTags(ctx, in, uids)
	return next, err
}

func (n *nodeListing) readTags(ctx context.Context, in ssm.Region, uids func() ([]string, error)) error {
	values, err := uids()
	if err != nil {
		return err
	}
	tagged, err := in.HybridNodesTagged(ctx, v1alpha1.TagActivation, values...)
	if err != nil {
		return err
	}
	for _, node := range tagged {
		n.tagged[node.ID] = true
	}
	return nil
}

// of are the nodes of a list that registered with one of the activations, or are known to be
// the same object's otherwise.
func (n nodeListing) of(activations []string, known []ssm.HybridNode) []ssm.HybridNode {
	var nodes []ssm.HybridNode
	for _, id := range activations {
		nodes = append(nodes, n.byActivation[id]...)
	}
	for _, k := range known {
		if slices.ContainsFunc(n.byActivation[k.ActivationID], func(node ssm.HybridNode) bool { return node.ID == k.ID }) {
			nodes = append(nodes, k)
		}
	}
	return nodes
}

// withTagged adds to a list which nodes got their tag again after it began.
func (r *regionListing) withTagged(listing nodeListing) nodeListing {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.tagged, func(_ string, at time.Time) bool { return at.Before(listing.begun) })
	if len(r.tagged) == 0 {
		return listing
	}
	listing.tagged = maps.Clone(listing.tagged) // Others may be reading the map.
	for id := range r.tagged {
		listing.tagged[id] = true
	}
	return listing
}

// tagged notes that nodes have their tag again.
func (l *ActivationCache) tagged(p place, ids ...string) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := l.clock.Now()
	for _, id := range ids {
		r.tagged[id] = now
	}
}
