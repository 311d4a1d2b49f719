package controllers_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAMachineRegistersWithWhatTheSecretHolds(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	got := w.activated(activation("sites"), account(allowActivations()))
	w.holdsOne(got)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "Secret \"sites\"", region)
	if got.Status.Registered != "0/10" || got.Status.ExpiresAt == nil {
		t.Errorf("the status tells of %q, until %v", got.Status.Registered, got.Status.ExpiresAt)
	}
	secret := w.secret("sites")
	keys := []string{v1alpha1.SecretKeyCode, v1alpha1.SecretKeyID, v1alpha1.SecretKeyRegion, v1alpha1.SecretKeyLinux, v1alpha1.SecretKeyWindows}
	if have := slices.Sorted(maps.Keys(secret.Data)); !slices.Equal(have, slices.Sorted(slices.Values(keys))) {
		t.Errorf("the Secret has the keys %v", have)
	}
	if owner := metav1.GetControllerOf(secret); owner == nil || owner.UID != got.UID {
		t.Errorf("the Secret is controlled by %v", owner)
	}
	id := w.register(secret)
	node, ok := w.node(id)
	if !ok || node.Tags[v1alpha1.TagActivation] != string(got.UID) || node.Tags[v1alpha1.TagOwner] != testenv.DefaultOwner || node.Role != serviceRole {
		t.Errorf("the node is %+v", node)
	}
	w.advance(3*time.Minute, got)
	got = w.activationBecomes(got, func(a *v1alpha1.HybridActivation) bool { return len(a.Status.Nodes) == 1 })
	if n := got.Status.Nodes[0]; n.ID != id || n.Ping != "Online" || n.AgentVersion == "" || *got.Status.NodeCount != 1 || got.Status.Registered != "1/10" {
		t.Errorf("the status is %+v", got.Status)
	}
}

func TestEveryFieldReachesAWS(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", validFor(48*time.Hour), func(s *v1alpha1.HybridActivationSpec) {
		s.DefaultInstanceName, s.Description, s.SecretName = "site 1", "machines of site 1", "site-1"
		s.Tags = map[string]string{"Env": "stg", "拠点": "東京"}
	})
	got := w.activated(obj, account(allowActivations(func(r *v1alpha1.ActivationRule) { r.RequiredTags = map[string]string{"Team": "a"} })))
	a := w.allActivations()[got.Status.ActivationID]
	if a == nil || a.Role != serviceRole || a.Limit != 10 || a.Name != "site 1" || a.Description != "machines of site 1" {
		t.Fatalf("AWS holds %+v", a)
	}
	if life := a.Expires.Sub(a.Created); life < 48*time.Hour-time.Minute || life > 48*time.Hour {
		t.Errorf("it is valid for %v", life)
	}
	want := map[string]string{
		"Env": "stg", "拠点": "東京", "Team": "a",
		v1alpha1.TagActivation: string(got.UID), v1alpha1.TagOwner: testenv.DefaultOwner, v1alpha1.TagNonce: a.Tags[v1alpha1.TagNonce],
		v1alpha1.TagObject: testenv.DefaultOwner + "/" + team + "/sites",
	}
	if !maps.Equal(a.Tags, want) || a.Tags[v1alpha1.TagNonce] == "" {
		t.Errorf("it has the tags %v", a.Tags)
	}
	w.holdsOne(got)
}

// A change that AWS cannot make in place is a new activation, and the Secret has
// its code.
func TestEveryChangeIsARotation(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*v1alpha1.HybridActivationSpec)
		// graceful: machines may register with the one before for a while.
		graceful bool
	}{
		"a higher limit":  {func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(20)) }, true},
		"a lower limit":   {func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(5)) }, false},
		"the role":        {func(s *v1alpha1.HybridActivationSpec) { s.Role = otherRole }, false},
		"the name":        {func(s *v1alpha1.HybridActivationSpec) { s.DefaultInstanceName = "other" }, true},
		"the description": {func(s *v1alpha1.HybridActivationSpec) { s.Description = "other" }, true},
		"the validity":    {validFor(72 * time.Hour), true},
		"the tags":        {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env": "prod"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			w.addRole(otherRole)
			obj := activation("sites")
			first := w.activated(obj, account(allowActivations()))
			old := w.secret("sites")
			change(w, obj, func(a *v1alpha1.HybridActivation) { c.edit(&a.Spec) })
			second := w.rotates(obj, first.Status.ActivationID)
			if _, alive := w.allActivations()[first.Status.ActivationID]; alive != c.graceful {
				t.Fatalf("the one before is alive = %t", alive)
			}
			if c.graceful {
				w.register(old)
				w.advance(16*time.Minute, second)
				second = w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool { return len(a.Status.Record.Previous) == 0 })
			}
			w.holdsOne(second)
			if a := w.allActivations()[second.Status.ActivationID]; a.Role != second.Spec.Role || a.Limit != *second.Spec.RegistrationLimit {
				t.Errorf("AWS holds %+v", a)
			}
		})
	}
}

