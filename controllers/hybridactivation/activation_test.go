package hybridactivation_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAMachineRegistersWithWhatTheSecretHolds(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	got := w.CreateActivation(scenario.Activation("sites"), scenario.Account(scenario.AllowActivations()))
	w.holdsOne(got)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "Secret \"sites\"", scenario.Region)
	if registrations(got) != "0/10" || got.Status.ExpiresAt == nil {
		t.Errorf("the status shows %q, until %v", registrations(got), got.Status.ExpiresAt)
	}
	secret := w.Secret("sites")
	keys := []string{v1alpha1.SecretKeyCode, v1alpha1.SecretKeyID, v1alpha1.SecretKeyRegion, v1alpha1.SecretKeyLinux, v1alpha1.SecretKeyWindows}
	if have := slices.Sorted(maps.Keys(secret.Data)); !slices.Equal(have, slices.Sorted(slices.Values(keys))) {
		t.Errorf("the Secret has the keys %v", have)
	}
	if owner := metav1.GetControllerOf(secret); owner == nil || owner.UID != got.UID {
		t.Errorf("the Secret is controlled by %v", owner)
	}
	id := w.RegisterMachine(secret)
	node, ok := w.Node(id)
	if !ok || node.Tags[v1alpha1.TagActivation] != string(got.UID) || node.Tags[v1alpha1.TagOwner] != testenv.DefaultOwner || node.Role != scenario.ServiceRole {
		t.Errorf("the node is %+v", node)
	}
	w.Advance(3*time.Minute, got)
	got = w.AwaitActivationThat(got, func(a *v1alpha1.HybridActivation) bool { return len(a.Status.Nodes) == 1 })
	if n := got.Status.Nodes[0]; n.ID != id || n.Ping != "Online" || n.AgentVersion == "" || *got.Status.NodeCount != 1 || registrations(got) != "1/10" {
		t.Errorf("the status is %+v", got.Status)
	}
}

func TestEveryFieldReachesAWS(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", scenario.ValidFor(48*time.Hour), func(s *v1alpha1.HybridActivationSpec) {
		s.DefaultInstanceName, s.Description, s.SecretName = "site 1", "machines of site 1", "site-1"
		s.Tags = map[string]string{"Env": "stg", "拠点": "東京"}
	})
	got := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations(func(r *v1alpha1.ActivationRule) { r.RequiredTags = map[string]string{"Team": "a"} })))
	a := w.Activations()[got.Status.ActivationID]
	if a == nil || a.Role != scenario.ServiceRole || a.Limit != 10 || a.Name != "site 1" || a.Description != "machines of site 1" {
		t.Fatalf("AWS holds %+v", a)
	}
	if life := a.Expires.Sub(a.Created); life < 48*time.Hour-time.Minute || life > 48*time.Hour {
		t.Errorf("it is valid for %v", life)
	}
	want := map[string]string{
		"Env": "stg", "拠点": "東京", "Team": "a",
		v1alpha1.TagActivation: string(got.UID), v1alpha1.TagOwner: testenv.DefaultOwner, v1alpha1.TagNonce: a.Tags[v1alpha1.TagNonce],
		v1alpha1.TagObject: testenv.DefaultOwner + "/" + scenario.Team + "/sites",
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
		"the validity":    {scenario.ValidFor(72 * time.Hour), true},
		"the tags":        {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env": "prod"} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			w.addRole(otherRole)
			obj := scenario.Activation("sites")
			first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
			old := w.Secret("sites")
			scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { c.edit(&a.Spec) })
			second := w.rotates(obj, first.Status.ActivationID)
			if _, alive := w.Activations()[first.Status.ActivationID]; alive != c.graceful {
				t.Fatalf("the one before is alive = %t", alive)
			}
			if c.graceful {
				w.RegisterMachine(old)
				w.Advance(16*time.Minute, second)
				second = w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool { return len(a.Status.Record.Previous) == 0 })
			}
			w.holdsOne(second)
			if a := w.Activations()[second.Status.ActivationID]; a.Role != second.Spec.Role || a.Limit != *second.Spec.RegistrationLimit {
				t.Errorf("AWS holds %+v", a)
			}
		})
	}
}

func TestTheStatusListsFiftyNodesAndCountsAll(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(60)) })
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	for range 53 {
		w.RegisterMachine(w.Secret("sites"))
	}
	w.Advance(3*time.Minute, obj)
	got := w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.Status.NodeCount != nil && *a.Status.NodeCount == 53
	})
	if n := len(got.Status.Nodes); n != 50 {
		t.Errorf("%d nodes are listed", n)
	}
	if registrations(got) != "53/60" {
		t.Errorf("%s have registered", registrations(got))
	}
}

