package sessionaccess

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// A narrowing never waits for room in the object: a record that grants less, and
// at last nothing, takes its place. What the spec adds waits, and is reported.

// statusReserve is the room that a record leaves for the rest of the status:
// conditions, the states of 100 principals, and the ids of 500 sessions.
const statusReserve = 150 << 10

// recordNext stores the first of the records that may follow a judgement which
// can be stored. stored reports that one was. short says why a record that comes
// before the one that is stored now cannot be; nil where there is none.
func (r *Reconciler) recordNext(ctx context.Context, access *v1alpha1.SessionAccess, j judgement) (stored bool, short *reconcile.Verdict, err error) {
	now, record := r.Clock.Now(), access.Status.Applied
	records := ownRecords(access, j, now)
	for i, next := range records {
		if next == record {
			return false, short, nil
		}
		// The last one adds nothing that is not stored already, so it is sent at any
		// size of the object: the API server decides.
		last := i == len(records)-1
		if !last && (sizeWith(access, next) > roomFor(record, next) || r.rejected.has(access, next, now)) {
			short = cmp.Or(short, r.tooLarge(access, next))
			continue
		}
		if record == nil && !r.accountVerified(next) {
			// Nothing was written to AWS, and nothing can be: there is nothing to remember, and
			// the object can be deleted at any time.
			v := accountNotReady(access.AccountName())
			return true, nil, r.write(ctx, access.DeepCopy(), access, v)
		}
		if record == nil {
			if err := r.beginFirst(ctx, access, next); err != nil {
				return false, nil, err
			}
		} else if err := r.beginReplaced(ctx, access, record, next); err != nil {
			return false, nil, err
		}
		updated := access.DeepCopy()
		write := r.writeWhole
		if last {
			write = r.write
		}
		err = r.recordGrant(ctx, updated, next, cmp.Or(j.problem, short), write)
		if !reconcile.Rejected(err) {
			if err == nil && i == 0 {
				r.rejected.forget(access.UID)
			}
			return true, short, err
		}
		reconcile.ReportRejected(ctx, r.Client, r.Recorder, access, err) // Once for a record, and a smaller one is tried.
		r.rejected.add(access, next, now)
		access.SetFinalizers(updated.GetFinalizers())
		access.SetResourceVersion(updated.GetResourceVersion())
		short = cmp.Or(short, r.tooLarge(access, next))
	}
	return false, short, err
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
func (r *Reconciler) tooLarge(access *v1alpha1.SessionAccess, next *v1alpha1.AppliedAccess) *reconcile.Verdict {
	const kib = 1 << 10
	alone := *next
	alone.Revoking = nil
	if len(next.Revoking) > 0 && sizeWith(access, &alone) <= reconcile.MaxObject-statusReserve && !r.rejected.has(access, &alone, r.Clock.Now()) {
		return &reconcile.Verdict{
			Progress: reconcile.Working, Reason: v1alpha1.ReasonRevoking,
			Message: "What the spec allows less than before is being revoked first. The record has no room for the rest until that is complete.",
		}
	}
	return &reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonRecordTooLarge,
		Message: fmt.Sprintf("The operator cannot record what this spec resolves to: the record takes %d KiB and the spec and metadata %d KiB, and an object holds some %d KiB of both. What is allowed no longer is revoked, and nothing is added. Give fewer tags, ids, documents or regions, shorten annotations and labels, or declare several SessionAccesses.",
			reconcile.Size(next.Granted)/kib, sizeWith(access, nil)/kib, (reconcile.MaxObject-statusReserve)/kib),
	}
}

// endUnrecorded ends sessions although their ids cannot be stored. They are not
// counted; that they end comes first. It returns when to look again, which is no sooner than
// after other sessions that were told to end.
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
