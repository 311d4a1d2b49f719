package reconcile_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// suspend sets spec.suspend alone.
func (w world) suspend(obj client.Object, suspended bool) {
	w.T.Helper()
	patch := `{"spec":{"suspend":false}}`
	if suspended {
		patch = `{"spec":{"suspend":true}}`
	}
	w.Must(w.Client.Patch(w.T.Context(), obj, client.RawPatch(types.MergePatchType, []byte(patch))))
}

func TestASuspendedSessionAccessIsNarrowedAndNotWidened(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("g", "user01", scenario.PC01, scenario.PC02)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, true, false, false)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Suspend = true
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01}
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	})
	w.AwaitAccess(grant, v1alpha1.ReasonSuspended)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
	w.ExpectAccess(true, false, false, false)
	w.suspend(grant, false)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, true, false)
}

func TestInASuspendedAccountAccessIsRevokedAndNotGranted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, one, two := scenario.Account(), scenario.Access("one", "user01", scenario.PC01), scenario.Access("two", "user02", scenario.PC02)
	w.Create(main, one)
	w.AwaitAccess(one, v1alpha1.ReasonGranted)
	w.suspend(main, true)
	w.AwaitAccount(main, v1alpha1.ReasonSuspended)
	w.AwaitAccess(one, v1alpha1.ReasonSuspended)
	w.Create(two)
	w.AwaitAccess(two, v1alpha1.ReasonSuspended)
	w.ExpectAccess(true, false, false, false)
	w.Must(w.Client.Delete(t.Context(), one))
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	w.suspend(main, false)
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.AwaitAccess(two, v1alpha1.ReasonGranted)
	w.ExpectAccess(false, false, false, true)
}

func TestASuspendedSessionDocumentLosesSharesAndIsNotChanged(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(scenario.SharedWithSharee)
	w.Create(scenario.Account(scenario.AllowSharing), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) {
		d.Spec.Suspend, d.Spec.SharedWith = true, nil
		d.Spec.Inputs.ShellProfile.Linux = "id"
	})
	w.AwaitDocument(doc, v1alpha1.ReasonSuspended)
	if w.IsSharedIn(scenario.Region) {
		t.Error("the share that is no longer declared is still there")
	}
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)
	w.suspend(doc, false)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 2)
}

func TestASuspendedHybridActivationIsWithdrawnAndNotReplaced(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	sites := scenario.Activation("sites")
	w.Create(scenario.Account(scenario.AllowActivations()), sites)
	w.AwaitActivation(sites, v1alpha1.ReasonActivated)
	scenario.Change(w.World, sites, func(a *v1alpha1.HybridActivation) {
		a.Spec.Suspend, a.Spec.RegistrationLimit = true, new(int32(20))
	})
	w.AwaitActivation(sites, v1alpha1.ReasonSuspended)
	if n := len(w.Activations()); n != 1 {
		t.Errorf("there are %d activations after the spec allows more, want that before", n)
	}
	scenario.Change(w.World, sites, func(a *v1alpha1.HybridActivation) { a.Spec.RegistrationLimit = new(int32(5)) })
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
	w.AwaitActivation(sites, v1alpha1.ReasonSuspended)
	w.suspend(sites, false)
	w.AwaitActivation(sites, v1alpha1.ReasonActivated)
	if n := len(w.Activations()); n != 1 {
		t.Errorf("there are %d activations, want one", n)
	}
}

func TestASuspendedAccountTierIsRestoredAndNotChanged(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) { t.Spec.Suspend = true })
	w.Create(tier)
	w.AwaitTier(tier, v1alpha1.ReasonSuspended)
	w.ExpectTierInAWS("standard", "Default")
	w.suspend(tier, false)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.suspend(tier, true)
	w.AwaitTier(tier, v1alpha1.ReasonSuspended)
	w.Must(w.Client.Delete(t.Context(), tier))
	w.Eventually(func() bool { return w.SSM().Tier() == "standard" })
}
