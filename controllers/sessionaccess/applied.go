package sessionaccess

import (
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

// nextRecords are the records that may follow a judgement, the one that it asks
// for first. The others are for where that one cannot be stored: each grants less
// and takes less room. The last grants nothing, and takes the room of what is
// stored already. One of them may be the record itself, where nothing changes.
// None is changed in place.
func nextRecords(record *v1alpha1.AppliedAccess, j judgement, generation int64, now time.Time) []*v1alpha1.AppliedAccess {
	wanted := grantedNow(record, j, now)
	next := []*v1alpha1.AppliedAccess{nextRecord(record, wanted, generation, now)}
	if wanted == nil {
		return next
	}
	if record != nil && record.Granted != nil {
		if both := grants.Intersect(record.Granted, wanted); both != nil && !grants.SameAccess(both, wanted) {
			next = append(next, nextRecord(record, keepEqual(both, record.Granted), generation, now))
		}
	}
	return append(next, nextRecord(record, nil, generation, now))
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
// to be revoked. It returns the record it was given when nothing changes.
func nextRecord(record *v1alpha1.AppliedAccess, granted *v1alpha1.ResolvedGrant, generation int64, now time.Time) *v1alpha1.AppliedAccess {
	if record == nil {
		if granted == nil {
			return nil
		}
		return &v1alpha1.AppliedAccess{Serial: 1, Generation: generation, Granted: grants.Begin(granted, nil, now, nil)}
	}
	if grants.SameAccess(record.Granted, granted) {
		return record
	}
	next := record.DeepCopy()
	next.Serial++
	next.Generation = generation
	next.Granted = nil
	if granted != nil {
		next.Granted = grants.Begin(granted, record.Granted, now, nil)
	}
	if record.Granted != nil && !grants.Covers(granted, record.Granted) {
		next.Revoking = grants.Retire(record.Revoking, record.Granted)
	}
	return next
}

// grantedNow is what a judgement grants at a moment. While the spec waits for
// something, what was granted stays, less what the spec no longer asks for or the
// guardrails no longer allow.
func grantedNow(record *v1alpha1.AppliedAccess, j judgement, now time.Time) *v1alpha1.ResolvedGrant {
	granted := j.grant
	if j.waiting {
		granted = nil
		if record != nil {
			granted = record.Granted
		}
		if granted != nil && j.grant != nil {
			if both := grants.Intersect(granted, j.grant); both != nil {
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
