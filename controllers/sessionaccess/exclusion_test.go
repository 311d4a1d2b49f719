package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestANodeWithAnExcludedTagIsOutOfReachHoweverItIsNamed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.SetNodeTags(scenario.PC01, map[string]string{"Env": "stg"})
	w.SetNodeTags(scenario.PC02, map[string]string{"Env": "stg", "tier": "bastion"})
	byID, byTag := scenario.Access("by-id", "user01", scenario.PC01, scenario.PC02), scenario.Access("by-tag", "user02")
	byTag.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	main := scenario.Account()
	w.Create(main, byID, byTag)
	w.AwaitAccess(byID, v1alpha1.ReasonGranted)
	w.AwaitAccess(byTag, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, true, true, true)
	kept := []string{w.OpenSession(scenario.UserARN("user01"), scenario.PC01), w.OpenSession(scenario.UserARN("user02"), scenario.PC01)}
	lost := []string{w.OpenSession(scenario.UserARN("user01"), scenario.PC02), w.OpenSession(scenario.UserARN("user02"), scenario.PC02)}

	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{scenario.Excluding("bastions", scenario.ExcludedTag("Tier", "bastion", "payment")), scenario.Excluding("production", scenario.ExcludedTag("Env", "prod"))}
	})
	for _, id := range lost {
		w.AwaitSessionEnd(id)
	}
	w.ExpectSessionsOpen(kept...)
	w.ExpectAccess(true, false, true, false)
	w.SetNodeTags(scenario.PC01, map[string]string{"Env": "stg", "Tier": "payment"})
	w.ExpectAccess(false, false, false, false)
	w.SetNodeTags(scenario.PC01, map[string]string{"Env": "prod"})
	w.ExpectAccess(false, false, false, false)
	w.SetNodeTags(scenario.PC02, map[string]string{"Env": "stg", "Tier": "web"})
	w.ExpectAccess(false, true, false, true)
}

func TestATargetThatMeansAnExcludedNodeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		nodes  v1alpha1.NodeExclusion
		target v1alpha1.Target
		says   []string
	}{
		"by its id":                {v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{scenario.PC01}}, v1alpha1.Target{InstanceIDs: []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}}, []string{scenario.PC01, "targets"}},
		"by tags that it may have": {v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{scenario.PC01}}, v1alpha1.Target{Tags: map[string]string{"Env": "stg"}}, []string{scenario.PC01, "instanceIDs", "tag"}},
		"by the excluded tag":      {scenario.ExcludedTag("tier", "bastion"), v1alpha1.Target{Tags: map[string]string{"Tier": "bastion"}}, []string{"Tier=bastion"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			grant := scenario.Access("user01", "user01")
			grant.Spec.Targets = []v1alpha1.Target{c.target}
			main := scenario.Account(func(a *v1alpha1.AWSAccount) {
				a.Spec.Guardrails = []v1alpha1.Guardrail{scenario.Excluding("no-bastions", c.nodes)}
			})
			w.Create(main, grant)
			got := w.AwaitAccess(grant, v1alpha1.ReasonGuardrailViolated)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, append(c.says, "no-bastions")...)
			if n := w.IAMWrites(); n != 0 {
				t.Errorf("%d writes for what a guardrail excludes", n)
			}
			scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
				a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{scenario.PC02}}}
			})
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			w.ExpectAccess(false, true, false, false)
		})
	}
}

func TestAnExcludedIDTakesAwayWhatWasGrantedOnIt(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{scenario.Excluding("bastion", v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{scenario.PC01}})}
	})
	w.AwaitSessionEnd(session)
	w.ExpectAccess(false, false, false, false)
	w.AwaitAccess(grant, v1alpha1.ReasonGuardrailViolated)
}

func TestAStricterConditionTakesEffectWhileAReferenceIsUnresolvedAndALooserOneWaits(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.ExpectAccess(true, false, false, false)

	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.RequireMFA = true
		a.Spec.Documents = append(a.Spec.Documents, v1alpha1.DocumentReference{Ref: &v1alpha1.LocalReference{Name: "logged"}})
	})
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
	w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)

	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.RequireMFA = false })
	got := w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	if w.MayOpen("user01", scenario.PC01) || !got.Status.Applied.Granted.RequireMFA {
		t.Error("a condition is looser although a reference is unresolved")
	}
	w.Create(scenario.SessionDocument())
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
}
