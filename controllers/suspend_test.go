package controllers_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// suspend sets spec.suspend alone.
func (w world) suspend(obj client.Object, suspended bool) {
	w.t.Helper()
	patch := `{"spec":{"suspend":false}}`
	if suspended {
		patch = `{"spec":{"suspend":true}}`
	}
	w.must(w.Client.Patch(w.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(patch))))
}

func TestASuspendedSessionAccessIsNarrowedAndNotWidened(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := access("g", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, true, false, false)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Suspend = true
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc01}
		a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
	})
	w.accessIs(grant, v1alpha1.ReasonSuspended)
	w.until(func() bool { return !w.may("user01", pc02) })
	w.grid(true, false, false, false)
	w.suspend(grant, false)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, false, true, false)
}

func TestInASuspendedAccountAccessIsRevokedAndNotGranted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, one, two := account(), access("one", "user01", pc01), access("two", "user02", pc02)
	w.create(main, one)
	w.accessIs(one, v1alpha1.ReasonGranted)
	w.suspend(main, true)
	w.accountIs(main, v1alpha1.ReasonSuspended)
	w.accessIs(one, v1alpha1.ReasonSuspended)
	w.create(two)
	w.accessIs(two, v1alpha1.ReasonSuspended)
	w.grid(true, false, false, false)
	w.must(w.Client.Delete(t.Context(), one))
	w.until(func() bool { return !w.may("user01", pc01) })
	w.suspend(main, false)
	w.accountIs(main, v1alpha1.ReasonVerified)
	w.accessIs(two, v1alpha1.ReasonGranted)
	w.grid(false, false, false, true)
}

func TestASuspendedSessionDocumentLosesSharesAndIsNotChanged(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument(shared)
	w.create(account(mayShare), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	change(w, doc, func(d *v1alpha1.SessionDocument) {
		d.Spec.Suspend, d.Spec.SharedWith = true, nil
		d.Spec.Inputs.ShellProfile.Linux = "id"
	})
	w.documentIs(doc, v1alpha1.ReasonSuspended)
	if w.sharedIn(region) {
		t.Error("the share that is no longer declared is still there")
	}
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)
	w.suspend(doc, false)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 2)
}

func TestASuspendedHybridActivationIsWithdrawnAndNotReplaced(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	sites := activation("sites")
	w.create(account(allowActivations()), sites)
	w.activationIs(sites, v1alpha1.ReasonActivated)
	change(w, sites, func(a *v1alpha1.HybridActivation) {
		a.Spec.Suspend, a.Spec.RegistrationLimit = true, new(int32(20))
	})
	w.activationIs(sites, v1alpha1.ReasonSuspended)
	if n := len(w.allActivations()); n != 1 {
		t.Errorf("there are %d activations after the spec allows more, want that before", n)
	}
	change(w, sites, func(a *v1alpha1.HybridActivation) { a.Spec.RegistrationLimit = new(int32(5)) })
	w.until(func() bool { return len(w.allActivations()) == 0 })
	w.activationIs(sites, v1alpha1.ReasonSuspended)
	w.suspend(sites, false)
	w.activationIs(sites, v1alpha1.ReasonActivated)
	if n := len(w.allActivations()); n != 1 {
		t.Errorf("there are %d activations, want one", n)
	}
}

func TestASuspendedAccountTierIsRestoredAndNotChanged(t *testing.T) {
	w := tierWorld(t, 1, testenv.ManagerOptions{})
	tier := accountTier(v1alpha1.TierAdvanced, func(t *v1alpha1.AccountTier) { t.Spec.Suspend = true })
	w.create(tier)
	w.tierIs(tier, v1alpha1.ReasonSuspended)
	w.tierInAWS("standard", "Default")
	w.suspend(tier, false)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.suspend(tier, true)
	w.tierIs(tier, v1alpha1.ReasonSuspended)
	w.must(w.Client.Delete(t.Context(), tier))
	w.until(func() bool { return w.regional().Tier() == "standard" })
}
