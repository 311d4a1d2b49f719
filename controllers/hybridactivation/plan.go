package hybridactivation

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// rotationGrace is how long machines may still register with an activation that was
// replaced in time: a user may have read its code a moment before.
const rotationGrace = 15 * time.Minute

// firstTime is why an activation is created where there was none.
const firstTime = "there was none"

// maxFormer bounds the record.
const maxFormer = 1000

// facts are everything that a plan rests on.
type observed struct {
	now     time.Time
	desired desired
	// record as it was written last; nil when nothing was ever sent to AWS.
	record *v1alpha1.ActivationRecord
	// reported is the activation in the status.
	reported string
	// stored is the content of the Secret; nil when no code is stored.
	stored *content
	seen   observation
	// started is when this process was: one before may have sent a request until
	// then.
	started time.Time
}

// observation is what AWS showed of the activations of one object.
type observation struct {
	// begun is when it was asked.
	begun time.Time
	// first is when this process asked first.
	first       time.Time
	activations map[string]ssm.Activation
	// gone are activations that this process deleted, with their nonces.
	gone map[string]string
	// closing says of these when they were deleted, and of those that something else
	// deleted by when.
	closing map[string]closing
}

// plan is what to do. It is made of facts alone.
type plan struct {
	// record is the next one, without a new request.
	record v1alpha1.ActivationRecord
	// current is the activation whose code is stored and that AWS knows; nil when
	// there is none, or AWS does not show it yet.
	current *ssm.Activation
	// stored stays the content of the Secret.
	stored *content
	// remove are activations to delete now, so that no machine registers with them.
	remove []string
	// stray are those of remove whose code was never stored.
	stray []string
	// create says why another activation is needed, as the end of a sentence; ""
	// when none is.
	create string
	// narrowed: machines may register with the current one for more than is declared.
	narrowed bool
	// graceful: the current one is kept for a while when another replaces it.
	graceful bool
	// settling: it is not certain yet what there is, so nothing is created.
	settling bool
	// limit is how many machines may register with the activation to create.
	limit int32
	// full: as many machines are registered as a guardrail allows.
	full bool
	// counting: nothing is created until the list of nodes shows who registered.
	counting bool
	// unclear are nodes that may be the object's. It cannot be found out, so nothing is
	// created that lets machines in.
	unclear []string
	// wake is when to look again; zero when only the next resync is of interest.
	wake time.Time
}

// planFor returns what to do about an activation. Nothing is created while the result of an
// earlier request is not certain. At most two of the activations that exist are kept: the
// one whose code is stored, and the one before.
func planFor(f observed) plan {
	d := plan{stored: f.stored, limit: f.desired.limit}
	if f.record != nil {
		d.record = *f.record.DeepCopy()
		d.record.WithdrawnAt = nil // It was restored from a backup of when it was being deleted.
	}
	state := d.findCurrent(f)
	d.settlePending(f)
	d.sortPrevious(f)
	d.findStrays(f)
	d.judge(f, state)
	d.record.Former = bounded(d.record.Former)
	return d
}

// presence is whether the activation exists whose code is stored.
type presence int

const (
	// presenceNone: no code is stored.
	presenceNone presence = iota
	presenceSeen
	// presenceUnseen: AWS does not show it, but it may be too new to be shown.
	presenceUnseen
	presenceGone
)

func (d *plan) findCurrent(f observed) presence {
	if f.stored == nil {
		return presenceNone
	}
	if a, ok := f.seen.activations[f.stored.ID]; ok {
		d.current = &a
		return presenceSeen
	}
	shows := settled(f.stored.request.RequestedAt.Time)
	_, deleted := f.seen.gone[f.stored.ID]
	if deleted || !f.seen.begun.Before(shows) {
		return presenceGone
	}
	d.wakeAt(shows)
	return presenceUnseen
}

// settled is when a read shows the final result of a request that was sent at a time.
// The times in the record are whole seconds.
func settled(sent time.Time) time.Time { return sent.Add(awsclient.ConsistencyWindow + time.Second) }

