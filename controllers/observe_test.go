package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/internal/testenv"
)

// The account cannot be verified again, so what was verified last is older than
// what is declared.
func TestObserveCountsBeforeTheAccountIsVerifiedWithIt(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main, grant := account(allowActivations()), access("one", "user01", pc01)
	doc, tier := sessionDocument(), accountTier(v1alpha1.TierAdvanced)
	sites := activation("sites")
	w.create(main, grant, doc, tier, sites)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)
	w.activationIs(sites, v1alpha1.ReasonActivated)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "sts:*"})
	w.must(err)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.accountIs(main, v1alpha1.ReasonAWSUnavailable)

	before := w.LastCall()
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{pc02} })
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Tags = map[string]string{"Env": "prod"} })
	change(w, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierStandard })
	change(w, sites, func(a *v1alpha1.HybridActivation) { a.Spec.Tags = map[string]string{"Env": "prod"} })
	w.accessIs(grant, v1alpha1.ReasonObserved)
	w.documentIs(doc, v1alpha1.ReasonObserved)
	w.tierIs(tier, v1alpha1.ReasonObserved)
	w.activationIs(sites, v1alpha1.ReasonObserved)
	for _, call := range w.Emulator.CallLog(before) {
		if call.Write {
			t.Errorf("%s after mode Observe was declared", call.Operation)
		}
	}
}
