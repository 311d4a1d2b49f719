package principal

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// freshAbsence is how old a read may be that shows that a principal does not
// exist, for a declaration that is new: the principal may have been created just
// before it.
const freshAbsence = 15 * time.Second

// errLookUpLater is returned where only AWS can say whether a principal exists,
// and it is not this turn's work to ask: single reads come after resyncs.
var errLookUpLater = errors.New("the principal has to be looked up, after the resyncs")

// turn is what a principal is worked on for.
type turn int

const (
	// grantTurn gives access, or compares what IAM holds at a resync.
	grantTurn turn = iota
	// lookupTurn is a grantTurn that may ask AWS for the principal alone.
	lookupTurn
	// revocationTurn ends access.
	revocationTurn
)

// find asks the mirror for the principal, and IAM once where the mirror has none
// and that proves little.
func (w *work) find(ctx context.Context) error {
	p := principalOf(w.key, w.claims.name)
	if p == nil {
		w.view = cloud.PrincipalView{Presence: cloud.Present}
		return nil
	}
	w.view = w.account.Cloud.Mirror().Principal(*p)
	if w.view.Presence == cloud.Present || len(w.claims.grants) == 0 || w.absent(*p) {
		w.unasked.remove(w.key)
		return nil
	}
	switch held := len(w.views()) > 0; {
	case w.turn == grantTurn:
		return errLookUpLater
	case w.turn == revocationTurn && !held:
		// There is nothing that a lookup could save, so the revocation does not wait
		// for one. Whether to grant what is left is for the next turn to say.
		w.unasked.add(w.key)
		return nil
	case w.turn == lookupTurn:
		ctx = cloud.WithPriority(ctx, cloud.Lookup)
	}
	view, err := w.account.Cloud.LookUpPrincipal(ctx, *p)
	if err == nil {
		w.unasked.remove(w.key)
	}
	w.view = view
	return err
}

// absent says whether it can be taken for granted that the principal does not
// exist. A name that was never granted anything costs no call then: neither at a
// resync, whose bulk read has just answered, nor where nothing new is declared.
// Where a policy exists, the principal had access, and IAM is asked once more
// before that goes.
func (w *work) absent(p cloud.Principal) bool {
	since, known := w.account.Cloud.Mirror().AbsentAsOf(p)
	if !known || len(w.views()) > 0 {
		return false
	}
	return w.Clock.Since(since) <= freshAbsence || !w.news()
}

// news says whether a declaration is new since the principal was last known to
// exist or not to.
func (w *work) news() bool {
	before, known := w.Outcomes.Get(w.key)
	if !known || w.unasked.has(w.key) {
		return true
	}
	for uid, saw := range w.claims.saw {
		if last, ok := before.Saw[uid]; saw.Included && (!ok || !last.Included || last.Serial != saw.Serial) {
			return true
		}
	}
	return false
}

// keys is a set of principals. The zero value is empty.
type keys struct {
	mu  sync.Mutex
	set map[outcome.Key]struct{}
}

func (k *keys) add(key outcome.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.set == nil {
		k.set = map[outcome.Key]struct{}{}
	}
	k.set[key] = struct{}{}
}

func (k *keys) remove(key outcome.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.set, key)
}

func (k *keys) has(key outcome.Key) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.set[key]
	return ok
}
