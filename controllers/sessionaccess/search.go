package sessionaccess

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// search is the result of one search for the open sessions of lost grants, in all their
// accounts.
type search struct {
	// outcome is Ending where some region is searched.
	outcome v1alpha1.SessionsOutcome
	// unchecked: in another region sessions cannot be listed, and need not be.
	unchecked bool
	// open sessions that must end. unrecorded are those that were not ended yet, because
	// their ids are not stored.
	open, unrecorded []openSession
	passes           []passing
	// spared are sessions on record that need not end any more.
	spared []string
	// failures are the regions that could not be searched, unended what could not be ended.
	failures, unended []failure
	// postponed: some region was left out, so that its answer keeps no other waiting.
	postponed bool
	// seen is when the first call to AWS was made.
	seen time.Time
	// held is why the sessions of some account cannot be ended now; nil otherwise.
	held *progress
}

// covers reports whether the search covered everything: a session that it did not find is
// gone.
func (s *search) covers() bool { return s.held == nil && !s.postponed && len(s.failures) == 0 }

// endOpen looks for the open sessions that lost grants covered, region by region, and ends
// what it finds in a region before it looks at the next, as far as isRecorded allows. The
// regions whose last answer failed or took long are the last, and wait for the next search
// while there is something to record. A record nearly always covers one account;
// recreating an AWSAccount with another account id leaves two.
func (v revocation) endOpen(ctx context.Context, ending []v1alpha1.ResolvedGrant, underWay bool, isRecorded func(id string) bool) (search, error) {
	s := search{outcome: v1alpha1.SessionsLeft, seen: v.Clock.Now()}
	ctx = cloud.WithPriority(ctx, cloud.Revocation)
	regions := v.regions(ending, underWay, &s)
	var ends sync.WaitGroup // A call that hangs keeps no other region waiting.
	defer ends.Wait()
	var hurry atomic.Bool // There are sessions to record, which end with the next search.
	unended := make([][]failure, len(regions))
	for i, region := range regions {
		if region.slow && len(s.unrecorded) > 0 {
			s.postponed = true
			if region.why != nil {
				s.failures = append(s.failures, region.unlisted(region.why))
			}
			continue
		}
		begun := v.Clock.Now()
		f, err := region.run(ctx)
		if err != nil {
			return s, err
		}
		all := slices.Clone(f.open)
		open := v.bound(f.open, len(regions))
		s.open = append(s.open, open...)
		s.passes = append(s.passes, f.passes...)
		s.spared = append(s.spared, f.spared...)
		s.failures = append(s.failures, f.failures...)
		if f.seen.Before(s.seen) {
			s.seen = f.seen
		}
		now, later := split(open, isRecorded)
		if len(later) == 0 && v.isSettled() {
			now = append(now, beyond(all, open)...)
		}
		s.unrecorded = append(s.unrecorded, later...)
		if len(later) > 0 {
			hurry.Store(true)
		}
		took := v.Clock.Since(begun)
		ends.Go(func() {
			var slowest time.Duration
			unended[i], slowest = v.endIn(ctx, now, &hurry)
			v.Sessions.searched(region.place(), max(took, slowest))
		})
	}
	ends.Wait()
	s.unended = slices.Concat(unended...)
	return s, ctx.Err()
}

// isSettled reports whether the consistency window of a revocation is over.
func (v revocation) isSettled() bool {
	record := v.Status
	return record != nil && record.CompletedAt == nil && !record.PermissionGoneAt.IsZero() &&
		!v.Clock.Now().Before(record.PermissionGoneAt.Add(cloud.ConsistencyWindow))
}

// beyond are sessions for which the record has no room, because those that it has do not
// end. They are not counted; that they end comes first.
func beyond(all, recorded []openSession) []openSession {
	rest := slices.DeleteFunc(all, func(s openSession) bool {
		return slices.ContainsFunc(recorded, func(r openSession) bool { return r.ID == s.ID })
	})
	return rest[:min(len(rest), grants.MaxEnding)]
}