func TestANodeIsCountedAsSoonAsItsRegistrationIs(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	for n := range int32(3) {
		w.RegisterMachine(w.Secret("sites"))
		w.Advance(31*time.Second, obj)
		got := w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
			return registrations(a) == fmt.Sprintf("%d/10", n+1)
		})
		if got.Status.NodeCount == nil || *got.Status.NodeCount != n+1 {
			t.Fatalf("with %s registered, the status counts %d nodes", registrations(got), *got.Status.NodeCount)
		}
	}
}

func TestAnActivationIsReplacedBeforeItExpires(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RotateBefore = &metav1.Duration{Duration: 2 * time.Hour}
	})
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	n := w.LastCall()
	w.Advance(21*time.Hour, first)
	w.AwaitActivation(obj, v1alpha1.ReasonActivated)
	w.Advance(90*time.Minute, first)
	second := w.rotates(obj, first.Status.ActivationID)
	if len(w.Activations()) != 2 || len(second.Status.Record.Previous) != 1 {
		t.Errorf("AWS holds %d activations, and the record %+v", len(w.Activations()), second.Status.Record)
	}
	w.Advance(16*time.Minute, second)
	w.holdsOne(w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool { return len(a.Status.Record.Previous) == 0 }))
	if made := w.SSMCalls(n, "CreateActivation"); made != 1 {
		t.Errorf("%d activations were made", made)
	}
}

func TestAnActivationDeletedBySomebodyIsMadeAnew(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	w.deleteActivation(first.Status.ActivationID)
	// What was listed before then serves no longer once the clock has moved.
	w.Advance(scenario.Window, obj)
	w.holdsOne(w.rotates(obj, first.Status.ActivationID))
}

func TestAUsedUpActivationSaysSo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = new(int32(1)) })
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	w.RegisterMachine(w.Secret("sites"))
	w.Advance(3*time.Minute, obj)
	got := w.AwaitActivation(obj, v1alpha1.ReasonUsedUp)
	ready := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady)
	w.ExpectSentence(ready.Message, "replenish", "registrationLimit")
	if registrations(got) != "1/1" || ready.Status != metav1.ConditionTrue {
		t.Errorf("the status is %+v", got.Status)
	}
	w.holdsOne(got)
}

func TestAUsedUpActivationIsReplenishedWhenAsked(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit, s.Replenish = new(int32(2)), true })
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	nodes := []string{w.RegisterMachine(w.Secret("sites")), w.RegisterMachine(w.Secret("sites"))}
	w.Advance(3*time.Minute, obj)
	w.rotates(obj, first.Status.ActivationID)
	nodes = append(nodes, w.RegisterMachine(w.Secret("sites")))
	w.Advance(3*time.Minute, obj)
	got := w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool { return a.Status.NodeCount != nil && *a.Status.NodeCount == 3 })
	w.holdsOne(got)
	for _, id := range nodes {
		if !slices.ContainsFunc(got.Status.Nodes, func(n v1alpha1.HybridNode) bool { return n.ID == id }) {
			t.Errorf("node %s is not shown", id)
		}
	}
}

func TestObserveWritesNothing(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	main := scenario.Account(scenario.AllowActivations(), func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.Create(main, obj)
	got := w.AwaitActivation(obj, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, scenario.ServiceRole, "Secret \"sites\"", "Enforce")
	if len(w.Activations()) != 0 || len(got.Finalizers) != 0 || got.Status.Record != nil {
		t.Errorf("AWS holds %d activations, the object has the finalizers %v and the record %v", len(w.Activations()), got.Finalizers, got.Status.Record)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	got = w.AwaitActivation(obj, v1alpha1.ReasonActivated)
	w.holdsOne(got)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.AwaitAccount(main, v1alpha1.ReasonVerified) // By then the operator knows of the mode.
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.Description = "other" })
	w.AwaitActivation(obj, v1alpha1.ReasonObserved)
	w.Must(w.Client.Delete(t.Context(), obj))
	got = w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.DeletionTimestamp != nil && scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonObserved
	})
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "Enforce", "delete its activations")
	w.holdsOne(got)
}

func TestWhatIsNotAllowedAnyMoreIsTakenBack(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	main := scenario.Account(scenario.AllowActivations())
	w.CreateActivation(obj, main)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].Activations.Roles = []v1alpha1.NamePattern{"Other*"}
	})
	got := w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == v1alpha1.ReasonGuardrailViolated && a.Status.ActivationID == ""
	})
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "activations", scenario.ServiceRole)
	if left := w.Activations(); len(left) != 0 {
		t.Errorf("%d activations are left", len(left))
	}
	w.Must(testenv.WaitGone(t.Context(), w.Client, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: scenario.Team, Name: "sites"}}))
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails[0].Activations.Roles = []v1alpha1.NamePattern{"*"} })
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
}
