package sessionaccess

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

const (
	// sessionPoll is how long after it ended sessions the operator lists them again.
	sessionPoll = 5 * time.Second
	// afterRecording is how soon the operator ends sessions after it recorded their ids: when
	// the cache has the record.
	afterRecording = 100 * time.Millisecond
)

// revocation is one pass over the open sessions of grants whose permission is
// gone. It keeps its progress in the Revocation.
type revocation struct {
	*Reconciler
	*grants.Revocation
	// unread is what could not be read before in the same reconcile.
	unread unread
}

// progress says how far a revocation is.
type progress struct {
	// done: nothing is left to do.
	done bool
	// requeueAfter is when to look again, where it is not done.
	requeueAfter time.Duration
	result       reconcile.Result
	// unrecorded are sessions that end once their ids are stored.
	unrecorded []openSession
}

// step takes the revocation a step further and keeps its record in the status, which the
// caller writes. The operator ends a session only once its id is in the record, so that
// the session is counted although a later write fails.
func (v revocation) step(ctx context.Context) (progress, error) {
	now := v.Clock.Now()
	record, underWay := v.begin()
	if record.PermissionGoneAt.IsZero() {
		// Stored to the second, so rounded up: the window must not be cut short.
		record.PermissionGoneAt = metav1.NewTime(now.Add(time.Second).Truncate(time.Second))
	}
	ending, err := v.terminating(ctx, v.Lost)
	if err != nil {
		return progress{}, err
	}
	s, err := v.endOpen(ctx, ending, underWay, v.alreadyEnding)
	if err != nil {
		return progress{}, err
	}
	if s.covers() && s.outcome != v1alpha1.SessionsEnding {
		return v.complete(record, s.outcome, now), nil
	}
	known := v.keep(record, &s)
	s.failures = append(s.failures, s.unended...)
	if !known {
		result := endingSessions(len(s.open))
		if len(s.failures) > 0 {
			result = unlisted(s.failures)
		}
		return progress{requeueAfter: afterRecording, result: result, unrecorded: s.unrecorded}, nil
	}
	waiting, err := v.pass(ctx, s.passes)
	if err != nil || ctx.Err() != nil {
		return progress{}, errors.Join(err, ctx.Err())
	}
	return v.nextStep(record, s, waiting, now), nil
}

// nextStep decides on the next step of a revocation once the sessions that were found
// have been sent their end.
func (v revocation) nextStep(record *v1alpha1.RevocationStatus, s search, waiting bool, now time.Time) progress {
	settled := record.PermissionGoneAt.Add(awsclient.ConsistencyWindow)
	switch {
	case s.blocked != nil && len(s.open) > 0:
		return progress{requeueAfter: sessionPoll, result: s.blocked.result}
	case s.blocked != nil:
		return *s.blocked
	case len(s.failures) > 0 && len(s.open) > 0:
		return progress{requeueAfter: sessionPoll, result: unlisted(s.failures)}
	case len(s.failures) > 0:
		return progress{requeueAfter: unlistedRetry, result: unlisted(s.failures)}
	case len(s.open) > 0:
		return progress{requeueAfter: sessionPoll, result: endingSessions(len(s.open))}
	case waiting:
		return progress{requeueAfter: afterRecording, result: endingSessions(0)}
	case s.seen.Before(settled):
		return progress{requeueAfter: settled.Sub(now), result: endingSessions(0)}
	case s.unchecked:
		return v.complete(record, v1alpha1.SessionsNotChecked, now)
	default:
		return v.complete(record, v1alpha1.SessionsEnded, now)
	}
}

// endEarly ends sessions of lost grants to the principals that have lost their permission,
// while others of the same revocation are stuck. after is when to continue. It looks again as
// long as they are stuck, for sessions that AWS lets in before it has taken in that the
// permission is gone. The sessions are recorded as in step, and are counted once the
// permission of all is gone: before, a session that is not found may be one of a principal
// that a later search covers.
func (v revocation) endEarly(ctx context.Context, lost []v1alpha1.ResolvedGrant) (after time.Duration, unrecorded []openSession) {
	s, err := v.endLost(ctx, lost, v.alreadyEnding)
	if err == nil && len(s.open)+len(s.failures) > 0 {
		record, _ := v.begin()
		s.postponed = true // Those of the stuck principals are.
		if known := v.keep(record, &s); !known {
			return afterRecording, s.unrecorded
		}
	}
	if err = errors.Join(err, failed(s.failures), failed(s.unended)); err != nil {
		log.FromContext(ctx).Info("Open sessions could not be ended yet", "error", err.Error())
		return unlistedRetry, nil
	}
	if len(s.open) > 0 {
		return sessionPoll, nil
	}
	return awsclient.ConsistencyWindow, nil
}

// begin starts the record of this revocation, or takes up the one that is under
// way. One of an earlier serial that was not completed is under way, too.
func (v revocation) begin() (record *v1alpha1.RevocationStatus, underWay bool) {
	record = v.Status
	if record == nil || record.CompletedAt != nil || record.Serial != v.StatusSerial() {
		var ended int32
		var ending []string
		if record != nil && record.CompletedAt == nil { // It continues with this one.
			ended, ending, underWay = *record.SessionsEnded, record.Ending, true
		}
		record = &v1alpha1.RevocationStatus{
			Serial: v.StatusSerial(), Sessions: v1alpha1.SessionsEnding, SessionsEnded: &ended, Ending: ending,
		}
		v.Status = record
		return record, underWay
	}
	return record, true
}

