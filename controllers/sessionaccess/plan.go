package sessionaccess

import (
	"cmp"
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// nextRecords are the records that may follow a decision, the one that it asks
// for first. The others are for where that one cannot be stored: each grants less
// and takes less room. The last grants nothing, and takes the room of what is
// stored already. One of them may be the record itself, where nothing changes.
// None is changed in place.
func nextRecords(record *v1alpha1.AppliedAccess, d decision, generation int64, now time.Time) []*v1alpha1.AppliedAccess {
	wanted := grantedNow(record, d, now)
	begin := grants.Beginning{At: now, Ungranted: d.unwritten}
	next := []*v1alpha1.AppliedAccess{nextRecord(record, wanted, generation, begin)}
	if wanted == nil {
		return next
	}
	if record != nil && record.Granted != nil {
		if both := grants.Intersect(record.Granted, wanted); both != nil && !grants.SameAccess(both, wanted) {
			next = append(next, nextRecord(record, keepEqual(both, record.Granted), generation, begin))
		}
	}
	return append(next, nextRecord(record, nil, generation, begin))
}

// keepEqual returns the grant of the record where another one says the same, so
// that a second narrowing of the same sort changes nothing.
func keepEqual(both, granted *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
	if grants.Covers(both, granted) && grants.Covers(granted, both) && both.OnRevoke == granted.OnRevoke &&
		equality.Semantic.DeepEqual(both.DocumentBounds, granted.DocumentBounds) {
		return granted
	}
	return both
}

// nextRecord is the record once something else is granted: it remembers what has
// to be revoked. It returns the record it was given when nothing changes. What is ungranted
// changes once the account is written to.
func nextRecord(record *v1alpha1.AppliedAccess, granted *v1alpha1.ResolvedGrant, generation int64, begin grants.Beginning) *v1alpha1.AppliedAccess {
	if record == nil {
		if granted == nil {
			return nil
		}
		return &v1alpha1.AppliedAccess{Serial: 1, Generation: generation, Granted: grants.Begin(granted, nil, begin)}
	}
	if grants.SameAccess(record.Granted, granted) && (granted == nil || begin.Ungranted || len(record.Granted.Ungranted) == 0) {
		return record
	}
	next := record.DeepCopy()
	next.Serial++
	next.Generation = generation
	next.Granted = nil
	if granted != nil {
		next.Granted = grants.Begin(granted, record.Granted, begin)
	}
	if lost := grants.WithoutUngranted(record.Granted); lost != nil && !grants.Covers(granted, lost) {
		next.Revoking = grants.Retire(record.Revoking, lost)
	}
	return next
}

// grantedNow is what a decision grants at a moment. While the spec waits for
// something, what was granted stays, less what the spec no longer asks for or the
// guardrails no longer allow. What is ungranted stays on record while nothing is written.
func grantedNow(record *v1alpha1.AppliedAccess, d decision, now time.Time) *v1alpha1.ResolvedGrant {
	granted := d.grant
	if d.waiting {
		granted = nil
		if record != nil {
			granted = record.Granted
		}
		if !d.unwritten {
			granted = grants.WithoutUngranted(granted)
		}
		if granted != nil && d.grant != nil {
			if both := grants.Intersect(granted, d.grant); both != nil {
				granted = keepEqual(both, granted)
			} else {
				granted = nil
			}
		}
	}
	if granted == nil || grants.Expired(granted, now) {
		return nil
	}
	return granted
}

// settled is the record once every former grant is gone, sessions included.
func settled(record *v1alpha1.AppliedAccess) *v1alpha1.AppliedAccess {
	next := record.DeepCopy()
	next.Revoking = nil
	return next
}

// A record names the object that it was written for. One that names another object
// came from a backup: the current guardrails have not been applied to it. It can still be
// revoked and still covers sessions, and what IAM holds of it stays, but it grants nothing.
// Once its object is decided on, the record names that object.

// decided reports whether a decision makes a record the object's own. While the
// spec waits for something, a restored record stays another object's.
func (d decision) decided(record *v1alpha1.AppliedAccess) bool {
	return record == nil || !d.waiting
}

// restoringUntil is how long what a restored record names may still be restored, too; zero
// where the record is the object's own, or no restore is under way.
func restoringUntil(access *v1alpha1.SessionAccess, account *v1alpha1.AWSAccount, now time.Time) time.Time {
	record := access.Status.Applied
	if account == nil || record == nil || v1alpha1.IsOwnRecord(record.UID, access) {
		return time.Time{}
	}
	return accounts.RestoringUntil(account, now)
}

// ownRecord is a record as the object's own. Since when it is declared stays as it
// was recorded first.
func ownRecord(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) *v1alpha1.AppliedAccess {
	if record == nil || record.UID == string(access.UID) && record.DeclaredAt != nil {
		return record
	}
	own := record.DeepCopy()
	own.UID = string(access.UID)
	if own.DeclaredAt == nil {
		own.DeclaredAt = access.CreationTimestamp.DeepCopy()
	}
	return own
}

// ownRecords are the next records of an object, its own once it is decided on. The
// last one, which must take no more room than what is stored, is not marked where
// the record of an earlier version is not.
func ownRecords(access *v1alpha1.SessionAccess, d decision, now time.Time) []*v1alpha1.AppliedAccess {
	record := access.Status.Applied
	all := nextRecords(record, d, access.Generation, now)
	for i, next := range all {
		grows := i == len(all)-1 && record != nil && record.UID == ""
		if next != record && d.decided(record) && !grows {
			all[i] = ownRecord(access, next)
		}
	}
	return all
}

// marked is the record of an earlier version as the object's own, where there is
// room for that.
func marked(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) *v1alpha1.AppliedAccess {
	if record == nil || record.UID != "" {
		return record
	}
	if own := ownRecord(access, record); sizeWith(access, own) <= reconcile.MaxObject-statusReserve {
		return own
	}
	return record
}

// takeOver stores a restored record as the object's own, where the decision asks
// for the same access. The serial and the conditions stay: an object without an
// outcome keeps its status. taken reports that it was stored.
func (r *Reconciler) takeOver(ctx context.Context, s *frameScope, d decision) (taken bool, err error) {
	record := s.Object.Status.Applied
	if record == nil || v1alpha1.IsOwnRecord(record.UID, s.Object) || !d.decided(record) {
		return false, nil
	}
	log.FromContext(ctx).Info("Granting what a restored record says", "recordedFor", record.UID)
	s.Object.Status.Applied = ownRecord(s.Object, record)
	return true, s.Record(ctx, reconcile.Result{})
}

// A narrowing never waits for room in the object: a record that grants less, and
// at last nothing, takes its place. What the spec adds waits, and is reported.

// statusReserve is the room that a record leaves for the rest of the status:
// conditions, the states of 100 principals, and the ids of 500 sessions.
const statusReserve = 150 << 10

// recordNext stores the first of the records that may follow a decision which can be
// stored. stored is the result of the reconcile where one was or, for the last of them, is
// about to be; nil where the record stays as it is. short says why a record that comes
// before cannot be stored; nil where there is none.
func (r *Reconciler) recordNext(ctx context.Context, s *frameScope, d decision) (stored, short *reconcile.Result, err error) {
	now, record := r.Clock.Now(), s.Object.Status.Applied
	records := ownRecords(s.Object, d, now)
	for i, next := range records {
		if next == record {
			return nil, short, nil
		}
		// The last one adds nothing that is not stored already, so it is sent at any
		// size of the object: the API server decides.
		last := i == len(records)-1
		if !last && (sizeWith(s.Object, next) > roomFor(record, next) || r.rejected.has(s.Object, next, now)) {
			short = cmp.Or(short, r.tooLarge(s.Object, next))
			continue
		}
		if record == nil && !r.accountVerified(next) {
			// Nothing was written to AWS, and nothing can be: there is nothing to remember, and
			// the object can be deleted at any time.
			return new(reconcile.AccountNotReady(s.Object.AccountName())), nil, nil
		}
		if err := r.beginRecord(ctx, s.Object, record, next, grants.Beginning{At: now, Ungranted: d.unwritten}); err != nil {
			return nil, nil, err
		}
		if err := s.EnsureFinalizer(ctx); err != nil {
			return nil, nil, err
		}
		result := r.propose(ctx, s.Object, next, cmp.Or(d.problem, short))
		if last {
			if i == 0 {
				result.AfterPatch = func() { r.rejected.forget(s.Object.UID) }
			}
			return &result, short, nil // The frame stores it, with less beside it where need be.
		}
		if err = s.Record(ctx, result); !reconcile.Rejected(err) {
			if err == nil && i == 0 {
				r.rejected.forget(s.Object.UID)
			}
			return &reconcile.Result{}, short, err
		}
		reconcile.ReportRejected(ctx, r.Client, r.Recorder, s.Object, err) // Once for a record, and a smaller one is tried.
		s.Reset()
		r.rejected.add(s.Object, next, now)
		short = cmp.Or(short, r.tooLarge(s.Object, next))
	}
	return nil, short, err
}

// beginRecord gives a record the starts of what it covers, where they may not be those of the
// record before it.
func (r *Reconciler) beginRecord(ctx context.Context, access *v1alpha1.SessionAccess, record, next *v1alpha1.AppliedAccess, begin grants.Beginning) error {
	if record == nil {
		return r.beginFirst(ctx, access, next, begin)
	}
	return r.beginReplaced(ctx, access, record, next, begin)
}

// roomFor is how large an object may be for a record to follow another. One that
// grants more leaves room for what comes later.
func roomFor(record, next *v1alpha1.AppliedAccess) int {
	narrows := record != nil && next.Granted != nil && grants.Covers(grants.Intersect(record.Granted, next.Granted), next.Granted)
	if narrows {
		return reconcile.MaxObject
	}
	return reconcile.MaxObject - statusReserve
}

// sizeWith is the size of an object with another record, and with nothing else in
// its status.
func sizeWith(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) int {
	return objectcache.Dropped(access) + reconcile.Size(&v1alpha1.SessionAccess{
		TypeMeta: access.TypeMeta, ObjectMeta: access.ObjectMeta, Spec: access.Spec,
		Status: v1alpha1.SessionAccessStatus{Applied: record},
	})
}

// tooLarge reports that a record cannot be stored, and what to do. The former
// grants go by themselves; the rest stays until a person changes it.
func (r *Reconciler) tooLarge(access *v1alpha1.SessionAccess, next *v1alpha1.AppliedAccess) *reconcile.Result {
	const kib = 1 << 10
	alone := *next
	alone.Revoking = nil
	if len(next.Revoking) > 0 && sizeWith(access, &alone) <= reconcile.MaxObject-statusReserve && !r.rejected.has(access, &alone, r.Clock.Now()) {
		return new(reconcile.Reconcilingf(v1alpha1.ReasonRevoking,
			"What the spec allows less than before is being revoked first. The record has no room for the rest until that is complete."))
	}
	return new(reconcile.Stalledf(v1alpha1.ReasonRecordTooLarge,
		"The operator cannot record what this spec resolves to: the record takes %d KiB and the spec and metadata %d KiB, and an object holds some %d KiB of both. What is allowed no longer is revoked, and nothing is added. Give fewer tags, ids, documents or regions, shorten annotations and labels, or declare several SessionAccesses.",
		reconcile.Size(next.Granted)/kib, sizeWith(access, nil)/kib, (reconcile.MaxObject-statusReserve)/kib))
}

// endUnrecorded ends sessions although their ids cannot be stored. They are not
// counted; that they end comes first. It returns when to look again, which is no sooner than
// after other sessions whose end was requested.
func endUnrecorded(ctx context.Context, sessions []openSession, after time.Duration) time.Duration {
	if len(sessions) == 0 {
		return after
	}
	if failures := endSessions(ctx, sessions); len(failures) > 0 {
		log.FromContext(ctx).Info("Open sessions could not be ended yet", "error", failed(failures).Error())
	}
	return max(after, sessionPoll)
}

// rejectedRecords remembers which records the API server has rejected, so that a
// large one is not sent with every reconcile. The zero value is empty.
type rejectedRecords struct {
	mu   sync.Mutex
	seen map[types.UID]map[attempt]time.Time
}

// attempt is a record in an object, as far as the API server's answer depends on
// them.
type attempt struct{ granted, former, total int }

func attemptOf(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) attempt {
	return attempt{reconcile.Size(record.Granted), len(record.Revoking), sizeWith(access, record)}
}

func (m *rejectedRecords) has(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.seen[access.UID]) == 0 {
		return false
	}
	at, ok := m.seen[access.UID][attemptOf(access, record)]
	return ok && now.Before(at.Add(reconcile.RejectedDelay))
}

func (m *rejectedRecords) add(access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = map[types.UID]map[attempt]time.Time{}
	}
	if m.seen[access.UID] == nil {
		m.seen[access.UID] = map[attempt]time.Time{}
	}
	m.seen[access.UID][attemptOf(access, record)] = now
}

func (m *rejectedRecords) forget(uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seen, uid)
}
