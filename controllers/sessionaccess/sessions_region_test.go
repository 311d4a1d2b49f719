package sessionaccess_test

import (
	"net/http"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// twoRegions is a world with a gate before another region.
func twoRegions(t *testing.T) (world, *scenario.RegionGate) {
	t.Helper()
	w := worldOf(t, testenv.Options{})
	gate := &scenario.RegionGate{Region: scenario.OtherRegion}
	cfg := w.AWSConfig(w.Operator())
	cfg.HTTPClient = &http.Client{Transport: gate}
	w.Manager(t, testenv.ManagerOptions{AWS: &cfg})
	return w, gate
}

// incomplete waits until a revocation names a region as incomplete.
func (w world) incomplete(obj *v1alpha1.SessionAccess, name, action string) {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Revocation != nil && len(a.Status.Revocation.Incomplete) > 0
	})
	w.Must(err)
	regions := got.Status.Revocation.Incomplete
	if len(regions) != 1 || string(regions[0].Region) != name {
		w.T.Fatalf("incomplete are %+v", regions)
	}
	w.ExpectSentence(regions[0].Message, action)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, name, action)
}

func TestARegionThatCannotBeListedKeepsNoSessionOpenInTheOthers(t *testing.T) {
	w, gate := twoRegions(t)
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(scenario.InTwoRegions), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	gate.Refuse("DescribeSessions")
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(session)
	w.incomplete(grant, scenario.OtherRegion, "ssm:DescribeSessions")
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	gate.Refuse("")
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
}

// A region that hangs was not asked before the first session has ended.
func TestASessionEndsWhileAnotherRegionHangs(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: scenario.Endless})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(scenario.InTwoRegions), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	ids := w.HoldCalls(faults.Fault{Action: "ssm:DescribeSessions", Region: scenario.OtherRegion})
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(session)
	w.ReleaseCalls(ids)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
}

// The region that hangs is the first in their order.
func TestARegionThatFailedIsAskedLast(t *testing.T) {
	const first = "af-south-1"
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: scenario.Endless})
	one, two := scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user02", scenario.PC02)
	w.Create(scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = []v1alpha1.Region{first, scenario.Region} }), one, two)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	ofOne, ofTwo := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC02)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.ServerError, Action: "ssm:DescribeSessions", Region: first})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), one))
	w.AwaitSessionEnd(ofOne)
	w.incomplete(one, first, "ssm:DescribeSessions")
	ids := w.HoldCalls(faults.Fault{Action: "ssm:DescribeSessions", Region: first})
	w.Emulator.RemoveFault(fault)
	w.Must(w.Client.Delete(t.Context(), two))
	w.AwaitSessionEnd(ofTwo)
	w.ReleaseCalls(ids)
}

func TestBestEffortLeavesSessionsOnlyInRegionsThatCanNeverBeListed(t *testing.T) {
	w, gate := twoRegions(t)
	gate.Refuse("DescribeSessions")
	main := scenario.Account(scenario.InTwoRegions, func(a *v1alpha1.AWSAccount) { a.Spec.SessionTermination = v1alpha1.TerminationBestEffort })
	here, both := scenario.Access("here", "user01", scenario.PC01), scenario.Access("both", "user02", scenario.PC01)
	here.Spec.Regions = []v1alpha1.Region{scenario.Region}
	w.Create(main, here, both)
	w.AwaitAccess(here, v1alpha1.ReasonGranted)
	w.AwaitAccess(both, v1alpha1.ReasonGranted)
	got := w.AwaitAccount(main, v1alpha1.ReasonVerified)
	ever := map[v1alpha1.Region]bool{}
	for _, l := range got.Status.SessionListing {
		ever[l.Region] = *l.EverListed
	}
	scenario.ExpectEqual(t, "the regions that could be listed", ever, map[v1alpha1.Region]bool{scenario.Region: true, scenario.OtherRegion: false})
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionSessionsListable).Message, scenario.OtherRegion, "ssm:DescribeSessions")
	one, two := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	for _, grant := range []*v1alpha1.SessionAccess{here, both} {
		w.Must(w.Client.Delete(t.Context(), grant))
		w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
		w.Advance(scenario.Window, grant)
	}
	w.AwaitSessionEnd(one)
	w.AwaitSessionEnd(two)
	w.Touch(here)
	w.Touch(both)
	w.Must(testenv.WaitGone(t.Context(), w.Client, here))
	w.Must(testenv.WaitGone(t.Context(), w.Client, both))
	w.AwaitEvent(here, v1alpha1.ReasonSessionsEnded)
	w.AwaitEvent(both, v1alpha1.ReasonSessionsNotChecked)
}

func TestASessionThatCannotBeTerminatedKeepsNoOtherOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("g", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	one, two := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	// Each round tries both, and the first of them fails.
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:TerminateSession", Nth: 1})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), grant))
	w.Eventually(func() bool { return w.IsSessionOpen(one) != w.IsSessionOpen(two) })
	w.incomplete(grant, scenario.Region, "ssm:TerminateSession")
	w.Emulator.RemoveFault(fault)
	w.Touch(grant)
	w.AwaitSessionEnd(one)
	w.AwaitSessionEnd(two)
}

func TestANodeWhoseTagsCannotBeReadKeepsNoOtherSessionOpen(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	tags := map[string]string{"Role": "step"}
	w.SetNodeTags(scenario.PC01, tags)
	byID, byTag := scenario.Access("by-id", "user01", scenario.PC01), scenario.Access("by-tag", "user02")
	byTag.Spec.Targets = []v1alpha1.Target{{Tags: tags}}
	w.Create(scenario.Account(), byID, byTag)
	w.AwaitAccess(byID, v1alpha1.ReasonGranted)
	w.AwaitAccess(byTag, v1alpha1.ReasonGranted)
	one, two := w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC01)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ec2:DescribeInstances"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), byTag))
	w.incomplete(byTag, scenario.Region, "ec2:DescribeInstances")
	w.Must(w.Client.Delete(t.Context(), byID))
	w.AwaitSessionEnd(one)
	w.ExpectSessionsOpen(two)
	w.Emulator.RemoveFault(fault)
	w.Touch(byTag)
	w.AwaitSessionEnd(two)
}

// An account begins to work once its regions were asked.
func TestRegionsThatHangTakeAsLongAsOne(t *testing.T) {
	w := worldWithoutManager(t)
	ids := w.HoldCalls(faults.Fault{Action: "ssm:DescribeSessions"})
	w.Manager(t, testenv.ManagerOptions{AttemptTimeout: scenario.Endless})
	w.Create(scenario.Account(scenario.InTwoRegions))
	w.Eventually(func() bool {
		held := 0
		for _, c := range w.Emulator.CallLog(0) {
			if c.Operation == "DescribeSessions" && !c.Done { // All of them are held.
				held++
			}
		}
		return held == 2
	})
	w.ReleaseCalls(ids)
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
}