// pendingSettled is when a read shows the final result of a request whose answer is
// not known.
func pendingSettled(r v1alpha1.ActivationRequest, started time.Time) time.Time {
	if r.RequestedAt.After(started) {
		return settled(r.RequestedAt.Time)
	}
	return settled(started)
}

// settlePending drops the request whose answer was lost once its result is known: its
// code is stored, or its activation can be deleted, or there never was one.
func (d *plan) settlePending(f observed) {
	pending := d.record.Pending
	if pending == nil {
		return
	}
	known := f.stored != nil && f.stored.request.Nonce == pending.Nonce
	for _, a := range f.seen.activations {
		known = known || a.Tags[v1alpha1.TagNonce] == pending.Nonce
	}
	for _, nonce := range f.seen.gone {
		known = known || nonce == pending.Nonce
	}
	shows := pendingSettled(*pending, f.started)
	if known || !f.seen.begun.Before(shows) {
		d.record.Pending = nil
		return
	}
	d.settling = true
	d.wakeAt(shows)
}

// sortPrevious keeps the previous activations that are still in their grace.
func (d *plan) sortPrevious(f observed) {
	var kept []v1alpha1.PreviousActivation
	for _, p := range d.record.Previous {
		a, ok := f.seen.activations[p.ID]
		switch {
		case f.stored != nil && p.ID == f.stored.ID:
			// It was about to be replaced, and was not.
		case !ok || !f.now.Before(p.RemoveAt.Time) || usedUp(a) || expired(a, f.now):
			d.retire(p.ID)
		default:
			kept = append(kept, p)
			d.wakeAt(p.RemoveAt.Time)
		}
	}
	d.record.Previous = kept
}

// retire has an activation deleted whose code may have been used.
func (d *plan) retire(id string) {
	d.remove = append(d.remove, id)
	if !slices.Contains(d.record.Former, id) {
		d.record.Former = append(d.record.Former, id)
	}
}

// isEarlier reports whether an activation is that of an earlier object of the name: its code
// was stored in the Secret of that.
func (f observed) isEarlier(a ssm.Activation) bool {
	return a.Tags[v1alpha1.TagActivation] != f.desired.tags[v1alpha1.TagActivation]
}

// isFirst reports whether no activation of the object is known to have a code. That is so,
// too, when the status was lost.
func (f observed) isFirst() bool { return f.reported == "" && f.stored == nil }

// findStrays has every other activation of the object deleted.
func (d *plan) findStrays(f observed) {
	for _, id := range slices.Sorted(maps.Keys(f.seen.activations)) {
		known := slices.Contains(d.remove, id) || f.stored != nil && id == f.stored.ID ||
			slices.ContainsFunc(d.record.Previous, func(p v1alpha1.PreviousActivation) bool { return p.ID == id })
		if known {
			continue
		}
		if a := f.seen.activations[id]; a.Registered > 0 || id == f.reported || f.isEarlier(a) {
			d.retire(id)
			continue
		}
		d.remove = append(d.remove, id)
		d.stray = append(d.stray, id)
		if f.desired.most > 0 {
			d.remember(id) // Another process must count its machines, too.
		}
	}
}

// judge decides whether another activation is needed.
func (d *plan) judge(f observed, state presence) {
	switch state {
	case presenceNone:
		d.create = firstTime
		if f.reported != "" {
			d.create = "its code was lost: the Secret was deleted or changed"
			d.remember(f.reported)
		}
	case presenceGone:
		d.create = "it was deleted in AWS"
		if f.proven(f.stored.ID) && !slices.Contains(d.record.Former, f.stored.ID) {
			d.record.Former = append(d.record.Former, f.stored.ID)
		}
		d.stored = nil
	case presenceUnseen:
		d.settling = true
	case presenceSeen:
		d.create, d.graceful = d.rotation(f)
	}
	if d.settling {
		d.create = ""
	}
	if d.create == "" {
		return
	}
	// Two at most are alive: the one before the last makes way.
	for _, p := range d.record.Previous {
		d.retire(p.ID)
	}
	d.record.Previous = nil
}

