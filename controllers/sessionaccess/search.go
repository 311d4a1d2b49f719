package sessionaccess

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
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
	passes           []inheritedSession
	// spared are sessions on record that need not end any more.
	spared []string
	// failures are the regions that could not be searched, unended what could not be ended.
	failures, unended []failure
	// postponed: some region was left out, so that its answer keeps no other waiting.
	postponed bool
	// seen is when the first call to AWS was made.
	seen time.Time
	// blocked is why the sessions of some account cannot be ended now; nil otherwise.
	blocked *progress
}

// covers reports whether the search covered everything: a session that it did not find is
// gone.
func (s *search) covers() bool { return s.blocked == nil && !s.postponed && len(s.failures) == 0 }

// endOpen looks for the open sessions that lost grants covered, region by region, and ends
// what it finds in a region before it looks at the next, as far as isRecorded allows. The
// regions whose last answer failed or took long are the last, and wait for the next search
// while there is something to record. A record nearly always covers one account;
// recreating an AWSAccount with another account id leaves two.
func (v revocation) endOpen(ctx context.Context, ending []v1alpha1.ResolvedGrant, underWay bool, isRecorded func(id string) bool) (search, error) {
	s := search{outcome: v1alpha1.SessionsLeft, seen: v.Clock.Now()}
	ctx = awsclient.WithPriority(ctx, awsclient.Revocation)
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
		!v.Clock.Now().Before(record.PermissionGoneAt.Add(awsclient.ConsistencyWindow))
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
			s.blocked = &progress{result: reconcile.AccountNotReady(v.AccountName)}
			continue
		case account.Mode == v1alpha1.ModeObserve && (underWay || v.WasGranted):
			// The permission went under Enforce, and these sessions with it, or it went by
			// a process that ended before it could record that.
			s.blocked = &progress{result: observing(account)}
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
			r := regionSearch{revocation: v, account: account, region: region, lost: lost, readAfter: after}
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
	if v.alreadyEnding(s.ID) {
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

func observing(account accounts.Entry) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonObserved,
		"The permission is gone, but AWSAccount %q is in mode Observe since, so open sessions that it covered are not ended. Set mode: Enforce to have them ended.", account.Name)
}

const (
	// maxIncomplete bounds the regions that a record names as incomplete, and
	// maxIncompleteText what it says of each, as the API does.
	maxIncomplete     = 40
	maxIncompleteText = 1024
	// maxNamed bounds the regions that a condition's message names.
	maxNamed = 3
)

// failure is what keeps a revocation from being complete in a region. It does not hold up
// the other regions.
type failure struct {
	accountID, region string
	err               error
}

// incompleteIn reports failures by region, of each the first.
func incompleteIn(failures []failure) []v1alpha1.IncompleteRegion {
	var regions []v1alpha1.IncompleteRegion
	for _, f := range failures {
		if slices.ContainsFunc(regions, func(r v1alpha1.IncompleteRegion) bool {
			return r.AccountID == f.accountID && string(r.Region) == f.region
		}) {
			continue
		}
		message := []rune(awserr.UserMessage(f.err))
		regions = append(regions, v1alpha1.IncompleteRegion{
			AccountID: f.accountID, Region: v1alpha1.Region(f.region), Message: string(message[:min(len(message), maxIncompleteText)]),
		})
	}
	slices.SortFunc(regions, func(a, b v1alpha1.IncompleteRegion) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(string(a.Region), string(b.Region)))
	})
	return regions[:min(len(regions), maxIncomplete)]
}

// unlisted reports the regions where the operator could not list or end open sessions.
func unlisted(failures []failure) reconcile.Result {
	progress := reconcile.Retrying
	for _, f := range failures {
		if awserr.Classify(f.err) != awserr.Transport {
			progress = reconcile.Stalled
		}
	}
	return reconcile.Result{
		Phase: progress, Reason: v1alpha1.ReasonEndingSessions,
		Message: "The permission is gone, but this is not complete: in some regions the operator cannot list or end open sessions. " + inRegions(incompleteIn(failures)) +
			" In all other regions they are ended. Where sessions of a region can never be listed, AWSAccount.spec.sessionTermination: BestEffort lets a revocation complete without.",
	}
}

// inRegions says of each region what is wrong.
func inRegions(regions []v1alpha1.IncompleteRegion) string {
	var texts []string
	for _, r := range regions[:min(len(regions), maxNamed)] {
		texts = append(texts, fmt.Sprintf("%s: %s", r.Region, r.Message))
	}
	if more := len(regions) - maxNamed; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more regions are in status.revocation.incomplete.", more))
	}
	return strings.Join(texts, " ")
}

// SessionCache shares what was listed among the revocations that are under way:
// two hundred objects that go at once need one list of a region, not two
// hundred.
type SessionCache struct {
	mu      sync.Mutex
	regions map[place]*regionSessions
	members map[string]*awscache.Read[struct{}] // by account id
}

type place struct{ accountID, region string }

// regionSessions is what was read of the sessions of a region.
type regionSessions struct {
	list awscache.Read[[]ssm.Session]

	mu sync.Mutex
	// long: the last search took long, for what else it read.
	long bool
}

// reuse is how old a list may be to serve another revocation.
const reuse = 2 * time.Second

// NewSessionCache returns an empty cache.
func NewSessionCache() *SessionCache {
	return &SessionCache{regions: map[place]*regionSessions{}, members: map[string]*awscache.Read[struct{}]{}}
}

// list returns the open sessions of a region from a read that began after the
// permission was removed, and when it began.
func (l *SessionCache) list(ctx context.Context, account accounts.Entry, region string, after time.Time, clk clock.PassiveClock) ([]ssm.Session, time.Time, error) {
	read, err := l.at(place{account.AccountID, region}).list.Get(ctx, clk, after.Add(1), reuse, func() ([]ssm.Session, error) {
		return account.SSM(region).ActiveSessions(ctx, ssm.SessionFilter{})
	})
	return read.Value, read.Begun, err
}

// readMembers reads IAM again where the last read began before the permission was removed: a
// user who joined a group since then had its access too.
func (l *SessionCache) readMembers(ctx context.Context, account accounts.Entry, after time.Time, clk clock.PassiveClock) error {
	_, err := l.membersOf(account.AccountID).Get(ctx, clk, after.Add(1), math.MaxInt64, func() (struct{}, error) {
		_, err := account.IAM.Cache().Refresh(ctx)
		return struct{}{}, err
	})
	return err
}

// isSlow reports whether the last read of a region failed, and why, or whether it, or the
// last search, took long. One that was not read yet counts as slow.
func (l *SessionCache) isSlow(p place) (slow bool, why error) {
	at := l.at(p)
	took, ended, err := at.list.Last()
	at.mu.Lock()
	defer at.mu.Unlock()
	return !ended || err != nil || took > reuse || at.long, err
}

// searched notes how long a search of a region took, with all that it read.
func (l *SessionCache) searched(p place, took time.Duration) {
	at := l.at(p)
	at.mu.Lock()
	defer at.mu.Unlock()
	at.long = took > reuse
}

func (l *SessionCache) at(p place) *regionSessions {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.regions[p] == nil {
		l.regions[p] = &regionSessions{}
	}
	return l.regions[p]
}

func (l *SessionCache) membersOf(accountID string) *awscache.Read[struct{}] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.members[accountID] == nil {
		l.members[accountID] = &awscache.Read[struct{}]{}
	}
	return l.members[accountID]
}
