package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestTheNodesOfAnActivationAreReachedWhileItIsThere(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	site := activation("site", func(s *v1alpha1.HybridActivationSpec) { s.OnDelete.Nodes = v1alpha1.NodesDeregister })
	grant := access("user01-site", "user01")
	grant.Spec.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}}
	tier := accountTier(v1alpha1.TierAdvanced)
	w.create(account(allowActivations()), tier, grant)
	got := w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, `HybridActivation "site" does not exist`)
	w.tierIs(tier, v1alpha1.ReasonTierInForce)

	w.create(site)
	got = w.accessIs(grant, v1alpha1.ReasonGranted)
	if got.Status.Summary.Targets != "HybridActivation/site" {
		t.Errorf("in short the targets are %q", got.Status.Summary.Targets)
	}
	inForce := got.Status.Applied.Serial
	w.activationIs(site, v1alpha1.ReasonActivated)
	node := w.register(w.secret("site"))
	if !w.may("user01", node) || w.may("user02", node) {
		t.Error("a node that registered is not reached by user01 alone")
	}
	w.tagNode(pc01, map[string]string{v1alpha1.TagActivation: string(site.UID)})
	if w.may("user01", pc01) {
		t.Error("an EC2 instance is reached by the tag of an activation")
	}
	if got := w.accessIs(grant, v1alpha1.ReasonGranted); got.Status.Applied.Serial != inForce {
		t.Error("a node that registers changes the grant")
	}
	w.deleteTier(tier)
	refused := w.tierIs(tier, v1alpha1.ReasonTierNeeded)
	w.sentence(condition(refused.Status.Conditions, v1alpha1.ConditionStalled).Message, "team-a/user01-site")

	session := w.open(user("user01"), node)
	w.must(w.Client.Delete(t.Context(), site))
	w.untilEnded(session)
	if w.may("user01", node) {
		t.Error("the activation is gone, and what was granted on its nodes is not")
	}
	w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
}