// rotation is why the current activation must be replaced; "" when it need not.
func (d *plan) rotation(f observed) (why string, graceful bool) {
	a := *d.current
	if why, narrowing := f.desired.difference(a, f.stored.request); why != "" {
		d.narrowed = narrowing
		return why, !narrowing && !usedUp(a) && !expired(a, f.now)
	}
	rotateAt := a.Expires.Add(-f.desired.rotateBefore)
	switch {
	case expired(a, f.now):
		return "it expired", false
	case usedUp(a) && f.desired.replenish:
		return "all its registrations were used", false
	case !f.now.Before(rotateAt) && len(d.record.Previous) == 0:
		return "it was about to expire", !usedUp(a)
	case !f.now.Before(rotateAt):
		d.wakeAt(a.Expires)
	default:
		d.wakeAt(rotateAt)
	}
	return "", false
}

// closeNarrowed has the current activation deleted before there is another, and
// whether or not there can be: what it allows is declared no more.
func (d *plan) closeNarrowed() {
	if !d.narrowed || d.current == nil {
		return
	}
	d.retire(d.current.ID)
	d.record.Former = bounded(d.record.Former)
	d.current, d.stored = nil, nil
}

// proven reports whether an activation that AWS does not show was one of the object.
// The Secret alone does not prove it: a user who may write the Secret can name another
// owner's activation in it, whose nodes would then count as the object's.
func (f observed) proven(id string) bool {
	_, deleted := f.seen.gone[id]
	return id == f.reported || deleted
}

// bounded forgets the oldest of too many former activations.
func bounded(former []string) []string {
	if n := len(former); n > maxFormer {
		return slices.Clone(former[n-maxFormer:])
	}
	return former
}

func (d *plan) wakeAt(t time.Time) {
	if d.wake.IsZero() || t.Before(d.wake) {
		d.wake = t
	}
}

// replaced is the record while another activation is requested: the current one is kept
// for its grace period, or until the code of the other is stored.
func (d *plan) replaced(request v1alpha1.ActivationRequest, now time.Time) v1alpha1.ActivationRecord {
	next := *d.record.DeepCopy()
	next.Pending = &request
	switch {
	case d.current == nil:
	case d.graceful:
		removeAt := now.Add(rotationGrace).UTC().Truncate(time.Second)
		if d.current.Expires.Before(removeAt) {
			removeAt = d.current.Expires.UTC()
		}
		next.Previous = append(next.Previous, v1alpha1.PreviousActivation{ID: d.current.ID, RemoveAt: metav1.NewTime(removeAt)})
	case !slices.Contains(next.Former, d.current.ID):
		next.Former = bounded(append(next.Former, d.current.ID))
	}
	return next
}

// freshness is the earliest time at which a observation may have begun: from then on it
// shows everything that AWS can show by now.
func freshness(now, started time.Time, record *v1alpha1.ActivationRecord, stored *content) time.Time {
	since := now.Add(-maxAge)
	// consider asks for a read after something was sent and, once there can be one,
	// for a read that shows its final result.
	consider := func(sent, shows time.Time) {
		if !now.Before(shows) {
			sent = shows
		}
		if sent.After(since) {
			since = sent
		}
	}
	if record != nil && record.Pending != nil {
		consider(record.Pending.RequestedAt.Time, pendingSettled(*record.Pending, started))
	}
	if stored != nil {
		consider(stored.request.RequestedAt.Time, settled(stored.request.RequestedAt.Time))
	}
	return since
}

func usedUp(a ssm.Activation) bool { return a.Registered >= a.Limit }

func expired(a ssm.Activation, now time.Time) bool { return a.Expired || !now.Before(a.Expires) }
