package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// hybridNode is a node of the emulated fleet that is no EC2 instance.
const hybridNode = "mi-0a1b2c3d4e5f60718"

func accountTier(tier v1alpha1.Tier, change ...func(*v1alpha1.AccountTier)) *v1alpha1.AccountTier {
	t := &v1alpha1.AccountTier{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec:       v1alpha1.AccountTierSpec{AccountRef: v1alpha1.AccountReference{Name: "main"}, Tier: tier},
	}
	for _, c := range change {
		c(t)
	}
	return t
}

func keepTier(t *v1alpha1.AccountTier) { t.Spec.OnDelete = v1alpha1.TierKeep }

// tierWorld has an AWSAccount, and hybrid nodes in the fleet.
func tierWorld(t *testing.T, nodes int, o testenv.ManagerOptions) world {
	t.Helper()
	w := worldWithoutManager(t)
	for i := range nodes {
		id := hybridNode
		if i > 0 {
			id = fmt.Sprintf("mi-%017x", i)
		}
		w.Emulator.Account(accountID).Region(region).Fleet.Put(&fleet.Node{
			ID: id, Managed: true, Launched: w.Clock.Now(), Agent: fleet.NewAgent(fixtures.Agent{}, w.Clock.Now()),
		})
	}
	w.Manager(t, o)
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	return w
}

// tierIs waits until Ready of an AccountTier has a reason for the present
// generation.
func (w world) tierIs(obj *v1alpha1.AccountTier, reason string) *v1alpha1.AccountTier {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.AccountTier) bool {
		ready := condition(a.Status.Conditions, v1alpha1.ConditionReady)
		return ready.Reason == reason && ready.ObservedGeneration == a.Generation && a.Generation >= obj.Generation
	})
	w.must(err)
	return got
}

func (w world) regional() *ssm.Region { return w.Emulator.Account(accountID).Region(region).SSM }

// tierInAWS checks the tier that AWS uses and the status of the setting.
func (w world) tierInAWS(tier, status string) {
	w.t.Helper()
	if got, is := w.regional().Tier(), w.regional().TierStatus(); got != tier || is != status {
		w.t.Errorf("AWS has tier %s, %s; want %s, %s", got, is, tier, status)
	}
}

// untilPending waits until AWS has taken a change: that it is said to be pending
// is stored before it is sent.
func (w world) untilPending() {
	w.t.Helper()
	w.until(func() bool { return w.regional().TierStatus() == "PendingUpdate" })
}

// tierWrites counts the requests to change the tier that AWS took.
func (w world) tierWrites() int {
	n := 0
	for _, call := range w.Emulator.CallLog(0) {
		if isTierWrite(call) {
			n++
		}
	}
	return n
}

func isTierWrite(call calls.Call) bool {
	return call.Operation == "UpdateServiceSetting" || call.Operation == "ResetServiceSetting"
}

func (w world) deleteTier(obj *v1alpha1.AccountTier) {
	w.t.Helper()
	w.must(w.Client.Delete(w.t.Context(), obj))
}

func (w world) tierGone(obj *v1alpha1.AccountTier) {
	w.t.Helper()
	w.must(testenv.WaitGone(w.t.Context(), w.Client, obj))
}

func TestATierIsAdvancedAndPutBackAndNeverSentTwice(t *testing.T) {
	w := tierWorld(t, 10, testenv.ManagerOptions{})
	w.Emulator.SetTierTimes(ssm.TierTimes{Up: 5 * time.Minute, Down: 30 * time.Minute})
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	got := w.tierIs(tier, v1alpha1.ReasonTierChanging)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReconciling).Message, region, "Advanced")
	w.untilPending()
	for range 3 {
		w.advance(time.Minute, tier)
	}
	pending, err := testenv.WaitFor(t.Context(), w.Client, tier, func(a *v1alpha1.AccountTier) bool {
		return len(a.Status.Regions) == 1 && a.Status.HybridNodes != nil
	})
	w.must(err)
	if r := pending.Status.Regions[0]; r.PendingSince == nil || r.Tier != v1alpha1.TierStandard || r.ChangingTo != v1alpha1.TierAdvanced || r.EstimatedCost.USDPerMonth != "0.00" {
		t.Errorf("while it is pending the status says %+v", r)
	}
	w.advance(3*time.Minute, tier)
	got = w.tierIs(tier, v1alpha1.ReasonTierInForce)
	r := got.Status.Regions[0]
	if r.Tier != v1alpha1.TierAdvanced || r.PendingSince != nil || *r.HybridNodes != 10 || r.EstimatedCost.USDPerHour != "0.0695" || got.Status.USDPerMonth != "50.04" || *got.Status.HybridNodes != 10 {
		t.Errorf("the status says %+v and %s USD a month", r, got.Status.USDPerMonth)
	}
	if r.Before == nil || r.Before.Tier != v1alpha1.TierStandard || r.Before.Customized {
		t.Errorf("what was there before is recorded as %+v", r.Before)
	}
	w.tierInAWS("advanced", "Customized")

	w.deleteTier(tier)
	deleting := w.tierIs(tier, v1alpha1.ReasonTierChanging)
	w.sentence(condition(deleting.Status.Conditions, v1alpha1.ConditionReconciling).Message, region, "Standard")
	w.untilPending()
	w.advance(20*time.Minute, tier)
	w.tierIs(tier, v1alpha1.ReasonTierChanging)
	w.advance(11*time.Minute, tier)
	w.tierGone(tier)
	w.tierInAWS("standard", "Default")
	if n := w.tierWrites(); n != 2 {
		t.Errorf("the tier was sent %d times, want once up and once back", n)
	}
}

