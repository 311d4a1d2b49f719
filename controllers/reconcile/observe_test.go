package reconcile_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The account cannot be verified again, so what was verified last is older than
// what is declared.
func TestObserveCountsBeforeTheAccountIsVerifiedWithIt(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(scenario.AllowActivations()), scenario.Access("one", "user01", scenario.PC01)
	doc, tier := scenario.SessionDocument(), scenario.AccountTier(v1alpha1.TierAdvanced)
	sites := scenario.Activation("sites")
	w.Create(main, grant, doc, tier, sites)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.AwaitActivation(sites, v1alpha1.ReasonActivated)
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Unavailable, Action: "sts:*"})
	w.Must(err)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.AwaitAccount(main, v1alpha1.ReasonAWSUnavailable)

	before := w.LastCall()
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC02} })
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Tags = map[string]string{"Env": "prod"} })
	scenario.Change(w.World, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierStandard })
	scenario.Change(w.World, sites, func(a *v1alpha1.HybridActivation) { a.Spec.Tags = map[string]string{"Env": "prod"} })
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.AwaitDocument(doc, v1alpha1.ReasonObserved)
	w.AwaitTier(tier, v1alpha1.ReasonObserved)
	w.AwaitActivation(sites, v1alpha1.ReasonObserved)
	for _, call := range w.Emulator.CallLog(before) {
		if call.Write {
			t.Errorf("%s after mode Observe was declared", call.Operation)
		}
	}
}
