package sessionaccess

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

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
		saw := o.Saw[uid]
		if !ok || !saw.Included || saw.Serial != record.Serial {
			known = false
			statuses = append(statuses, status)
			continue
		}
		status.State, status.Message, status.PolicyARNs = saw.State, saw.Message, o.PolicyARNs
		reasons[nameOf(p)] = saw.Reason
		statuses = append(statuses, status)
	}
	return statuses, reasons, known
}

// ended reports whether a principal is proven to have nothing left of what a revocation
// takes away.
func ended(rev *grants.Revocation, key grants.PrincipalKey, look look) bool {
	o, ok := look(key)
	if !ok || !o.Narrowed {
		return false
	}
	saw, seen := o.Saw[rev.UID]
	if rev.Deleting {
		return seen && saw.Deleting && !saw.Included
	}
	return seen && saw.Serial == rev.Serial
}

// severity orders what may be wrong with principals: what needs somebody's help
// comes before what heals by itself.
var severity = []v1alpha1.PrincipalState{
	v1alpha1.PrincipalRefused, v1alpha1.PrincipalNotFound, v1alpha1.PrincipalFailed, v1alpha1.PrincipalWouldGrant, v1alpha1.PrincipalPending,
}

// verdictOf judges an access whose principals are known.
func verdictOf(spec *v1alpha1.SessionAccessSpec, j judgement, statuses []v1alpha1.PrincipalStatus, reasons map[string]string, p progress, now time.Time) reconcile.Verdict {
	if j.problem != nil {
		return *j.problem
	}
	for _, state := range severity {
		if v, ok := worst(statuses, reasons, state); ok {
			return v
		}
	}
	if p.verdict.Reason != "" {
		return p.verdict
	}
	if spec.NotAfter != nil && !now.Before(spec.NotAfter.Time) {
		return reconcile.Verdict{
			Progress: reconcile.Settled, Reason: v1alpha1.ReasonExpired,
			Message: "The access has ended and nothing of it is left in AWS; delete this object, or set a later notAfter to grant it again.",
		}
	}
	return reconcile.Verdict{Progress: reconcile.Settled, Reason: v1alpha1.ReasonGranted, Message: grantedMessage(statuses)}
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

// worst makes a verdict of the principals in one state: the message of the
// first, and how many more there are.
func worst(statuses []v1alpha1.PrincipalStatus, reasons map[string]string, state v1alpha1.PrincipalState) (reconcile.Verdict, bool) {
	var first *v1alpha1.PrincipalStatus
	n := 0
	for i := range statuses {
		if statuses[i].State != state {
			continue
		}
		if n++; first == nil {
			first = &statuses[i]
		}
	}
	if first == nil {
		return reconcile.Verdict{}, false
	}
	reason := reasons[string(first.Kind)+"/"+first.Name]
	if reason == "" {
		reason = v1alpha1.ReasonApplying
	}
	message := first.Message
	if n > 1 {
		message = strings.TrimSpace(fmt.Sprintf("%s The same holds for %s; status.principals names each.", message, count(n-1, "other principal")))
	}
	return reconcile.Verdict{Progress: progressOf(state), Reason: reason, Message: message}, true
}

func progressOf(state v1alpha1.PrincipalState) reconcile.Progress {
	switch state {
	case v1alpha1.PrincipalFailed:
		return reconcile.Retrying
	case v1alpha1.PrincipalPending:
		return reconcile.Working
	default:
		return reconcile.Stuck
	}
}

func applying(record *v1alpha1.AppliedAccess) reconcile.Verdict {
	if record == nil || record.Granted == nil {
		return revoking(grants.PrincipalKeysOf(record))
	}
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonApplying,
		Message: fmt.Sprintf("The policies of %s are being written.", count(len(record.Granted.Principals), "principal")),
	}
}

func revoking(from []grants.PrincipalKey) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonRevoking,
		Message: fmt.Sprintf("Access that is no longer declared is being taken away from %s.", count(len(from), "principal")),
	}
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
		set(metav1.ConditionFalse, v1alpha1.ReasonNotGranted, "Nothing is granted; condition Ready tells why.")
	case onlyObserved(status.Principals):
		set(metav1.ConditionFalse, v1alpha1.ReasonObserved, "The AWSAccount is in mode Observe, and nothing of this was granted before.")
	case nobodyHas(status.Principals):
		set(metav1.ConditionFalse, v1alpha1.ReasonNotGranted, "No principal has anything of this; condition Ready tells why.")
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
