package controllers_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func excluding(name string, nodes v1alpha1.NodeExclusion) v1alpha1.Guardrail {
	return v1alpha1.Guardrail{Name: name, NamespaceSelector: &metav1.LabelSelector{}, ExcludedNodes: &nodes}
}

func excludedTag(key string, values ...string) v1alpha1.NodeExclusion {
	return v1alpha1.NodeExclusion{Tags: []v1alpha1.ExcludedTag{{Key: key, Values: values}}}
}

func TestANodeWithAnExcludedTagIsOutOfReachHoweverItIsNamed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.tagNode(pc01, map[string]string{"Env": "stg"})
	w.tagNode(pc02, map[string]string{"Env": "stg", "tier": "bastion"})
	byID, byTag := access("by-id", "user01", pc01, pc02), access("by-tag", "user02")
	byTag.Spec.Targets = []v1alpha1.Target{{Tags: map[string]string{"Env": "stg"}}}
	main := account()
	w.create(main, byID, byTag)
	w.accessIs(byID, v1alpha1.ReasonGranted)
	w.accessIs(byTag, v1alpha1.ReasonGranted)
	w.grid(true, true, true, true)
	kept := []string{w.open(user("user01"), pc01), w.open(user("user02"), pc01)}
	lost := []string{w.open(user("user01"), pc02), w.open(user("user02"), pc02)}

	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{excluding("bastions", excludedTag("Tier", "bastion", "payment")), excluding("production", excludedTag("Env", "prod"))}
	})
	for _, id := range lost {
		w.untilEnded(id)
	}
	w.openStill(kept...)
	w.grid(true, false, true, false)
	w.tagNode(pc01, map[string]string{"Env": "stg", "Tier": "payment"})
	w.grid(false, false, false, false)
	w.tagNode(pc01, map[string]string{"Env": "prod"})
	w.grid(false, false, false, false)
	w.tagNode(pc02, map[string]string{"Env": "stg", "Tier": "web"})
	w.grid(false, true, false, true)
}

func TestATargetThatMeansAnExcludedNodeIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		nodes  v1alpha1.NodeExclusion
		target v1alpha1.Target
		says   []string
	}{
		"by its id":                {v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{pc01}}, v1alpha1.Target{InstanceIDs: []v1alpha1.InstanceID{pc01, pc02}}, []string{pc01, "targets"}},
		"by tags that it may have": {v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{pc01}}, v1alpha1.Target{Tags: map[string]string{"Env": "stg"}}, []string{pc01, "instanceIDs", "tag"}},
		"by the excluded tag":      {excludedTag("tier", "bastion"), v1alpha1.Target{Tags: map[string]string{"Tier": "bastion"}}, []string{"Tier=bastion"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			grant := access("user01", "user01")
			grant.Spec.Targets = []v1alpha1.Target{c.target}
			main := account(func(a *v1alpha1.AWSAccount) {
				a.Spec.Guardrails = []v1alpha1.Guardrail{excluding("no-bastions", c.nodes)}
			})
			w.create(main, grant)
			got := w.accessIs(grant, v1alpha1.ReasonGuardrailViolated)
			w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, append(c.says, "no-bastions")...)
			if n := w.writes(); n != 0 {
				t.Errorf("%d writes for what a guardrail excludes", n)
			}
			change(w, grant, func(a *v1alpha1.SessionAccess) {
				a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{pc02}}}
			})
			w.accessIs(grant, v1alpha1.ReasonGranted)
			w.grid(false, true, false, false)
		})
	}
}

func TestAnExcludedIDTakesAwayWhatWasGrantedOnIt(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := account(), access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	session := w.open(user("user01"), pc01)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{excluding("bastion", v1alpha1.NodeExclusion{InstanceIDs: []v1alpha1.InstanceID{pc01}})}
	})
	w.untilEnded(session)
	w.grid(false, false, false, false)
	w.accessIs(grant, v1alpha1.ReasonGuardrailViolated)
}

func TestAStricterConditionTakesEffectWhileAReferenceIsUnresolvedAndALooserOneWaits(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	grant := access("user01-pc01", "user01", pc01)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.grid(true, false, false, false)

	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.RequireMFA = true
		a.Spec.Documents = append(a.Spec.Documents, v1alpha1.DocumentReference{Ref: &v1alpha1.LocalReference{Name: "logged"}})
	})
	w.until(func() bool { return !w.may("user01", pc01) })
	w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)

	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.RequireMFA = false })
	got := w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	if w.may("user01", pc01) || !got.Status.Applied.Granted.RequireMFA {
		t.Error("a condition is looser although a reference is unresolved")
	}
	w.create(sessionDocument())
	w.until(func() bool { return w.may("user01", pc01) })
}
