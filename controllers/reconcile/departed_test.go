package reconcile_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The API server lets an object go at once that is deleted in the moment in which
// it gets its first finalizer.

func TestWhatTheAPIServerLetGoTooEarlyIsCleanedUp(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc, tier, grant := scenario.SessionDocument(), scenario.AccountTier(v1alpha1.TierAdvanced), scenario.Access("one", "user01", scenario.PC01)
	sites := scenario.Activation("sites")
	w.Create(scenario.Account(scenario.AllowActivations()), doc, tier, grant, sites)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitActivation(sites, v1alpha1.ReasonActivated)
	w.Must(w.Vanish(t.Context(), doc))
	w.Must(w.Vanish(t.Context(), tier))
	w.Must(w.Vanish(t.Context(), grant))
	w.Must(w.Vanish(t.Context(), sites))
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument) == nil })
	w.Eventually(func() bool { return w.SSM().Tier() == "standard" })
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) && len(w.OwnedPolicies()) == 0 })
	w.Advance(scenario.Window)
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
}

func TestAnObjectOfTheSameNameWaitsUntilTheFormerIsCleanedUp(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "ssm:DeleteDocument"})
	w.Must(err)
	w.Must(w.Vanish(t.Context(), doc))
	w.Eventually(func() bool { return w.HasFired(fault) })
	next := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" })
	w.Create(next)
	w.Emulator.RemoveFault(fault)
	got := w.AwaitDocument(next, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the uid on the document", w.DocumentInAWS(scenario.LoggedDocument).Tags[scenario.UIDTag], string(got.UID))
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)
}
