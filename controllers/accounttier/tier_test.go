package accounttier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestATierIsAdvancedAndPutBackAndNeverSentTwice(t *testing.T) {
	w := scenario.NewForTiers(t, 10, testenv.ManagerOptions{})
	w.Emulator.SetTierTimes(ssm.TierTimes{Up: 5 * time.Minute, Down: 30 * time.Minute})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	got := w.AwaitTier(tier, v1alpha1.ReasonTierChanging)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReconciling).Message, scenario.Region, "Advanced")
	w.AwaitPendingTier()
	for range 3 {
		w.Advance(time.Minute, tier)
	}
	pending, err := testenv.WaitFor(t.Context(), w.Client, tier, func(a *v1alpha1.AccountTier) bool {
		return len(a.Status.Regions) == 1 && a.Status.HybridNodes != nil
	})
	w.Must(err)
	if r := pending.Status.Regions[0]; r.PendingSince == nil || r.Tier != v1alpha1.TierStandard || r.ChangingTo != v1alpha1.TierAdvanced || r.EstimatedCost.USDPerMonth != "0.00" {
		t.Errorf("while it is pending the status says %+v", r)
	}
	w.Advance(3*time.Minute, tier)
	got = w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	r := got.Status.Regions[0]
	if r.Tier != v1alpha1.TierAdvanced || r.PendingSince != nil || *r.HybridNodes != 10 || r.EstimatedCost.USDPerHour != "0.0695" || got.Status.USDPerMonth != "50.04" || *got.Status.HybridNodes != 10 {
		t.Errorf("the status says %+v and %s USD a month", r, got.Status.USDPerMonth)
	}
	if r.Before == nil || r.Before.Tier != v1alpha1.TierStandard || r.Before.Customized {
		t.Errorf("what was there before is recorded as %+v", r.Before)
	}
	w.ExpectTierInAWS("advanced", "Customized")

	w.DeleteTier(tier)
	deleting := w.AwaitTier(tier, v1alpha1.ReasonTierChanging)
	w.ExpectSentence(scenario.Condition(deleting.Status.Conditions, v1alpha1.ConditionReconciling).Message, scenario.Region, "Standard")
	w.AwaitPendingTier()
	w.Advance(20*time.Minute, tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierChanging)
	w.Advance(11*time.Minute, tier)
	w.AwaitTierGone(tier)
	w.ExpectTierInAWS("standard", "Default")
	if n := w.TierWrites(); n != 2 {
		t.Errorf("the tier was sent %d times, want once up and once back", n)
	}
}

func TestKeepLeavesTheTierAndRestorePutsBackWhatSomebodyHadSet(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	kept := scenario.AccountTier(v1alpha1.TierAdvanced, scenario.KeepTier)
	w.Create(kept)
	w.AwaitTier(kept, v1alpha1.ReasonTierInForce)
	w.DeleteTier(kept)
	w.AwaitTierGone(kept)
	w.ExpectTierInAWS("advanced", "Customized")

	restored := scenario.AccountTier(v1alpha1.TierStandard)
	w.Create(restored)
	w.AwaitTier(restored, v1alpha1.ReasonTierInForce)
	w.ExpectTierInAWS("standard", "Customized")
	w.DeleteTier(restored)
	w.AwaitTierGone(restored)
	w.ExpectTierInAWS("advanced", "Customized")
}

func TestATierThatIsThereAlreadyIsNotWritten(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	w.SSM().SetTier(ssm.TierAdvanced)
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.DeleteTier(tier)
	w.AwaitTierGone(tier)
	w.ExpectTierInAWS("advanced", "Customized")
	if n := w.TierWrites(); n != 0 {
		t.Errorf("%d writes where nothing differs", n)
	}
}

