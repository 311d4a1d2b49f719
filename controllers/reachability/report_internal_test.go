package reachability

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

// failingCheck is a check that did not pass.
func failingCheck(name check.Name, result check.Result, reason check.Reason) check.Check {
	return check.Check{Name: name, Result: result, Reason: reason, Message: fmt.Sprintf("It is %s.", reason), Remedy: "Mend it."}
}

var (
	up       = check.Check{Name: check.CheckConnected, Result: check.Pass, Reason: check.InOrder}
	offline  = failingCheck(check.CheckAgentOnline, check.Fail, check.AgentOffline)
	cut      = failingCheck(check.CheckConnected, check.Fail, check.NotConnected)
	hidden   = failingCheck(check.CheckConnected, check.NotChecked, check.PermissionMissing)
	starting = failingCheck(check.CheckConnected, check.NotChecked, check.InstanceStarting)
	noGroup  = failingCheck(check.CheckLogGroup, check.Fail, check.LogGroupNotFound)
	denied   = failingCheck(check.CheckLogGroup, check.NotChecked, check.PermissionMissing)
	tooOld   = failingCheck(check.CheckAgentVersion, check.Warn, check.AgentTooOld)
)

// of are n nodes with the same checks.
func of(n int, checks ...check.Check) []finding {
	found := make([]finding, n)
	for i := range found {
		found[i] = finding{Verdict: check.Verdict{Node: fmt.Sprintf("i-%s%d", checks[0].Reason, i), Checks: checks}, region: "ap-northeast-1"}
	}
	return found
}

func all(groups ...[]finding) []finding {
	var findings []finding
	for _, g := range groups {
		findings = append(findings, g...)
	}
	return findings
}

func TestOnlyWhatIsKnownToBeWrongIsFalseAndOnlyWhatIsKnownToBeRightTrue(t *testing.T) {
	for name, c := range map[string]struct {
		found  []finding
		status metav1.ConditionStatus
		reason string
		begins string
		// unknown and unjudged nodes together.
		unknown int32
	}{
		"in order":                {of(3, up), metav1.ConditionTrue, v1alpha1.ReasonTargetsConnected, "All 3 targets are connected.", 0},
		"one, in order":           {of(1, up), metav1.ConditionTrue, v1alpha1.ReasonTargetsConnected, "The target is connected.", 0},
		"one down":                {of(1, offline, cut), metav1.ConditionFalse, "AgentOffline", "The target is not connected. It is AgentOffline.", 0},
		"one unknown":             {of(1, offline, hidden), metav1.ConditionUnknown, "AgentOffline", "Of the target it is not known whether it is connected. It is AgentOffline.", 1},
		"one down, five unknown":  {all(of(6, up), of(1, offline, cut), of(5, hidden)), metav1.ConditionFalse, "AgentOffline", "1 of 12 targets is not connected. Of 5 more it is not known whether they are connected. It is AgentOffline.", 5},
		"two starting":            {all(of(1, up), of(2, starting)), metav1.ConditionUnknown, "InstanceStarting", "Of 2 of 3 targets it is not known whether they are connected. It is InstanceStarting.", 2},
		"impaired, one unknown":   {all(of(2, up, noGroup), of(1, hidden)), metav1.ConditionFalse, "LogGroupNotFound", "2 of 3 targets are connected, but sessions do not work there as their documents ask. Of 1 more it is not known whether it is connected.", 1},
		"an old agent":            {of(1, up, tooOld), metav1.ConditionFalse, "AgentTooOld", "The target is connected, but sessions do not work there as their documents ask. It is AgentTooOld.", 0},
		"not allowed":             {all(of(2, up), of(1, up, denied)), metav1.ConditionUnknown, "PermissionMissing", "All 3 targets are connected. Of 1 of 3 targets it is not known whether sessions work there as their documents ask.", 1},
		"not allowed, one broken": {all(of(1, up, noGroup), of(1, up, denied)), metav1.ConditionFalse, "LogGroupNotFound", "1 of 2 targets is connected, but", 1},
	} {
		r := report(1, c.found, meant{})
		if r.Status != c.status || r.Reason != c.reason || !strings.HasPrefix(r.Message, c.begins) || r.Targets.Unknown+r.Targets.Unjudged != c.unknown || *r.Targets.Connected+r.Targets.Unknown > *r.Targets.Total {
			t.Errorf("%s: %s, %s, %d unknown: %s", name, r.Status, r.Reason, r.Targets.Unknown, r.Message)
		}
	}
}

func TestEveryNodeOfWhichSomethingIsToldIsListedWithItsState(t *testing.T) {
	r := report(1, all(of(1, up), of(1, up, denied), of(1, up, tooOld), of(1, starting), of(1, cut)), meant{})
	var got []string
	for _, f := range r.Targets.Failing {
		got = append(got, fmt.Sprint(f.State, " ", f.Reason))
	}
	want := "NotConnected NotConnected, Unknown PermissionMissing, Unknown InstanceStarting, Impaired AgentTooOld"
	if strings.Join(got, ", ") != want || *r.Targets.Connected != 3 || r.Targets.Impaired != 1 || r.Targets.Unknown != 1 || r.Targets.Unjudged != 1 {
		t.Errorf("%q of %+v", got, r.Targets)
	}
}

// conditionLimit is how long the API lets the message of a condition be.
const conditionLimit = 32768

func TestTheMessageOfTheConditionIsBounded(t *testing.T) {
	long := failingCheck(check.CheckSessionPermissions, check.Fail, check.RolePermissionMissing)
	long.Message, long.Remedy = strings.Repeat("ü", 2*conditionLimit), strings.Repeat("é", 2*conditionLimit)
	r := report(1, of(30, up, long), meant{more: true, denied: []string{"ec2:DescribeInstances"}})
	if n := len([]rune(r.Message)); n > 3*maxMessage || !strings.Contains(r.Message, check.RolePermissionMissing.Docs()) {
		t.Errorf("the message has %d characters", n)
	}
}

func TestAnAccessWithoutNodesSaysThatPatternsMeanThemselves(t *testing.T) {
	m := meant{literal: patternLike(map[string]string{"Name": "PCS-login*", "Env": "prod"})}
	r := report(1, nil, m)
	if r.Reason != v1alpha1.ReasonNoTargets || !strings.Contains(r.Message, "mean themselves, as in Name=PCS-login*:") || strings.Contains(r.Message, "Env") {
		t.Errorf("%s: %s", r.Reason, r.Message)
	}
	if r := report(1, nil, meant{literal: patternLike(map[string]string{"Name": "PCS-login"})}); strings.Contains(r.Message, "themselves") {
		t.Errorf("without a pattern: %s", r.Message)
	}
	if r := report(1, all(of(1, up)), m); strings.Contains(r.Message, "themselves") {
		t.Errorf("with a node: %s", r.Message)
	}
}
