package reachability

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/collect"
)

// maxFailing bounds the nodes that a status lists, as the API does. maxMessage bounds the
// message on each node, and that on the commonest cause in the condition.
const (
	maxFailing = 20
	maxMessage = 1000
)

// report sums up what was found on the nodes of an access.
func report(serial int64, findings []finding, m meant) grants.Reachability {
	verdicts := make([]check.Verdict, len(findings))
	for i := range findings {
		verdicts[i] = findings[i].Verdict
	}
	s := check.Summarize(verdicts)
	r := grants.Reachability{Serial: serial, Targets: statusOf(&s, findings, m.more || len(m.denied) > 0)}
	r.Status, r.Reason, r.Message = conditionOf(&s)
	if s.Total == 0 && len(m.literal) > 0 {
		r.Message += fmt.Sprintf(" The characters *, ? and $ in the value of a tag mean themselves, as in %s: name each value in a target of its own, or give the nodes a tag that they share.", shorten(strings.Join(m.literal, ", ")))
	}
	if len(m.denied) > 0 {
		r.Status, r.Reason, r.Message = unfound(r, s.Total, m.denied)
	}
	if m.more {
		r.Message += fmt.Sprintf(" Of the nodes with the same tags in a region, %d are looked at, and there are more.", collect.MaxSelected)
	}
	r.Message += unchecked(r.Message, findings)
	return r
}

// unfound reports that the operator may lack the permission to find all nodes. It is
// unknown whether the others are connected, so the report does not say that all are.
func unfound(r grants.Reachability, total int, denied []string) (status metav1.ConditionStatus, reason, message string) {
	needs := strings.Join(denied, ", ")
	if total == 0 {
		return metav1.ConditionUnknown, string(check.PermissionMissing), fmt.Sprintf("Which nodes are meant cannot be determined without %s; allow it to the operator's role. See %s.", needs, check.PermissionMissing.Docs())
	}
	others := fmt.Sprintf("There may be more nodes with the tags: to find them all, the operator's role needs %s.", needs)
	if r.Status == metav1.ConditionTrue {
		return metav1.ConditionUnknown, string(check.PermissionMissing), fmt.Sprintf("What was found is connected, %s. %s See %s.", counted(total), others, check.PermissionMissing.Docs())
	}
	return r.Status, r.Reason, r.Message + " " + others
}

func counted(n int) string {
	if n == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", n)
}

// unchecked reports the checks that the operator lacked the permissions for, unless the
// message names these already: what was not checked may be out of order.
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

func statusOf(s *check.Summary, findings []finding, more bool) *v1alpha1.TargetsStatus {
	return &v1alpha1.TargetsStatus{
		Total: new(int32(s.Total)), Connected: new(int32(s.Connected)),
		Unknown: int32(s.In[check.StateUnknown].Count), Unjudged: int32(s.In[check.StateUnjudged].Count), Impaired: int32(s.In[check.StateImpaired].Count),
		Incomplete: more, Failing: failing(findings),
	}
}

// urgency orders the nodes that are listed.
var urgency = []v1alpha1.TargetState{v1alpha1.TargetNotConnected, v1alpha1.TargetUnknown, v1alpha1.TargetImpaired}

// failing lists the first nodes that are not as they should be.
func failing(findings []finding) []v1alpha1.FailingTarget {
	var list []v1alpha1.FailingTarget
	for i := range findings {
		if t, found := failingTarget(&findings[i]); found {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b v1alpha1.FailingTarget) int {
		return cmp.Compare(slices.Index(urgency, a.State), slices.Index(urgency, b.State))
	})
	return list[:min(len(list), maxFailing)]
}