// split parts the sessions that may be ended from the others.
func split(open []openSession, isRecorded func(id string) bool) (now, later []openSession) {
	for _, session := range open {
		if isRecorded(session.ID) {
			now = append(now, session)
		} else {
			later = append(later, session)
		}
	}
	return now, later
}

// regions are the regions to search, those that are slow at last. It notes the accounts and
// regions where nothing can be searched.
func (v revocation) regions(ending []v1alpha1.ResolvedGrant, underWay bool, s *search) []regionSearch {
	var regions []regionSearch
	after := v.listedAfter() // The loss of the permission is before this search, and rounded up.
	if after.After(s.seen) {
		after = s.seen
	}
	for _, id := range accountsOf(ending) {
		account, ok := v.Accounts.Get(id)
		switch {
		case !ok:
			s.held = &progress{verdict: accountNotReady(v.AccountName)}
			continue
		case account.Mode == v1alpha1.ModeObserve && (underWay || v.WasGranted):
			// The permission went under Enforce, and these sessions with it, or it went by
			// a process that ended before it could record that.
			s.held = &progress{verdict: observing(account)}
			continue
		case account.Mode == v1alpha1.ModeObserve:
			continue // Nothing was granted, so no access is lost.
		}
		lost := grants.InAccount(ending, id)
		for _, region := range regionsOf(lost) {
			if account.SessionTermination == v1alpha1.TerminationBestEffort && account.NeverListed[region] {
				s.unchecked = true
				continue
			}
			r := regionSearch{revocation: v, account: account, region: region, lost: lost, after: after}
			r.slow, r.why = v.Sessions.isSlow(r.place())
			regions = append(regions, r)
		}
	}
	switch {
	case len(regions) > 0:
		s.outcome = v1alpha1.SessionsEnding
	case s.unchecked:
		s.outcome = v1alpha1.SessionsNotChecked
	}
	slices.SortStableFunc(regions, func(a, b regionSearch) int {
		switch {
		case a.slow == b.slow:
			return 0
		case a.slow:
			return 1
		default:
			return -1
		}
	})
	return regions
}

// bound takes as many sessions as one pass ends, those on record first: one that
// fell out of the list would be counted as ended. Each region has a share of its own,
// so that one whose sessions do not end leaves room to the others.
func (v revocation) bound(open []openSession, regions int) []openSession {
	slices.SortStableFunc(open, func(a, b openSession) int { return v.rank(a) - v.rank(b) })
	share, taken := max(1, v.EndsAtOnce/max(1, regions)), map[place]int{}
	open = slices.DeleteFunc(open, func(s openSession) bool {
		at := place{s.accountID, s.region}
		taken[at]++
		return taken[at] > share
	})
	return open[:min(len(open), grants.MaxEnding)]
}

func (v revocation) rank(s openSession) int {
	if v.onRecord(s.ID) {
		return 0
	}
	return 1
}

// terminating leaves out the grants whose sessions are to be left. A guardrail
// that forbids leaving them holds for grants that were made before it, too, and so
// does the object's own last word that they are to end.
func (v revocation) terminating(ctx context.Context, lost []v1alpha1.ResolvedGrant) ([]v1alpha1.ResolvedGrant, error) {
	leaves := func(g v1alpha1.ResolvedGrant) bool { return g.OnRevoke == v1alpha1.RevokeLeaveSessions }
	if v.EndsSessions || !slices.ContainsFunc(lost, leaves) {
		return lost, nil
	}
	in, err := accounts.Gather(ctx, v.Client, v.AccountName, v.Origin.Namespace)
	if err != nil {
		return nil, err
	}
	if in.Account != nil && slices.ContainsFunc(in.Rules(), func(rule *v1alpha1.Guardrail) bool { return rule.ForbidLeaveSessions }) {
		return lost, nil
	}
	return slices.DeleteFunc(slices.Clone(lost), leaves), nil
}

func observing(account accounts.Entry) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonObserved,
		Message: "The permission is gone, but AWSAccount \"" + account.Name + "\" is in mode Observe since, so open sessions that it covered are not ended. Set mode: Enforce to have them ended.",
	}
}