func TestTheStatusListsFiftyNodesAndCountsAll(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(60)) })
	w.activated(obj, account(allowActivations()))
	for range 53 {
		w.register(w.secret("sites"))
	}
	w.advance(3*time.Minute, obj)
	got := w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.Status.NodeCount != nil && *a.Status.NodeCount == 53
	})
	if n := len(got.Status.Nodes); n != 50 {
		t.Errorf("%d nodes are listed", n)
	}
	if got.Status.Registered != "53/60" {
		t.Errorf("%s have registered", got.Status.Registered)
	}
}

func TestAnActivationIsReplacedBeforeItExpires(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RotateBefore = &metav1.Duration{Duration: 2 * time.Hour}
	})
	first := w.activated(obj, account(allowActivations()))
	n := w.LastCall()
	w.advance(21*time.Hour, first)
	w.activationIs(obj, v1alpha1.ReasonActivated)
	w.advance(90*time.Minute, first)
	second := w.rotates(obj, first.Status.ActivationID)
	if len(w.allActivations()) != 2 || len(second.Status.Record.Previous) != 1 {
		t.Errorf("AWS holds %d activations, and the record %+v", len(w.allActivations()), second.Status.Record)
	}
	w.advance(16*time.Minute, second)
	w.holdsOne(w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool { return len(a.Status.Record.Previous) == 0 }))
	if made := w.ssmCalls(n, "CreateActivation"); made != 1 {
		t.Errorf("%d activations were made", made)
	}
}

func TestAnActivationDeletedBySomebodyIsMadeAnew(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	first := w.activated(obj, account(allowActivations()))
	w.deleteActivation(first.Status.ActivationID)
	// What was listed before then serves no longer once the clock has moved.
	w.advance(testWindow, obj)
	w.holdsOne(w.rotates(obj, first.Status.ActivationID))
}

func TestAUsedUpActivationSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(1)) })
	w.activated(obj, account(allowActivations()))
	w.register(w.secret("sites"))
	w.advance(3*time.Minute, obj)
	got := w.activationIs(obj, v1alpha1.ReasonUsedUp)
	ready := condition(got.Status.Conditions, v1alpha1.ConditionReady)
	w.sentence(ready.Message, "replenish", "registrationLimit")
	if got.Status.Registered != "1/1" || ready.Status != metav1.ConditionTrue {
		t.Errorf("the status is %+v", got.Status)
	}
	w.holdsOne(got)
}

func TestAUsedUpActivationIsReplenishedWhenAsked(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit, s.Replenish = new(int32(2)), true })
	first := w.activated(obj, account(allowActivations()))
	nodes := []string{w.register(w.secret("sites")), w.register(w.secret("sites"))}
	w.advance(3*time.Minute, obj)
	w.rotates(obj, first.Status.ActivationID)
	nodes = append(nodes, w.register(w.secret("sites")))
	w.advance(3*time.Minute, obj)
	got := w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool { return a.Status.NodeCount != nil && *a.Status.NodeCount == 3 })
	w.holdsOne(got)
	for _, id := range nodes {
		if !slices.ContainsFunc(got.Status.Nodes, func(n v1alpha1.HybridNode) bool { return n.ID == id }) {
			t.Errorf("node %s is not shown", id)
		}
	}
}

func TestObserveWritesNothing(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	main := account(allowActivations(), func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.create(main, obj)
	got := w.activationIs(obj, v1alpha1.ReasonObserved)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, serviceRole, "Secret \"sites\"", "Enforce")
	if len(w.allActivations()) != 0 || len(got.Finalizers) != 0 || got.Status.Record != nil {
		t.Errorf("AWS holds %d activations, the object has the finalizers %v and the record %v", len(w.allActivations()), got.Finalizers, got.Status.Record)
	}
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	got = w.activationIs(obj, v1alpha1.ReasonActivated)
	w.holdsOne(got)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.accountIs(main, v1alpha1.ReasonVerified) // By then the operator knows of the mode.
	change(w, obj, func(a *v1alpha1.HybridActivation) { a.Spec.Description = "other" })
	w.activationIs(obj, v1alpha1.ReasonObserved)
	w.must(w.Client.Delete(t.Context(), obj))
	got = w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.DeletionTimestamp != nil && condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonObserved
	})
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "Enforce", "delete its activations")
	w.holdsOne(got)
}

func TestWhatIsNotAllowedAnyMoreIsTakenBack(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	main := account(allowActivations())
	w.activated(obj, main)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].Activations.Roles = []v1alpha1.NamePattern{"Other*"}
	})
	got := w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonGuardrailViolated && a.Status.ActivationID == ""
	})
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "activations", serviceRole)
	if left := w.allActivations(); len(left) != 0 {
		t.Errorf("%d activations are left", len(left))
	}
	w.must(testenv.WaitGone(t.Context(), w.Client, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "sites"}}))
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails[0].Activations.Roles = []v1alpha1.NamePattern{"*"} })
	w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
}