func failingTarget(f *finding) (v1alpha1.FailingTarget, bool) {
	first, found := f.First()
	if !found {
		return v1alpha1.FailingTarget{}, false
	}
	t := v1alpha1.FailingTarget{
		ID: f.Node, Region: v1alpha1.Region(f.region), Kind: f.kind,
		Check: string(first.Name), Reason: string(first.Reason), Message: shorten(first.Message), Remedy: shorten(first.Remedy),
	}
	switch f.State() {
	case check.StateUnknown, check.StateUnjudged:
		t.State = v1alpha1.TargetUnknown
	case check.StateImpaired:
		t.State = v1alpha1.TargetImpaired
	case check.StateDown, check.StateInOrder: // A node in order has no entry.
		t.State = v1alpha1.TargetNotConnected
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

// conditionOf is the condition TargetsReachable. It is False only for what is known
// to be wrong, and True only where all that sessions need was found in order.
func conditionOf(s *check.Summary) (status metav1.ConditionStatus, reason, message string) {
	down, impaired, unknown, unjudged := s.In[check.StateDown], s.In[check.StateImpaired], s.In[check.StateUnknown], s.In[check.StateUnjudged]
	summary := func(status metav1.ConditionStatus, of check.Group, begin ...string) (metav1.ConditionStatus, string, string) {
		cause := of.Causes[0]
		return status, string(cause.Reason), toldOf(cause, strings.Join(begin, " "), of.Count)
	}
	others := alsoUnknown(unknown.Count)
	switch {
	case s.Total == 0:
		return metav1.ConditionUnknown, v1alpha1.ReasonNoTargets, "No node with the tags, or of the HybridActivation, was found in the regions of the access; correct the targets, or wait for nodes to come. " + see(v1alpha1.ReasonNoTargets)
	case down.Count > 0:
		return summary(metav1.ConditionFalse, down, ofTargets(down.Count, s.Total)+" not connected."+others)
	case impaired.Count > 0:
		return summary(metav1.ConditionFalse, impaired, ofTargets(impaired.Count, s.Total)+" connected, but sessions do not work there as their documents ask."+others)
	case unknown.Count > 0:
		return summary(metav1.ConditionUnknown, unknown, outOf(unknown.Count, s.Total)+" it is not known whether "+itIs(unknown.Count)+" connected.")
	case unjudged.Count > 0:
		return summary(metav1.ConditionUnknown, unjudged, connected(s.Total), outOf(unjudged.Count, s.Total)+" it is not known whether sessions work there as their documents ask.")
	default:
		return metav1.ConditionTrue, v1alpha1.ReasonTargetsConnected, connected(s.Total)
	}
}

func connected(total int) string {
	if total == 1 {
		return "The target is connected."
	}
	return fmt.Sprintf("All %d targets are connected.", total)
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

func outOf(n, total int) string {
	if total == 1 {
		return "Of the target"
	}
	return fmt.Sprintf("Of %d of %d targets", n, total)
}

func itIs(n int) string {
	if n == 1 {
		return "it is"
	}
	return "they are"
}

// alsoUnknown reports the nodes that may be down, in addition to what is wrong elsewhere.
func alsoUnknown(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" Of %d more it is not known whether %s connected.", n, itIs(n))
}

func see(reason string) string { return fmt.Sprintf("See %s.", check.Reason(reason).Docs()) }

// toldOf reports the commonest cause of n nodes, by the first that has it.
func toldOf(c check.Cause, begin string, n int) string {
	parts := []string{begin}
	if n > c.Count {
		parts = append(parts, fmt.Sprintf("The commonest cause is that of %d:", c.Count))
	}
	parts = append(parts, shorten(c.Check.Message), shorten(c.Check.Remedy), fmt.Sprintf("See %s; status.targets lists the nodes.", c.Reason.Docs()))
	return strings.Join(parts, " ")
}

// notLookedAt reports that an account could not be checked for too long.
func notLookedAt(access *v1alpha1.SessionAccess) grants.Reachability {
	return grants.Reachability{
		Serial: access.Status.Applied.Serial, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotLookedAt,
		Message: fmt.Sprintf("The nodes could not be looked at for %d resyncs, so what was known of them holds no more; AWSAccount %q says why. %s", staleAfter, access.Spec.AccountRef.Name, see(v1alpha1.ReasonNotLookedAt)),
	}
}
