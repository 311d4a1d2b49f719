package reachability

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/reachability/check"
)

var silent = failingCheck(check.CheckLogGroup, check.NotChecked, check.ReadFailed)

func TestAnAnswerThatFailedTurnsNoVerdictAround(t *testing.T) {
	clock := clocktesting.NewFakePassiveClock(time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC))
	r := Reconciler{Clock: clock, ResyncInterval: 5 * time.Minute, Reports: grants.NewReachabilityStore(func(...types.NamespacedName) {})}
	look := func(serial int64, found []finding) grants.Reachability {
		report := r.kept("access", report(serial, found, meant{}))
		r.Reports.Put("access", types.NamespacedName{}, report)
		clock.SetTime(clock.Now().Add(5 * time.Minute))
		return report
	}
	for _, step := range []struct {
		found  []finding
		serial int64
		reason string
		older  bool
	}{
		{of(1, up, silent), 1, "ReadFailed", false},
		{of(1, up, silent), 1, "ReadFailed", false},
		{of(1, up, noGroup), 1, "LogGroupNotFound", false},
		{of(1, up, silent), 1, "LogGroupNotFound", true},
		{of(1, up, silent), 1, "LogGroupNotFound", true},
		// After that long the state is unknown.
		{of(1, up, silent), 1, "ReadFailed", false},
		{of(1, up), 1, "TargetsConnected", false},
		{of(1, up, silent), 1, "TargetsConnected", true},
		// Another record is another matter, and so are other nodes and others connected.
		{of(1, up, silent), 2, "ReadFailed", false},
		{of(2, up), 2, "TargetsConnected", false},
		{of(1, up, silent), 2, "ReadFailed", false},
		{all(of(1, up), of(1, cut)), 2, "NotConnected", false},
		{of(2, up, silent), 2, "ReadFailed", false},
		// A known failure is reported.
		{of(1, up), 2, "TargetsConnected", false},
		{all(of(1, up, silent), of(1, cut)), 2, "NotConnected", false},
		{of(1, up, denied), 2, "PermissionMissing", false},
	} {
		got := look(step.serial, step.found)
		if got.Reason != step.reason || strings.Count(got.Message, stillHolds) > 1 || strings.Contains(got.Message, stillHolds) != step.older {
			t.Errorf("%+v: %s: %s", step, got.Reason, got.Message)
		}
	}
}