func TestKeepLeavesTheTierAndRestorePutsBackWhatSomebodyHadSet(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	kept := accountTier(v1alpha1.TierAdvanced, keepTier)
	w.create(kept)
	w.tierIs(kept, v1alpha1.ReasonTierInForce)
	w.deleteTier(kept)
	w.tierGone(kept)
	w.tierInAWS("advanced", "Customized")

	restored := accountTier(v1alpha1.TierStandard)
	w.create(restored)
	w.tierIs(restored, v1alpha1.ReasonTierInForce)
	w.tierInAWS("standard", "Customized")
	w.deleteTier(restored)
	w.tierGone(restored)
	w.tierInAWS("advanced", "Customized")
}

func TestATierThatIsThereAlreadyIsNotWritten(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	w.regional().SetTier(ssm.TierAdvanced)
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.deleteTier(tier)
	w.tierGone(tier)
	w.tierInAWS("advanced", "Customized")
	if n := w.tierWrites(); n != 0 {
		t.Errorf("%d writes where nothing differs", n)
	}
}

func TestTheOlderOfTwoAccountTiersWinsAndHandsOverWhatItFound(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	older := accountTier(v1alpha1.TierAdvanced)
	younger := accountTier(v1alpha1.TierStandard, func(t *v1alpha1.AccountTier) { t.Name = "zweites" })
	w.create(older)
	w.tierIs(older, v1alpha1.ReasonTierInForce)
	w.create(younger)
	got := w.tierIs(younger, v1alpha1.ReasonConflict)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"main"`, region)
	w.tierInAWS("advanced", "Customized")
	change(w, younger, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierAdvanced })
	w.deleteTier(older)
	w.tierGone(older)
	w.tierIs(younger, v1alpha1.ReasonTierInForce)
	w.tierInAWS("advanced", "Customized")
	if n := w.tierWrites(); n != 1 {
		t.Errorf("handing over took %d writes, want none besides the first", n-1)
	}
	w.deleteTier(younger)
	w.tierGone(younger)
	w.tierInAWS("standard", "Default")
}

func TestATierIsPutBackThoughARefusedOneDeclaresItsRegion(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	refused := accountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) {
		t.Name, t.Spec.Regions = "second", []v1alpha1.Region{region, "us-west-2"}
	})
	w.create(refused)
	w.tierIs(refused, v1alpha1.ReasonRegionNotAllowed)
	w.deleteTier(tier)
	w.tierGone(tier)
	w.tierInAWS("standard", "Default")
}

func TestARefusedAccountTierKeepsNoRegionFromAYoungerOne(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	refused := accountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) {
		t.Name, t.Spec.Regions = "first", []v1alpha1.Region{region, "us-west-2"}
	})
	w.create(refused)
	w.tierIs(refused, v1alpha1.ReasonRegionNotAllowed)
	younger := accountTier(v1alpha1.TierAdvanced)
	w.create(younger)
	w.tierIs(younger, v1alpha1.ReasonTierInForce)
	w.tierInAWS("advanced", "Customized")
	change(w, refused, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{region} })
	w.tierIs(refused, v1alpha1.ReasonTierInForce)
	w.tierIs(younger, v1alpha1.ReasonConflict)
	w.deleteTier(younger)
	w.tierGone(younger)
	w.deleteTier(refused)
	w.tierGone(refused)
	w.tierInAWS("standard", "Default")
}

func TestStandardWaitsForTheLastSessionAccessOnHybridNodes(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{})
	tier := accountTier(v1alpha1.TierAdvanced)
	grant := access("user01-site", "user01", hybridNode)
	w.create(tier, grant)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.accessIs(grant, v1alpha1.ReasonGranted)

	change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierStandard })
	got := w.tierIs(tier, v1alpha1.ReasonTierNeeded)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "team-a/user01-site", region, "tier: Advanced")
	change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierAdvanced })
	w.tierIs(tier, v1alpha1.ReasonTierInForce)

	w.deleteTier(tier)
	got = w.tierIs(tier, v1alpha1.ReasonTierNeeded)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "team-a/user01-site", "onDelete: Keep")
	w.tierInAWS("advanced", "Customized")
	w.must(w.Client.Delete(t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions) // It stays for a minute more,
	w.tierGone(tier)                                 // and the tier need not.
	w.tierInAWS("standard", "Default")
}

func TestStandardIsRefusedWithMoreThanAThousandNodes(t *testing.T) {
	w := tierWorld(t, 1001, testenv.ManagerOptions{ResyncInterval: testResync})
	w.regional().SetTier(ssm.TierAdvanced)
	tier := accountTier(v1alpha1.TierStandard)
	w.create(tier)
	got := w.tierIs(tier, v1alpha1.ReasonTooManyNodes)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "1001", "1000", region)
	if n := w.tierWrites(); n != 0 {
		t.Errorf("AWS was asked %d times", n)
	}
	w.Emulator.Account(accountID).Region(region).Fleet.Remove(hybridNode)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.tierInAWS("standard", "Customized")
}

func TestATierThatSomebodyChangedIsPutBackAtTheNextResync(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{ResyncInterval: testResync})
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.regional().SetTier(ssm.TierStandard)
	w.until(func() bool { return w.regional().Tier() == ssm.TierAdvanced })
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
}

func TestARegionThatIsNoLongerDeclaredIsPutBack(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	const second = "ap-northeast-3"
	main := account()
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Regions = append(a.Spec.Regions, second) })
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	other := w.Emulator.Account(accountID).Region(second).SSM
	// The regions are the AWSAccount's, and the manager may have seen the second one
	// there later. Where they are those of its own spec, Ready waits for all.
	w.until(func() bool { return other.Tier() == ssm.TierAdvanced })
	change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{region} })
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	if other.Tier() != ssm.TierStandard || other.TierStatus() != "Default" {
		t.Errorf("the region that was removed has tier %s, %s", other.Tier(), other.TierStatus())
	}
	change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{"us-east-1"} })
	got := w.tierIs(tier, v1alpha1.ReasonRegionNotAllowed)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "us-east-1")
}

func TestATierIsNotInForceBeforeEveryRegionOfItsSpecWasRead(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	const second = "ap-northeast-3"
	change(w, account(), func(a *v1alpha1.AWSAccount) { a.Spec.Regions = append(a.Spec.Regions, second) })
	tier := accountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{region} })
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Hold, Action: "ssm:GetServiceSetting"})
	w.must(err)
	seen := w.LastCall()
	change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{region, second} })
	_, err = w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "GetServiceSetting" })
	w.must(err)
	w.must(w.Client.Get(t.Context(), keyOf(tier), tier))
	if ready := condition(tier.Status.Conditions, v1alpha1.ConditionReady); tier.Status.ObservedGeneration == tier.Generation || ready.ObservedGeneration == tier.Generation {
		t.Errorf("before the second region was read, Ready of generation %d is %+v", tier.Generation, ready)
	}
	w.Emulator.RemoveFault(id)
	got := w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "2 regions")
	if is := w.Emulator.Account(accountID).Region(second).SSM.Tier(); is != ssm.TierAdvanced {
		t.Errorf("Ready is True, and the second region has tier %s", is)
	}
}

func TestObserveTellsOfATierAndLeavesIt(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(main, tier)
	got := w.tierIs(tier, v1alpha1.ReasonObserved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, region, "Advanced", "Enforce")
	w.deleteTier(tier)
	w.tierGone(tier)
	if n := w.tierWrites(); n != 0 {
		t.Errorf("%d writes in mode Observe", n)
	}
}

func TestATierThatAWSRefusesNamesTheAction(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{ResyncInterval: testResync})
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:UpdateServiceSetting"})
	w.must(err)
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	got := w.tierIs(tier, v1alpha1.ReasonAccessDenied)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "ssm:UpdateServiceSetting", region)
	if got.Status.Regions[0].PendingSince != nil {
		t.Error("a refused change is said to be pending")
	}
	w.Emulator.RemoveFault(id)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	_, err = w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeInstanceInformation"})
	w.must(err)
	got = w.tierIs(tier, v1alpha1.ReasonAccessDenied)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "ssm:DescribeInstanceInformation")
	w.tierInAWS("advanced", "Customized")
}

func TestATierIsPutBackOnceAWSAnswersAgain(t *testing.T) {
	w := tierWorld(t, 0, testenv.ManagerOptions{})
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "ssm:*"})
	w.must(err)
	w.deleteTier(tier)
	got := w.tierIs(tier, v1alpha1.ReasonAWSUnavailable)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message)
	w.Emulator.RemoveFault(id)
	w.tierGone(tier)
	w.tierInAWS("standard", "Default")
}

// A manager that dies with the request under way has recorded it: the next one
// neither forgets what was there before nor sends it again at once.
func TestAChangeThatWasCutShortIsNotSentAgain(t *testing.T) {
	w := worldWithoutManager(t)
	w.Emulator.SetTierTimes(ssm.TierTimes{Up: time.Hour, Down: time.Hour})
	first := w.Manager(t, testenv.ManagerOptions{})
	w.create(account())
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.HoldAfter, Action: "ssm:UpdateServiceSetting", Count: 1})
	w.must(err)
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(tier)
	_, err = w.WaitCall(t.Context(), 0, isTierWrite)
	w.must(err)
	w.must(first.Stop())
	w.Emulator.RemoveFault("")
	w.Manager(t, testenv.ManagerOptions{})
	w.tierIs(tier, v1alpha1.ReasonTierChanging)
	w.advance(time.Hour+time.Minute, tier)
	got := w.tierIs(tier, v1alpha1.ReasonTierInForce)
	if b := got.Status.Regions[0].Before; b == nil || b.Tier != v1alpha1.TierStandard {
		t.Errorf("what was there before is recorded as %+v", b)
	}
	if n := w.tierWrites(); n != 1 {
		t.Errorf("the change was sent %d times", n)
	}
}

func TestTheAPIServerRejectsABadAccountTierWithASentence(t *testing.T) {
	w := worldWithoutManager(t)
	for name, c := range map[string]struct {
		change func(*v1alpha1.AccountTierSpec)
		says   string
	}{
		"a price that is no number": {func(s *v1alpha1.AccountTierSpec) { s.Price.PerNodeHour = "free" }, "price in USD"},
		"a price below nothing":     {func(s *v1alpha1.AccountTierSpec) { s.Price.PerNodeHour = "-1" }, "price in USD"},
		"an exponent":               {func(s *v1alpha1.AccountTierSpec) { s.Price.PerNodeHour = "1e3" }, "price in USD"},
		"another tier":              {func(s *v1alpha1.AccountTierSpec) { s.Tier = "advanced" }, `"Standard", "Advanced"`},
		"another way to leave":      {func(s *v1alpha1.AccountTierSpec) { s.OnDelete = "Delete" }, `"Restore", "Keep"`},
		"a region out of form":      {func(s *v1alpha1.AccountTierSpec) { s.Regions = []v1alpha1.Region{"tokyo"} }, "as AWS spells it"},
		"regions that are none":     {func(s *v1alpha1.AccountTierSpec) { s.Regions = []v1alpha1.Region{""} }, "regions"},
		"a region twice":            {func(s *v1alpha1.AccountTierSpec) { s.Regions = []v1alpha1.Region{region, region} }, "names one region twice"},
		"no account":                {func(s *v1alpha1.AccountTierSpec) { s.AccountRef.Name = "" }, "accountRef"},
	} {
		bad := accountTier(v1alpha1.TierAdvanced)
		c.change(&bad.Spec)
		if err := w.Client.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, which does not say %q", name, err, c.says)
		}
	}
	good := accountTier(v1alpha1.TierAdvanced)
	w.create(good)
	if good.Spec.OnDelete != v1alpha1.TierRestore || good.Spec.Price.PerNodeHour != "0.00695" {
		t.Errorf("the defaults are %+v", good.Spec)
	}
	good.Spec.AccountRef.Name = "another"
	if err := w.Client.Update(t.Context(), good); err == nil || !strings.Contains(err.Error(), "cannot be changed") {
		t.Errorf("another account: %v", err)
	}
}
