package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The API server lets an object go at once that is deleted in the moment in which
// it gets its first finalizer.

func TestWhatTheAPIServerLetGoTooEarlyIsCleanedUp(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc, tier, grant := sessionDocument(), accountTier(v1alpha1.TierAdvanced), access("one", "user01", pc01)
	sites := activation("sites")
	w.create(account(allowActivations()), doc, tier, grant, sites)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.activationIs(sites, v1alpha1.ReasonActivated)
	w.must(w.Vanish(t.Context(), doc))
	w.must(w.Vanish(t.Context(), tier))
	w.must(w.Vanish(t.Context(), grant))
	w.must(w.Vanish(t.Context(), sites))
	w.until(func() bool { return w.inAWS(logged) == nil })
	w.until(func() bool { return w.regional().Tier() == "standard" })
	w.until(func() bool { return !w.may("user01", pc01) && len(w.ourPolicies()) == 0 })
	w.advance(testWindow)
	w.until(func() bool { return len(w.allActivations()) == 0 })
}

func TestAnObjectOfTheSameNameWaitsUntilTheFormerIsCleanedUp(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "ssm:DeleteDocument"})
	w.must(err)
	w.must(w.Vanish(t.Context(), doc))
	w.until(func() bool { return w.fired(fault) })
	next := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" })
	w.create(next)
	w.Emulator.RemoveFault(fault)
	got := w.documentIs(next, v1alpha1.ReasonInPlace)
	same(t, "the uid on the document", w.inAWS(logged).Tags[uidTag], string(got.UID))
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)
}
