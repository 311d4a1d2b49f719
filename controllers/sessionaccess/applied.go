package sessionaccess

import (
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

const (
	// maxRevoking bounds the former grants that a record holds: one fewer than the
	// API does, so that the grant itself can always be taken away.
	maxRevoking = 63
	// maxWeight bounds their members (ids, tags, principals, documents …), each of
	// about 25 bytes: etcd takes objects of 1.5 MiB at most.
	maxWeight = 20_000
)

// full says that a record cannot hold another former grant: a further change
// waits until those that it holds are proven gone.
func full(record *v1alpha1.AppliedAccess) bool {
	if len(record.Revoking) == 0 {
		return false // Nothing would ever make room.
	}
	weight := weigh(record.Granted)
	for i := range record.Revoking {
		weight += weigh(&record.Revoking[i])
	}
	return len(record.Revoking) >= maxRevoking || weight > maxWeight
}

func weigh(g *v1alpha1.ResolvedGrant) int {
	weight := len(g.Principals) + len(g.Regions) + len(g.Documents) + len(g.SourceCIDRs)
	for _, t := range g.Targets {
		weight += len(t.InstanceIDs) + tagWeight*len(t.Tags)
	}
	for _, e := range g.ExcludedTags {
		weight += tagWeight * len(e.Values)
	}
	return weight + grants.Starts(g)
}

// tagWeight: a tag may have 384 characters, of up to four bytes.
const tagWeight = 60

// nextApplied is the record after a judgement: what is granted from now on, and
// what is still to be taken away. It returns the record it was given when
// nothing changes, and never changes it in place.
func nextApplied(record *v1alpha1.AppliedAccess, j judgement, generation int64, now time.Time) *v1alpha1.AppliedAccess {
	granted := grantedNow(record, j, now)
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
	if record.Granted != nil && !grants.Covers(granted, record.Granted) {
		if granted != nil && full(record) {
			return record
		}
		next.Revoking = withFormer(next.Revoking, record.Granted)
	}
	next.Serial++
	next.Generation = generation
	next.Granted = nil
	if granted != nil {
		next.Granted = grants.Begin(granted, record.Granted, now, nil)
	}
	return next
}

// withFormer adds a former grant to those of a record. One that is there already
// keeps the earlier starts.
func withFormer(revoking []v1alpha1.ResolvedGrant, former *v1alpha1.ResolvedGrant) []v1alpha1.ResolvedGrant {
	for i := range revoking {
		if grants.SameAccess(&revoking[i], former) {
			revoking[i] = *grants.Earlier(&revoking[i], former)
			return revoking
		}
	}
	return append(revoking, *former.DeepCopy())
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
			granted = grants.Intersect(granted, j.grant)
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
