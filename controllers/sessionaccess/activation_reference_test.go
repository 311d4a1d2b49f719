package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTheNodesOfAnActivationAreReachedWhileItIsThere(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	grant := scenario.Access("user01-site", "user01")
	grant.Spec.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}}
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(scenario.Account(scenario.AllowActivations()), tier, grant)
	got := w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `HybridActivation "site" does not exist`)
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)

	w.Create(site)
	got = w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if got.Status.Summary.Targets != "HybridActivation/site" {
		t.Errorf("in short the targets are %q", got.Status.Summary.Targets)
	}
	inForce := got.Status.Applied.Serial
	w.AwaitActivation(site, v1alpha1.ReasonActivated)
	node := w.RegisterMachine(w.Secret("site"))
	if !w.MayOpen("user01", node) || w.MayOpen("user02", node) {
		t.Error("a node that registered is not reached by user01 alone")
	}
	w.SetNodeTags(scenario.PC01, map[string]string{v1alpha1.TagActivation: string(site.UID)})
	if w.MayOpen("user01", scenario.PC01) {
		t.Error("an EC2 instance is reached by the tag of an activation")
	}
	if got := w.AwaitAccess(grant, v1alpha1.ReasonGranted); got.Status.Applied.Serial != inForce {
		t.Error("a node that registers changes the grant")
	}
	w.DeleteTier(tier)
	refused := w.AwaitTier(tier, v1alpha1.ReasonTierNeeded)
	w.ExpectSentence(scenario.Condition(refused.Status.Conditions, v1alpha1.ConditionStalled).Message, "team-a/user01-site")

	session := w.OpenSession(scenario.UserARN("user01"), node)
	w.Must(w.Client.Delete(t.Context(), site))
	w.AwaitSessionEnd(session)
	if w.MayOpen("user01", node) {
		t.Error("the activation is gone, and what was granted on its nodes is not")
	}
	w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
}