func TestTheOlderOfTwoAccountTiersWinsAndHandsOverWhatItFound(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	older := scenario.AccountTier(v1alpha1.TierAdvanced)
	younger := scenario.AccountTier(v1alpha1.TierStandard, func(t *v1alpha1.AccountTier) { t.Name = "zweites" })
	w.Create(older)
	w.AwaitTier(older, v1alpha1.ReasonTierInForce)
	w.Create(younger)
	got := w.AwaitTier(younger, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `"main"`, scenario.Region)
	w.ExpectTierInAWS("advanced", "Customized")
	scenario.Change(w, younger, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierAdvanced })
	w.DeleteTier(older)
	w.AwaitTierGone(older)
	w.AwaitTier(younger, v1alpha1.ReasonTierInForce)
	w.ExpectTierInAWS("advanced", "Customized")
	if n := w.TierWrites(); n != 1 {
		t.Errorf("handing over took %d writes, want none besides the first", n-1)
	}
	w.DeleteTier(younger)
	w.AwaitTierGone(younger)
	w.ExpectTierInAWS("standard", "Default")
}

func TestATierIsPutBackThoughARefusedOneDeclaresItsRegion(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	refused := scenario.AccountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) {
		t.Name, t.Spec.Regions = "second", []v1alpha1.Region{scenario.Region, "us-west-2"}
	})
	w.Create(refused)
	w.AwaitTier(refused, v1alpha1.ReasonRegionNotAllowed)
	w.DeleteTier(tier)
	w.AwaitTierGone(tier)
	w.ExpectTierInAWS("standard", "Default")
}

func TestARefusedAccountTierKeepsNoRegionFromAYoungerOne(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	refused := scenario.AccountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) {
		t.Name, t.Spec.Regions = "first", []v1alpha1.Region{scenario.Region, "us-west-2"}
	})
	w.Create(refused)
	w.AwaitTier(refused, v1alpha1.ReasonRegionNotAllowed)
	younger := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(younger)
	w.AwaitTier(younger, v1alpha1.ReasonTierInForce)
	w.ExpectTierInAWS("advanced", "Customized")
	scenario.Change(w, refused, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{scenario.Region} })
	w.AwaitTier(refused, v1alpha1.ReasonTierInForce)
	w.AwaitTier(younger, v1alpha1.ReasonConflict)
	w.DeleteTier(younger)
	w.AwaitTierGone(younger)
	w.DeleteTier(refused)
	w.AwaitTierGone(refused)
	w.ExpectTierInAWS("standard", "Default")
}

func TestStandardWaitsForTheLastSessionAccessOnHybridNodes(t *testing.T) {
	w := scenario.NewForTiers(t, 1, testenv.ManagerOptions{})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	grant := scenario.Access("user01-site", "user01", scenario.HybridNode)
	w.Create(tier, grant)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)

	scenario.Change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierStandard })
	got := w.AwaitTier(tier, v1alpha1.ReasonTierNeeded)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "team-a/user01-site", scenario.Region, "tier: Advanced")
	scenario.Change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Tier = v1alpha1.TierAdvanced })
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)

	w.DeleteTier(tier)
	got = w.AwaitTier(tier, v1alpha1.ReasonTierNeeded)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "team-a/user01-site", "deletionPolicy: Keep")
	w.ExpectTierInAWS("advanced", "Customized")
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions) // It stays for a minute more,
	w.AwaitTierGone(tier)                               // and the tier need not.
	w.ExpectTierInAWS("standard", "Default")
}

func TestStandardIsRefusedWithMoreThanAThousandNodes(t *testing.T) {
	w := scenario.NewForTiers(t, 1001, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.SSM().SetTier(ssm.TierAdvanced)
	tier := scenario.AccountTier(v1alpha1.TierStandard)
	w.Create(tier)
	got := w.AwaitTier(tier, v1alpha1.ReasonTooManyNodes)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "1001", "1000", scenario.Region)
	if n := w.TierWrites(); n != 0 {
		t.Errorf("AWS was asked %d times", n)
	}
	w.Emulator.Account(scenario.AccountID).Region(scenario.Region).Fleet.Remove(scenario.HybridNode)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.ExpectTierInAWS("standard", "Customized")
}

