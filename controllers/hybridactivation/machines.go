package hybridactivation

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// machineListing is the nodes of one object, those that carry its tag and those that
// registered with one of its activations.
type machineListing struct {
	begun time.Time
	nodes map[string]int32
}

// closingOf is what a deleted activation may still let in.
func closingOf(w ownWrite) closing {
	c := closing{at: w.at, limit: w.activation.Limit}
	if c.limit == 0 {
		c.limit = maxLimit // It was in no list.
	}
	return c
}

// plan decides within the bound of a guardrail. The list of nodes that all objects
// share serves while nothing is to create; before that, the nodes of the object are
// listed again.
func (s *scope) plan(ctx context.Context, f observed) (plan, error) {
	if s.desired.most == 0 {
		return planFor(f), nil
	}
	listing, err := s.Listings.nodes(ctx, s.account, s.desired.region, func() ([]string, error) { return s.uids(ctx) })
	if err != nil {
		return plan{}, err
	}
	p := places{most: s.desired.most, wanted: s.desired.limit, nodes: map[string]int32{}}
	for _, id := range f.activationIDs() {
		p.nodes[id] = int32(len(listing.byActivation[id]))
	}
	d := s.planWithin(f, p)
	if d.create == "" && !d.full && !d.counting {
		return d, nil
	}
	if p.nodes, err = s.Listings.machines(ctx, s.account, s.desired.region, s.Object.UID, f.activationIDs(), f.countable()); err != nil {
		return plan{}, err
	}
	return s.planWithin(f, p), nil
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
	shows := []time.Time{counted(f.started)}
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

// machines counts the nodes of one object by activation, from a list that began at
// since or later. At least two calls when there is none.
func (l *Listings) machines(ctx context.Context, account accounts.Entry, region string, uid types.UID, activations []string, since time.Time) (map[string]int32, error) {
	r := l.at(place{account.AccountID, region})
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.machines[uid]; ok && !known.begun.Before(since) {
		return known.nodes, nil
	}
	begun := l.clock.Now()
	nodes, err := nodesOfObject(ctx, account.Cloud, region, uid, activations)
	if err != nil {
		return nil, err
	}
	r.machines[uid] = machineListing{begun, countByActivation(nodes)}
	return r.machines[uid].nodes, nil
}

// nodesOfObject lists the nodes of an object, by the tag that AWS copied to them and
// by the activations that are known. A node may be listed twice.
func nodesOfObject(ctx context.Context, account *cloud.Account, region string, uid types.UID, activations []string) ([]cloud.HybridNode, error) {
	byTag, err := account.HybridNodesTagged(ctx, region, v1alpha1.TagActivation, string(uid))
	byActivation, failure := account.HybridNodesOf(ctx, region, activations...)
	return append(byTag, byActivation...), errors.Join(err, failure)
}

// forget forgets the nodes of an object that is gone.
func (l *Listings) forget(p place, uid types.UID) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.machines, uid)
}
