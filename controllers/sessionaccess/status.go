package sessionaccess

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Complete puts into a status what every one shows beside the result of its reconcile: the
// nodes, the summary, and the conditions that are not about the progress. It makes the
// Reconciler a reconcile.Completer.
func (r *Reconciler) Complete(access *v1alpha1.SessionAccess) (afterPatch func()) {
	news := r.setReachable(access)
	access.Status.Summary = summaryOf(access)
	r.setNotices(access)
	r.setEffective(access)
	setActive(access, r.Clock.Now())
	if news == nil {
		return nil
	}
	return func() { r.announceReachable(access, news) }
}

// maxTrimmedMessage bounds the message of a condition where there is little room.
const maxTrimmedMessage = 200

// Trim leaves out of a status what is found out again: all but what is granted, what has
// to be revoked, and how far that is. It keeps the conditions of the progress, where there
// is room for them. It makes the Reconciler a reconcile.Trimmer.
func (*Reconciler) Trim(access *v1alpha1.SessionAccess) []*v1alpha1.SessionAccess {
	status := &access.Status
	bare := access.DeepCopy()
	bare.Status = v1alpha1.SessionAccessStatus{
		ObservedGeneration: v1alpha1.Unobserved, Applied: status.Applied, Revocation: status.Revocation,
	}
	slim := bare.DeepCopy()
	slim.Status.ObservedGeneration = status.ObservedGeneration
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled} {
		if c := meta.FindStatusCondition(status.Conditions, kind); c != nil {
			slim.Status.Conditions = append(slim.Status.Conditions, trimmed(*c))
		}
	}
	return []*v1alpha1.SessionAccess{slim, bare}
}

func trimmed(c metav1.Condition) metav1.Condition {
	if len(c.Message) > maxTrimmedMessage {
		c.Message = strings.ToValidUTF8(c.Message[:maxTrimmedMessage], "") + " …"
	}
	return c
}

// setNotices shows what the principals should be known for although their
// access is in place: of each sort the first.
func (r *Reconciler) setNotices(access *v1alpha1.SessionAccess) {
	var first grants.Notices
	for _, key := range grants.PrincipalKeysOf(access.Status.Applied) {
		o, _ := r.Outcomes.Get(key)
		n := o.Observed[access.UID].Notices
		first.EffectiveAccessBroader = cmp.Or(first.EffectiveAccessBroader, n.EffectiveAccessBroader)
		first.SessionPrefixOverlap = cmp.Or(first.SessionPrefixOverlap, n.SessionPrefixOverlap)
		first.GrantedElsewhere = cmp.Or(first.GrantedElsewhere, n.GrantedElsewhere)
	}
	conditions, generation := &access.Status.Conditions, access.Generation
	reconcile.SetConditionWhile(conditions, generation, v1alpha1.ConditionEffectiveAccessBroader, v1alpha1.ReasonNodeAndDocument, first.EffectiveAccessBroader)
	reconcile.SetConditionWhile(conditions, generation, v1alpha1.ConditionSessionPrefixOverlap, v1alpha1.ReasonSharedPrefix, first.SessionPrefixOverlap)
	reconcile.SetConditionWhile(conditions, generation, v1alpha1.ConditionGrantedElsewhere, v1alpha1.ReasonOtherOwner, first.GrantedElsewhere)
}

// look returns the last outcome of a principal in this process.
type look func(grants.PrincipalKey) (grants.Outcome, bool)

// principalStatuses reports each granted principal from its outcome. known is
// false while one of them has no outcome for this very record.
func principalStatuses(record *v1alpha1.AppliedAccess, uid types.UID, look look) (statuses []v1alpha1.PrincipalStatus, reasons map[string]string, known bool) {
	if record == nil || record.Granted == nil {
		return nil, nil, true
	}
	known = true
	reasons = map[string]string{}
	for _, p := range record.Granted.Principals {
		status := v1alpha1.PrincipalStatus{Kind: p.Kind, Name: p.Name, State: v1alpha1.PrincipalPending}
		o, ok := look(grants.PrincipalKeyOf(record.Granted.AccountID, p))
		observed := o.Observed[uid]
		if !ok || !observed.Included || observed.Serial != record.Serial {
			known = false
			statuses = append(statuses, status)
			continue
		}
		status.State, status.Message, status.PolicyARNs = observed.State, observed.Message, o.PolicyARNs
		reasons[nameOf(p)] = observed.Reason
		statuses = append(statuses, status)
	}
	return statuses, reasons, known
}