func TestATierThatSomebodyChangedIsPutBackAtTheNextResync(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.SSM().SetTier(ssm.TierStandard)
	w.Eventually(func() bool { return w.SSM().Tier() == ssm.TierAdvanced })
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
}

func TestARegionThatIsNoLongerDeclaredIsPutBack(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	const second = "ap-northeast-3"
	main := scenario.Account()
	scenario.Change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Regions = append(a.Spec.Regions, second) })
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	other := w.Emulator.Account(scenario.AccountID).Region(second).SSM
	// The regions are the AWSAccount's, and the manager may have seen the second one
	// there later. Where they are those of its own spec, Ready waits for all.
	w.Eventually(func() bool { return other.Tier() == ssm.TierAdvanced })
	scenario.Change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{scenario.Region} })
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	if other.Tier() != ssm.TierStandard || other.TierStatus() != "Default" {
		t.Errorf("the region that was removed has tier %s, %s", other.Tier(), other.TierStatus())
	}
	scenario.Change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{"us-east-1"} })
	got := w.AwaitTier(tier, v1alpha1.ReasonRegionNotAllowed)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "us-east-1")
}

func TestATierIsNotInForceBeforeEveryRegionOfItsSpecWasRead(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	const second = "ap-northeast-3"
	scenario.Change(w, scenario.Account(), func(a *v1alpha1.AWSAccount) { a.Spec.Regions = append(a.Spec.Regions, second) })
	tier := scenario.AccountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{scenario.Region} })
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Hold, Action: "ssm:GetServiceSetting"})
	w.Must(err)
	seen := w.LastCall()
	scenario.Change(w, tier, func(t *v1alpha1.AccountTier) { t.Spec.Regions = []v1alpha1.Region{scenario.Region, second} })
	_, err = w.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "GetServiceSetting" })
	w.Must(err)
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(tier), tier))
	if ready := scenario.Condition(tier.Status.Conditions, v1alpha1.ConditionReady); tier.Status.ObservedGeneration == tier.Generation || ready.ObservedGeneration == tier.Generation {
		t.Errorf("before the second region was read, Ready of generation %d is %+v", tier.Generation, ready)
	}
	w.Emulator.RemoveFault(id)
	got := w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "2 regions")
	if is := w.Emulator.Account(scenario.AccountID).Region(second).SSM.Tier(); is != ssm.TierAdvanced {
		t.Errorf("Ready is True, and the second region has tier %s", is)
	}
}

func TestObserveTellsOfATierAndLeavesIt(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(main, tier)
	got := w.AwaitTier(tier, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, scenario.Region, "Advanced", "Enforce")
	w.DeleteTier(tier)
	w.AwaitTierGone(tier)
	if n := w.TierWrites(); n != 0 {
		t.Errorf("%d writes in mode Observe", n)
	}
}

func TestATierThatAWSRefusesNamesTheAction(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:UpdateServiceSetting"})
	w.Must(err)
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	got := w.AwaitTier(tier, v1alpha1.ReasonAccessDenied)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "ssm:UpdateServiceSetting", scenario.Region)
	if got.Status.Regions[0].PendingSince != nil {
		t.Error("a refused change is said to be pending")
	}
	w.Emulator.RemoveFault(id)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	_, err = w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeInstanceInformation"})
	w.Must(err)
	got = w.AwaitTier(tier, v1alpha1.ReasonAccessDenied)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionStalled).Message, "ssm:DescribeInstanceInformation")
	w.ExpectTierInAWS("advanced", "Customized")
}

func TestATierIsPutBackOnceAWSAnswersAgain(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "ssm:*"})
	w.Must(err)
	w.DeleteTier(tier)
	got := w.AwaitTier(tier, v1alpha1.ReasonAWSUnavailable)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message)
	w.Emulator.RemoveFault(id)
	w.AwaitTierGone(tier)
	w.ExpectTierInAWS("standard", "Default")
}

