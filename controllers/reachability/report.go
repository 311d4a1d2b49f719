package reachability

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/targets"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reach"
	"github.com/ssm-access-operator/ssm-access-operator/internal/survey"
)

// maxFailing bounds the nodes that a status lists, as the API does, and
// maxMessage their texts.
const (
	maxFailing = 20
	maxMessage = 1000
)

// report sums up what was found on the nodes of an access.
func report(serial int64, findings []finding, m meant) targets.Report {
	verdicts := make([]reach.Verdict, len(findings))
	for i := range findings {
		verdicts[i] = findings[i].Verdict
	}
	s := reach.Summarize(verdicts)
	r := targets.Report{Serial: serial, Targets: statusOf(&s, findings, m.more || len(m.denied) > 0)}
	r.Status, r.Reason, r.Message = conditionOf(&s)
	if len(m.denied) > 0 {
		r.Status, r.Reason, r.Message = unfound(r, s.Total, m.denied)
	}
	if m.more {
		r.Message += fmt.Sprintf(" Of the nodes with the same tags in a region, %d are looked at, and there are more.", survey.MaxSelected)
	}
	r.Message += unchecked(r.Message, findings)
	return r
}

// unfound tells that nodes may be meant that nobody could look for. Of those it
// cannot be told whether they are connected, so that all are is not said.
func unfound(r targets.Report, total int, denied []string) (status metav1.ConditionStatus, reason, message string) {
	needs := strings.Join(denied, ", ")
	if total == 0 {
		return metav1.ConditionUnknown, string(reach.PermissionMissing), fmt.Sprintf("Which nodes are meant cannot be told without %s; allow it to the operator's role. See %s.", needs, reach.PermissionMissing.Docs())
	}
	others := fmt.Sprintf("There may be more nodes with the tags: to find them all, the operator's role needs %s.", needs)
	if r.Status == metav1.ConditionTrue {
		return metav1.ConditionUnknown, string(reach.PermissionMissing), fmt.Sprintf("What was found is connected, %s. %s See %s.", counted(total), others, reach.PermissionMissing.Docs())
	}
	return r.Status, r.Reason, r.Message + " " + others
}

func counted(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

// unchecked tells what could not be checked for want of permission, where the
// message does not yet: what was not checked is not in order for that.
func unchecked(message string, findings []finding) string {
	var actions []string
	for i := range findings {
		actions = append(actions, findings[i].missing...)
	}
	slices.Sort(actions)
	actions = slices.DeleteFunc(slices.Compact(actions), func(action string) bool { return strings.Contains(message, action) })
	if len(actions) == 0 {
		return ""
	}
	return fmt.Sprintf(" Some checks were not made: they need %s.", strings.Join(actions, ", "))
}

func statusOf(s *reach.Summary, findings []finding, more bool) *v1alpha1.TargetsStatus {
	return &v1alpha1.TargetsStatus{
		Total: new(int32(s.Total)), Connected: new(int32(s.Connected)), Unknown: int32(s.Unknown), Impaired: int32(s.Impaired),
		Incomplete: more, Failing: failing(findings),
	}
}

// urgency orders the nodes that are listed.
var urgency = []v1alpha1.TargetState{v1alpha1.TargetNotConnected, v1alpha1.TargetUnknown, v1alpha1.TargetImpaired}

// failing lists the first nodes that are not as they should be.
func failing(findings []finding) []v1alpha1.FailingTarget {
	var list []v1alpha1.FailingTarget
	for i := range findings {
		if t, told := failingTarget(&findings[i]); told {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b v1alpha1.FailingTarget) int {
		return cmp.Compare(slices.Index(urgency, a.State), slices.Index(urgency, b.State))
	})
	return list[:min(len(list), maxFailing)]
}

func failingTarget(f *finding) (v1alpha1.FailingTarget, bool) {
	first, told := f.First()
	if !told {
		return v1alpha1.FailingTarget{}, false
	}
	t := v1alpha1.FailingTarget{
		ID: f.Node, Region: v1alpha1.Region(f.region), State: v1alpha1.TargetNotConnected,
		Check: string(first.Name), Reason: string(first.Reason), Message: shorten(first.Message), Remedy: shorten(first.Remedy),
	}
	switch reached, known := f.Reached(); {
	case !known:
		t.State = v1alpha1.TargetUnknown
	case reached:
		t.State = v1alpha1.TargetImpaired
	}
	return t, true
}

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) <= maxMessage {
		return text
	}
	return string(runes[:maxMessage-1]) + "…"
}

// conditionOf is the condition TargetsReachable.
func conditionOf(s *reach.Summary) (status metav1.ConditionStatus, reason, message string) {
	cause, failed := commonest(s.Causes)
	switch {
	case s.Total == 0:
		return metav1.ConditionUnknown, v1alpha1.ReasonNoTargets, "No node with the tags, or of the HybridActivation, was found in the regions of the access; correct the targets, or wait for nodes to come."
	case failed:
		return metav1.ConditionFalse, string(cause.Reason), toldOf(cause, fmt.Sprintf("%s not connected.", ofTargets(s.Total-s.Connected, s.Total)), s.Total-s.Connected)
	case s.Unknown > 0:
		cause := s.Causes[0]
		return metav1.ConditionUnknown, string(cause.Reason), toldOf(cause, fmt.Sprintf("Of %d of %d targets it cannot be told whether they are connected.", s.Unknown, s.Total), s.Unknown)
	case s.Impaired > 0:
		cause := s.Impairments[0]
		return metav1.ConditionFalse, string(cause.Reason), toldOf(cause, fmt.Sprintf("%s connected, but sessions do not work there as their documents ask.", ofTargets(s.Impaired, s.Total)), s.Impaired)
	case s.Total == 1:
		return metav1.ConditionTrue, v1alpha1.ReasonTargetsConnected, "The target is connected."
	default:
		return metav1.ConditionTrue, v1alpha1.ReasonTargetsConnected, fmt.Sprintf("All %d targets are connected.", s.Total)
	}
}

// commonest is the commonest cause that is known to be one.
func commonest(causes []reach.Cause) (reach.Cause, bool) {
	for _, c := range causes {
		if c.Check.Result == reach.Fail {
			return c, true
		}
	}
	return reach.Cause{}, false
}

func ofTargets(n, total int) string {
	switch {
	case total == 1:
		return "The target is"
	case n == 1:
		return fmt.Sprintf("1 of %d targets is", total)
	default:
		return fmt.Sprintf("%d of %d targets are", n, total)
	}
}

// toldOf tells the commonest cause of n nodes, by the first that has it.
func toldOf(c reach.Cause, begin string, n int) string {
	parts := []string{begin}
	if n > c.Count {
		parts = append(parts, fmt.Sprintf("The commonest cause is that of %d:", c.Count))
	}
	parts = append(parts, c.Check.Message, c.Check.Remedy, fmt.Sprintf("See %s; status.targets lists the nodes.", c.Reason.Docs()))
	return strings.Join(parts, " ")
}

// notLookedAt tells that an account could not be looked at for too long.
func notLookedAt(access *v1alpha1.SessionAccess) targets.Report {
	return targets.Report{
		Serial: access.Status.Applied.Serial, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotLookedAt,
		Message: fmt.Sprintf("The nodes could not be looked at for %d resyncs, so what was known of them holds no more; AWSAccount %q tells why.", staleAfter, access.Spec.AccountRef.Name),
	}
}
