package sessionaccess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// A grant that conflicts with an older one is kept out of a principal's policies, and
// stays in its record: it takes effect again when the older one is removed. Until then its
// open sessions have lost their permission as much as those of a revoked grant.

// Supersessions remembers since when grants are kept out, and whose sessions have ended.
// It does not survive a restart: the new process lists the sessions once more.
type Supersessions struct {
	mu   sync.Mutex
	seen map[types.UID]supersession
}

type supersession struct {
	serial int64
	// whom it keeps out, so that a later one starts over.
	principals string
	since      time.Time
	// done: the sessions are seen ended, by a search after the window too.
	done bool
}

// NewSupersessions returns empty Supersessions.
func NewSupersessions() *Supersessions {
	return &Supersessions{seen: map[types.UID]supersession{}}
}

// take returns what is known of a supersession that is, or begins, now.
func (d *Supersessions) take(uid types.UID, serial int64, principals string, now time.Time) (known supersession, begins bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.seen[uid]
	if !ok || known.serial != serial || known.principals != principals {
		known, begins = supersession{serial: serial, principals: principals, since: now}, true
		d.seen[uid] = known
	}
	return known, begins
}

func (d *Supersessions) finish(uid types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.seen[uid]
	known.done = true
	d.seen[uid] = known
}

func (d *Supersessions) forget(uid types.UID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seen, uid)
}

// superseded is the part of a grant that principals' policies do not hold because
// an older grant supersedes it. Nil where there is none.
func superseded(record *v1alpha1.AppliedAccess, uid types.UID, look look) *v1alpha1.ResolvedGrant {
	if record == nil || record.Granted == nil {
		return nil
	}
	lost := record.Granted.DeepCopy()
	lost.Principals = slices.DeleteFunc(lost.Principals, func(p v1alpha1.Principal) bool {
		return !isSuperseded(grants.PrincipalKeyOf(lost.AccountID, p), record.Serial, uid, look)
	})
	if len(lost.Principals) == 0 {
		return nil
	}
	return lost
}

// isSuperseded reports whether a principal's policies are known not to hold a grant.
func isSuperseded(key grants.PrincipalKey, serial int64, uid types.UID, look look) bool {
	o, ok := look(key)
	observed := o.Observed[uid]
	return ok && o.Narrowed && observed.Superseded && observed.Serial == serial
}

// endSuperseded ends the open sessions that a superseded grant covered, and says
// when to look again.
func (r *Reconciler) endSuperseded(ctx context.Context, access *v1alpha1.SessionAccess) time.Duration {
	lost := superseded(access.Status.Applied, access.UID, r.Outcomes.Get)
	if lost == nil {
		r.Superseded.forget(access.UID)
		return 0
	}
	now := r.Clock.Now()
	if account, ok := r.Accounts.Get(lost.AccountID); !ok || account.Mode == v1alpha1.ModeObserve {
		return 0
	}
	known, begins := r.Superseded.take(access.UID, access.Status.Applied.Serial, fmt.Sprint(lost.Principals), now)
	if begins {
		r.announceDisappeared(access, lost)
	}
	if known.done {
		return 0
	}
	rev := grants.RevocationOf(access)
	v := revocation{Reconciler: r, Revocation: &rev, unread: unread{}}
	s, err := v.endLost(ctx, []v1alpha1.ResolvedGrant{*lost}, func(string) bool { return true })
	open, seen := s.open, s.seen
	if err = errors.Join(err, failed(s.failures), failed(s.unended)); err != nil {
		log.FromContext(ctx).Info("Open sessions of a superseded grant could not be ended yet", "error", err.Error())
		return unlistedRetry
	}
	settled := known.since.Add(awsclient.ConsistencyWindow)
	switch {
	case len(open) > 0:
		reconcile.RecordEvent(r.Recorder, access, reconcile.Stalledf(v1alpha1.ReasonEndingSessions,
			"Not every principal has this grant, as status.principals shows; %s terminated.", verb(len(open))))
		return sessionPoll
	case seen.Before(settled):
		return settled.Sub(now)
	default:
		r.Superseded.finish(access.UID)
		return 0
	}
}

// endLost ends the open sessions that lost grants covered, as far as isRecorded allows.
func (v revocation) endLost(ctx context.Context, lost []v1alpha1.ResolvedGrant, isRecorded func(id string) bool) (search, error) {
	ending, err := v.terminating(ctx, lost)
	if err != nil {
		return search{}, err
	}
	return v.endOpen(ctx, ending, false, isRecorded)
}