// A manager that dies with the request under way has recorded it: the next one
// neither forgets what was there before nor sends it again at once.
func TestAChangeThatWasCutShortIsNotSentAgain(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	w.Emulator.SetTierTimes(ssm.TierTimes{Up: time.Hour, Down: time.Hour})
	first := w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.HoldAfter, Action: "ssm:UpdateServiceSetting", Count: 1})
	w.Must(err)
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	_, err = w.WaitCall(t.Context(), 0, scenario.IsTierWrite)
	w.Must(err)
	w.Must(first.Stop())
	w.Emulator.RemoveFault("")
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitTier(tier, v1alpha1.ReasonTierChanging)
	w.Advance(time.Hour+time.Minute, tier)
	got := w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	if b := got.Status.Regions[0].Before; b == nil || b.Tier != v1alpha1.TierStandard {
		t.Errorf("what was there before is recorded as %+v", b)
	}
	if n := w.TierWrites(); n != 1 {
		t.Errorf("the change was sent %d times", n)
	}
}

func TestTheAPIServerRejectsABadAccountTierWithASentence(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	for name, c := range map[string]struct {
		change func(*v1alpha1.AccountTierSpec)
		says   string
	}{
		"a price that is no number": {func(s *v1alpha1.AccountTierSpec) { s.Price.PerNodeHour = "free" }, "price in USD"},
		"a price below nothing":     {func(s *v1alpha1.AccountTierSpec) { s.Price.PerNodeHour = "-1" }, "price in USD"},
		"an exponent":               {func(s *v1alpha1.AccountTierSpec) { s.Price.PerNodeHour = "1e3" }, "price in USD"},
		"another tier":              {func(s *v1alpha1.AccountTierSpec) { s.Tier = "advanced" }, `"Standard", "Advanced"`},
		"another way to leave":      {func(s *v1alpha1.AccountTierSpec) { s.DeletionPolicy = "Delete" }, `"Restore", "Keep"`},
		"a region out of form":      {func(s *v1alpha1.AccountTierSpec) { s.Regions = []v1alpha1.Region{"tokyo"} }, "as AWS spells it"},
		"regions that are none":     {func(s *v1alpha1.AccountTierSpec) { s.Regions = []v1alpha1.Region{""} }, "regions"},
		"a region twice":            {func(s *v1alpha1.AccountTierSpec) { s.Regions = []v1alpha1.Region{scenario.Region, scenario.Region} }, "names one region twice"},
		"no account":                {func(s *v1alpha1.AccountTierSpec) { s.AccountRef.Name = "" }, "accountRef"},
	} {
		bad := scenario.AccountTier(v1alpha1.TierAdvanced)
		c.change(&bad.Spec)
		if err := w.Client.Create(t.Context(), bad); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, which does not say %q", name, err, c.says)
		}
	}
	good := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(good)
	if good.DeletionPolicy() != v1alpha1.DeletionRestore || good.Spec.Price.PerNodeHour != "0.00695" {
		t.Errorf("the defaults are %+v", good.Spec)
	}
	good.Spec.AccountRef.Name = "another"
	if err := w.Client.Update(t.Context(), good); err == nil || !strings.Contains(err.Error(), "cannot be changed") {
		t.Errorf("another account: %v", err)
	}
}

func TestATierThatAWSThrottlesIsNotInForce(t *testing.T) {
	w := scenario.NewForTiers(t, 0, testenv.ManagerOptions{})
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Throttle, Action: "ssm:UpdateServiceSetting", Count: 40})
	w.Must(err)
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.ExpectTierInAWS("advanced", "Customized")
}

// What a namespace declares that no account allows is not granted, so it needs no tier.
func TestAStrangerKeepsNoTier(t *testing.T) {
	w := scenario.NewForTiers(t, 1, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), scenario.Stranger, nil))
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	grant := scenario.Access("hybrid", "user01", scenario.HybridNode)
	grant.Namespace = scenario.Stranger
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.DeleteTier(tier)
	w.AwaitTierGone(tier)
	w.ExpectTierInAWS("standard", "Default")
}