// beginRevocation starts the record of a revocation before the first call to AWS, where an
// account revokes access now. Mode Observe, or a crash, may intervene before the search
// for sessions.
func (r *Reconciler) beginRevocation(access *v1alpha1.SessionAccess) {
	rev := grants.RevocationOf(access)
	if slices.ContainsFunc(rev.Lost, func(g v1alpha1.ResolvedGrant) bool {
		account, ok := r.Accounts.Get(g.AccountID)
		return ok && account.Mode != v1alpha1.ModeObserve
	}) {
		revocation{Reconciler: r, Revocation: &rev}.begin()
		access.Status.Revocation = rev.Status
	}
}

// alreadyEnding reports whether a session was found to have lost its permission by this
// revocation.
func (v revocation) alreadyEnding(session string) bool {
	record := v.Status
	return record != nil && record.CompletedAt == nil && slices.Contains(record.Ending, session)
}

// listedAfter is the time after which a list of sessions must have begun to be of use:
// the loss of the permission and, once the window is over, the end of the window. It is
// now while the loss of the permission is not recorded.
func (v revocation) listedAfter() time.Time {
	now, record := v.Clock.Now(), v.Status
	if record == nil || record.CompletedAt != nil || record.Serial != v.StatusSerial() || record.PermissionGoneAt.IsZero() {
		return now
	}
	if settled := record.PermissionGoneAt.Add(awsclient.ConsistencyWindow); !now.Before(settled) {
		return settled
	}
	return record.PermissionGoneAt.Time
}

func (v revocation) complete(record *v1alpha1.RevocationStatus, outcome v1alpha1.SessionsOutcome, now time.Time) progress {
	at := metav1.NewTime(now).Rfc3339Copy()
	record.Sessions, record.CompletedAt, record.Incomplete = outcome, &at, nil
	return progress{done: true}
}

// endSessions ends sessions. AWS answers success whatever the session is, so the operator
// lists them again. A session for which that fails keeps no other open.
func endSessions(ctx context.Context, open []openSession) []failure {
	var failures []failure
	for _, s := range open {
		log.FromContext(ctx).Info("Ending a session that lost its permission", "session", s.ID, "region", s.region)
		if err := s.in.TerminateSession(awsclient.WithPriority(ctx, awsclient.Revocation), s.ID); err != nil {
			failures = append(failures, failure{
				accountID: s.accountID, region: s.region, err: fmt.Errorf("end session %s in %s: %w", s.ID, s.region, err),
			})
		}
	}
	return failures
}

// maxSlow is how many calls that take long end the work on a region until the next search.
const maxSlow = 3

// endIn ends sessions of one region. It leaves the rest to the next search once calls take
// long, at the first such call where a revocation waits for this search to end. Another order
// each time then gives all of them their turn. slowest is how long a call took.
func (v revocation) endIn(ctx context.Context, open []openSession, hurry *atomic.Bool) (failures []failure, slowest time.Duration) {
	if len(open) > 0 {
		if slow, _ := v.Sessions.isSlow(place{open[0].accountID, open[0].region}); slow {
			rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] }) //nolint:gosec // The order is no secret.
		}
	}
	slow := 0
	for i := range open {
		begun := v.Clock.Now()
		failures = append(failures, endSessions(ctx, open[i:i+1])...)
		took := v.Clock.Since(begun)
		if slowest = max(slowest, took); took > reuse {
			slow++
		}
		if slow >= maxSlow || slow > 0 && hurry.Load() {
			break
		}
	}
	return failures, slowest
}

// keep puts the result of a search into the record. known reports whether all sessions
// that are open were in it already.
func (v revocation) keep(record *v1alpha1.RevocationStatus, s *search) (known bool) {
	record.Incomplete = incompleteIn(slices.Concat(s.failures, s.unended))
	record.Ending = slices.DeleteFunc(slices.Clone(record.Ending), func(id string) bool { return slices.Contains(s.spared, id) })
	if s.covers() {
		return tally(record, s.open, 0)
	}
	return tally(record, s.open, v.EndsAtOnce) // A session that is not found may be where the search failed.
}

// tally puts the sessions that are open into the record, and counts those of the record
// that are gone. As many as room lets the record hold stay in it instead, uncounted: 0
// where the search covered all principals. known reports whether all that are open were
// in it already.
func tally(record *v1alpha1.RevocationStatus, open []openSession, room int) (known bool) {
	ids := make([]string, 0, len(open))
	for _, s := range open {
		ids = append(ids, s.ID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	known = !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(record.Ending, id) })
	var missing []string
	for _, id := range record.Ending {
		if !slices.Contains(ids, id) {
			missing = append(missing, id)
		}
	}
	if len(ids)+len(missing) > room {
		*record.SessionsEnded += int32(len(missing)) // At most 500.
	} else {
		ids = append(ids, missing...)
	}
	record.Ending = ids
	return known
}

// openSession is an open session that has lost its permission.
type openSession struct {
	ssm.Session
	accountID, region string
	in                ssm.Region
}

func namesGroup(g v1alpha1.ResolvedGrant) bool {
	return slices.ContainsFunc(g.Principals, func(p v1alpha1.Principal) bool { return p.Kind == v1alpha1.PrincipalGroup })
}

func regionsOf(lost []v1alpha1.ResolvedGrant) []string {
	var regions []string
	for _, g := range lost {
		for _, r := range g.Regions {
			regions = append(regions, string(r))
		}
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

func endingSessions(open int) reconcile.Result {
	message := "The revoked permission is gone. Open sessions are listed once more, for those that began while AWS was still taking it in."
	if open > 0 {
		message = fmt.Sprintf("The revoked permission is gone. Open sessions that it covered are being ended: %d.", open)
	}
	return reconcile.Reconcilingf(v1alpha1.ReasonEndingSessions, "%s", message)
}

// unlistedRetry is how soon the operator lists sessions again where that failed.
const unlistedRetry = time.Minute