// ended reports whether a principal is proven to have nothing left of what a revocation
// revokes.
func ended(rev *grants.Revocation, key grants.PrincipalKey, look look) bool {
	o, ok := look(key)
	if !ok || !o.Narrowed {
		return false
	}
	observed, seen := o.Observed[rev.UID]
	if rev.Deleting {
		return seen && observed.Deleting && !observed.Included
	}
	return seen && observed.Serial == rev.Serial
}

// severity orders what may be wrong with principals: what needs a person's help
// comes before what heals by itself.
var severity = []v1alpha1.PrincipalState{
	v1alpha1.PrincipalRefused, v1alpha1.PrincipalNotFound, v1alpha1.PrincipalFailed, v1alpha1.PrincipalWouldGrant, v1alpha1.PrincipalPending,
}

// resultOf is the result for an access whose principals are known.
func resultOf(access *v1alpha1.SessionAccess, d decision, statuses []v1alpha1.PrincipalStatus, reasons map[string]string, p progress, now time.Time) reconcile.Result {
	if d.problem != nil {
		return *d.problem
	}
	for _, state := range severity {
		if v, ok := worst(statuses, reasons, state); ok {
			return v
		}
	}
	if p.result.Reason != "" {
		return p.result
	}
	if end := access.Spec.NotAfter; end != nil && !now.Before(end.Time) {
		if access.Status.Applied == nil && !access.CreationTimestamp.Before(end) {
			return reconcile.Readyf(v1alpha1.ReasonExpired,
				"notAfter (%s) was already past when this object was created, so nothing was granted; set spec.notAfter to a later time, or delete this object.", end.UTC().Format(time.RFC3339))
		}
		return reconcile.Readyf(v1alpha1.ReasonExpired,
			"The access has ended and nothing of it is left in AWS; delete this object, or set a later notAfter to grant it again.")
	}
	return reconcile.Readyf(v1alpha1.ReasonGranted, "%s", grantedMessage(statuses))
}

func grantedMessage(statuses []v1alpha1.PrincipalStatus) string {
	var permissionSets []string
	for _, s := range statuses {
		if s.Kind == v1alpha1.PrincipalPermissionSet && s.Message != "" {
			permissionSets = append(permissionSets, s.Message)
		}
	}
	message := fmt.Sprintf("The access of %s is in place.", count(len(statuses), "principal"))
	if len(permissionSets) > 0 {
		message += " " + permissionSets[0]
	}
	return message
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// worst makes a result of the principals in one state: the message of the
// first, how many more there are, and how many have the access in spite of it.
func worst(statuses []v1alpha1.PrincipalStatus, reasons map[string]string, state v1alpha1.PrincipalState) (reconcile.Result, bool) {
	var first *v1alpha1.PrincipalStatus
	n, have := 0, 0
	for i := range statuses {
		if statuses[i].State == v1alpha1.PrincipalGranted {
			have++
		}
		if statuses[i].State != state {
			continue
		}
		if n++; first == nil {
			first = &statuses[i]
		}
	}
	if first == nil {
		return reconcile.Result{}, false
	}
	reason := reasons[string(first.Kind)+"/"+first.Name]
	if reason == "" {
		reason = v1alpha1.ReasonApplying
	}
	message := first.Message
	if n > 1 {
		message = strings.TrimSpace(fmt.Sprintf("%s The same holds for %s; status.principals names each.", message, count(n-1, "other principal")))
	}
	if have > 0 {
		message = strings.TrimSpace(fmt.Sprintf("%s The access of %s is in place.", message, count(have, "other principal")))
	}
	return reconcile.Result{Phase: progressOf(state), Reason: reason, Message: message, Warns: state == v1alpha1.PrincipalNotFound}, true
}

func progressOf(state v1alpha1.PrincipalState) reconcile.Phase {
	switch state {
	case v1alpha1.PrincipalFailed:
		return reconcile.Retrying
	case v1alpha1.PrincipalPending, v1alpha1.PrincipalNotFound:
		return reconcile.Reconciling // A principal that is created later gets its access by itself.
	default:
		return reconcile.Stalled
	}
}

func applying(record *v1alpha1.AppliedAccess) reconcile.Result {
	if record == nil || record.Granted == nil {
		return revoking(grants.PrincipalKeysOf(record))
	}
	return reconcile.Reconcilingf(v1alpha1.ReasonApplying,
		"The policies of %s are being written.", count(len(record.Granted.Principals), "principal"))
}

func revoking(from []grants.PrincipalKey) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonRevoking,
		"Access that is no longer declared is being revoked from %s.", count(len(from), "principal"))
}

