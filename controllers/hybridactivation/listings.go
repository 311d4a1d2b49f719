package hybridactivation

import (
	"context"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

const (
	// maxAge is how old a list of activations may be to serve another object.
	maxAge = 30 * time.Second
	// nodesMaxAge is the same for the lists of nodes, which are longer. It is
	// shorter than any usual resync.
	nodesMaxAge = 2 * time.Minute
)

// Listings shares among all objects what was listed in a region: a hundred
// objects that look again need one list.
type Listings struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	regions map[place]*regionListing
}

type place struct{ accountID, region string }

// regionListing is what was listed in one region. Its lock is held during the call to
// AWS, so that others wait for the answer.
type regionListing struct {
	mu          sync.Mutex
	begun       time.Time
	activations map[string]cloud.Activation
	// written are the operator's own writes that a list can still lack.
	written map[string]ownWrite

	nodes nodeListing
	// machines are the nodes of single objects.
	machines map[types.UID]machineListing
}

// ownWrite is an activation that this process made or deleted.
type ownWrite struct {
	at         time.Time
	activation cloud.Activation
	deleted    bool
	// of is the object whose activation was deleted.
	of types.UID
}

// NewListings returns empty Listings.
func NewListings(c clock.PassiveClock) *Listings {
	return &Listings{clock: c, regions: map[place]*regionListing{}}
}

func (l *Listings) at(p place) *regionListing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.regions[p] == nil {
		l.regions[p] = &regionListing{activations: map[string]cloud.Activation{}, written: map[string]ownWrite{}, machines: map[types.UID]machineListing{}}
	}
	return l.regions[p]
}

// of is what AWS shows of one object's activations, from a list that began at
// since or later.
func (l *Listings) of(ctx context.Context, account accounts.Entry, region string, uid types.UID, since time.Time) (observation, error) {
	r := l.at(place{account.AccountID, region})
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, l.clock, account.Cloud, region, since); err != nil {
		return observation{}, err
	}
	seen := observation{begun: r.begun, activations: map[string]cloud.Activation{}, gone: map[string]string{}, closing: map[string]closing{}}
	for id, a := range r.activations {
		if a.Tags[v1alpha1.TagActivation] == string(uid) {
			seen.activations[id] = a
		}
	}
	for id, w := range r.written {
		if w.deleted && w.of == uid {
			seen.gone[id] = w.activation.Tags[v1alpha1.TagNonce]
			seen.closing[id] = closingOf(w)
		}
	}
	return seen, nil
}

// all are the activations of a region, from a list that is not too old.
func (l *Listings) all(ctx context.Context, account accounts.Entry, region string) (map[string]cloud.Activation, error) {
	r := l.at(place{account.AccountID, region})
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refresh(ctx, l.clock, account.Cloud, region, l.clock.Now().Add(-maxAge)); err != nil {
		return nil, err
	}
	return maps.Clone(r.activations), nil
}

func (r *regionListing) refresh(ctx context.Context, c clock.PassiveClock, account *cloud.Account, region string, since time.Time) error {
	if !r.begun.IsZero() && !r.begun.Before(since) {
		return nil
	}
	begun := c.Now()
	listed, err := account.Activations(ctx, region)
	if err != nil {
		return err
	}
	r.take(begun, listed)
	return nil
}

// take copies a list, except where it can still lack what this process wrote shortly
// before. It remembers what this process deleted for longer: until the machines of
// that activation are counted.
func (r *regionListing) take(begun time.Time, listed []cloud.Activation) {
	r.begun, r.activations = begun, make(map[string]cloud.Activation, len(listed))
	for _, a := range listed {
		r.activations[a.ID] = a
	}
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

// made notes an activation that AWS has just made.
func (l *Listings) made(p place, a cloud.Activation) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.activations[a.ID] = a
	r.written[a.ID] = ownWrite{at: l.clock.Now(), activation: a}
}

// deleted notes that AWS has acknowledged the deletion of an object's activation.
func (l *Listings) deleted(p place, id string, of types.UID) {
	r := l.at(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written[id] = ownWrite{at: l.clock.Now(), activation: r.activations[id], deleted: true, of: of}
	delete(r.activations, id)
}