// setActive reports in a condition whether the grant is active now.
func setActive(access *v1alpha1.SessionAccess, now time.Time) {
	status, spec, deleting := &access.Status, &access.Spec, !access.DeletionTimestamp.IsZero()
	set := func(s metav1.ConditionStatus, reason, message string) {
		reconcile.SetCondition(&status.Conditions, access.Generation, v1alpha1.ConditionActive, s, reason, message)
	}
	switch {
	case spec.NotAfter != nil && !now.Before(spec.NotAfter.Time):
		set(metav1.ConditionFalse, v1alpha1.ReasonExpired, "notAfter has passed.")
	case deleting:
		set(metav1.ConditionFalse, v1alpha1.ReasonNotGranted, "This object is being deleted, and its access with it.")
	case status.Applied == nil || status.Applied.Granted == nil:
		set(metav1.ConditionFalse, v1alpha1.ReasonNotGranted, "Nothing is granted; condition Ready says why.")
	case onlyObserved(status.Principals):
		set(metav1.ConditionFalse, v1alpha1.ReasonObserved, "The AWSAccount is in mode Observe, and nothing of this was granted before.")
	case nobodyHas(status.Principals):
		set(metav1.ConditionFalse, v1alpha1.ReasonNotGranted, "No principal has anything of this; condition Ready says why.")
	case spec.NotBefore != nil && now.Before(spec.NotBefore.Time):
		set(metav1.ConditionFalse, v1alpha1.ReasonNotYetValid, "notBefore has not come; AWS denies until then.")
	default:
		set(metav1.ConditionTrue, v1alpha1.ReasonInForce, "The access is in force at present.")
	}
}

// nobodyHas reports whether every principal was refused, or does not exist.
func nobodyHas(principals []v1alpha1.PrincipalStatus) bool {
	return len(principals) > 0 && !slices.ContainsFunc(principals, func(p v1alpha1.PrincipalStatus) bool {
		return p.State != v1alpha1.PrincipalRefused && p.State != v1alpha1.PrincipalNotFound
	})
}

// onlyObserved reports whether nothing of a grant is in AWS, since nothing is written.
func onlyObserved(principals []v1alpha1.PrincipalStatus) bool {
	observed := false
	for _, p := range principals {
		if p.State == v1alpha1.PrincipalGranted {
			return false
		}
		observed = observed || p.State == v1alpha1.PrincipalWouldGrant
	}
	return observed
}

// nextWake is how long until time alone changes what an access is; zero for never.
// What is granted may end before the spec does, which waits for something.
func nextWake(access *v1alpha1.SessionAccess, now time.Time) (after time.Duration) {
	times := []*metav1.Time{access.Spec.NotBefore, access.Spec.NotAfter}
	if record := access.Status.Applied; record != nil && record.Granted != nil {
		times = append(times, record.Granted.NotBefore, record.Granted.NotAfter)
	}
	for _, at := range times {
		if at != nil && now.Before(at.Time) {
			after = soonest(after, at.Sub(now))
		}
	}
	return after
}
