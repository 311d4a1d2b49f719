package hybridactivation_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func secretObject(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: scenario.Team, Name: name}}
}

// deleted deletes a HybridActivation and waits until it is only waiting for the
// window.
func (w world) deleted(obj *v1alpha1.HybridActivation) {
	w.T.Helper()
	w.Must(w.Client.Delete(w.T.Context(), obj))
	w.AwaitActivation(obj, v1alpha1.ReasonWithdrawing)
}

func TestDeletionLeavesNoActivationAndNoSecret(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	node := w.RegisterMachine(w.Secret("sites"))
	w.deleted(obj)
	if left := w.Activations(); len(left) != 0 {
		t.Errorf("%d activations are left", len(left))
	}
	w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	if _, ok := w.Node(node); !ok {
		t.Error("the node was deregistered, and nodeDeletionPolicy is Keep")
	}
}

func TestDeletionDeregistersAllNodesWhenAsked(t *testing.T) {
	const machines = 130
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RegistrationLimit = new(int32(200))
		s.NodeDeletionPolicy = v1alpha1.NodesDeregister
	})
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	other := scenario.Activation("others")
	w.Create(other)
	w.AwaitActivation(other, v1alpha1.ReasonActivated)
	stranger := w.RegisterMachine(w.Secret("others"))
	var nodes []string
	for range machines {
		nodes = append(nodes, w.RegisterMachine(w.Secret("sites")))
	}
	// One has lost the tag, and is found by its activation.
	w.SetNodeTags(nodes[0], nil)
	// The activation before is gone, and its nodes are the object's still.
	w.Must(w.Client.Delete(t.Context(), secretObject("sites")))
	w.Touch(obj)
	w.rotates(obj, first.Status.ActivationID)
	nodes = append(nodes, w.RegisterMachine(w.Secret("sites")))

	w.Must(w.Client.Delete(t.Context(), obj))
	w.AwaitActivation(obj, v1alpha1.ReasonWithdrawing)
	w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.DeletionTimestamp != nil && a.Status.ActivationID == ""
	})
	w.Eventually(func() bool {
		for _, id := range nodes {
			if _, there := w.Node(id); there {
				return false
			}
		}
		return true
	})
	if _, there := w.Node(stranger); !there {
		t.Error("a node of another HybridActivation was deregistered")
	}
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
}

// A machine may register in the last moment, and AWS may show it late.
func TestANodeThatRegisteredInTheLastMomentIsDeregisteredToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RegistrationLimit = new(int32(3))
		s.NodeDeletionPolicy = v1alpha1.NodesDeregister
	})
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	secret := w.Secret("sites")
	registered := make(chan string, 1)
	var once sync.Once
	w.Emulator.OnCall(func(c calls.Call) {
		if c.Operation == "DeleteActivation" {
			once.Do(func() { registered <- w.RegisterMachine(secret) })
		}
	})
	w.Must(w.Client.Delete(t.Context(), obj))
	late := <-registered
	w.Eventually(func() bool {
		_, there := w.Node(late)
		return !there
	})
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestDeletionWaitsWhileAWSIsOutOfReach(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Drop, Action: "ssm:*"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), obj))
	got := w.AwaitActivation(obj, v1alpha1.ReasonAWSUnavailable)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:")
	if len(w.Activations()) != 1 {
		t.Error("the activation is gone")
	}
	w.Emulator.RemoveFault(id)
	w.AwaitActivation(obj, v1alpha1.ReasonWithdrawing)
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestDeletionWaitsForItsAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj, main := scenario.Activation("sites"), scenario.Account(scenario.AllowActivations())
	w.CreateActivation(obj, main)
	w.Must(w.Client.Delete(t.Context(), main))
	got := w.AwaitAccount(main, v1alpha1.ReasonInUse)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "HybridActivation team-a/sites")
	w.deleted(obj)
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	w.Must(testenv.WaitGone(t.Context(), w.Client, main))
}

func TestAnActivationThatAWSWasNeverToldOfGoesAtOnce(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	w.Create(obj)
	w.AwaitActivation(obj, v1alpha1.ReasonAccountNotFound)
	w.Must(w.Client.Delete(t.Context(), obj))
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestADeletedNamespaceTakesItsActivationsAlong(t *testing.T) {
	const leaving = "team-leaving-sites"
	w := newWorld(t, testenv.ManagerOptions{})
	w.Must(w.Namespace(t.Context(), leaving, map[string]string{"team": "a"}))
	w.Create(scenario.Account(scenario.AllowActivations()))
	var all []*v1alpha1.HybridActivation
	for i := range 5 {
		obj := scenario.Activation(fmt.Sprint("sites-", i), scenario.ValidFor(time.Hour))
		obj.Namespace = leaving
		w.Create(obj)
		w.AwaitActivation(obj, v1alpha1.ReasonActivated)
		all = append(all, obj)
	}
	w.Must(w.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
	for _, obj := range all {
		w.AwaitActivation(obj, v1alpha1.ReasonWithdrawing)
	}
	w.Advance(scenario.Window)
	for _, obj := range all {
		w.Touch(obj)
	}
	w.Must(testenv.WaitGone(t.Context(), w.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
	if left := w.Activations(); len(left) != 0 {
		t.Errorf("%d activations are left", len(left))
	}
}

// Removing the finalizer by hand leaves an activation behind.
func TestActivationsWhoseObjectIsGoneAreDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	obj, kept := scenario.Activation("sites"), scenario.Activation("kept")
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	w.Create(kept)
	stays := w.AwaitActivation(kept, v1alpha1.ReasonActivated).Status.ActivationID
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Finalizers = nil })
	w.Must(w.Client.Delete(t.Context(), obj))
	w.Advance(scenario.Window)
	w.Eventually(func() bool { return len(w.Activations()) == 1 })
	if w.Activations()[stays] == nil {
		t.Error("the activation of another object was deleted")
	}
}

func TestANodeThatCannotBeDeregisteredKeepsNoOther(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RegistrationLimit = new(int32(3))
		s.NodeDeletionPolicy = v1alpha1.NodesDeregister
	})
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	nodes := []string{w.RegisterMachine(w.Secret("sites")), w.RegisterMachine(w.Secret("sites")), w.RegisterMachine(w.Secret("sites"))}
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeregisterManagedInstance", Nth: 1})
	w.Must(err)
	registered := func() (n int) {
		for _, id := range nodes {
			if _, there := w.Node(id); there {
				n++
			}
		}
		return n
	}
	w.Must(w.Client.Delete(t.Context(), obj))
	w.Eventually(func() bool { return w.HasFired(fault) && registered() == 1 })
	w.Touch(obj)
	w.Eventually(func() bool { return registered() == 0 })
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestAnActivationThatCannotBeDeletedKeepsNoOther(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	one, two, kept := scenario.Activation("one"), scenario.Activation("two"), scenario.Activation("kept") // Regions with none are not swept again.
	w.CreateActivation(one, scenario.Account(scenario.AllowActivations()))
	w.Create(two, kept)
	w.AwaitActivation(two, v1alpha1.ReasonActivated)
	w.AwaitActivation(kept, v1alpha1.ReasonActivated)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeleteActivation", Nth: 1})
	w.Must(err)
	for _, obj := range []*v1alpha1.HybridActivation{one, two} {
		scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Finalizers = nil })
		w.Must(w.Client.Delete(t.Context(), obj))
	}
	w.Advance(scenario.Window)
	w.Eventually(func() bool { return w.HasFired(fault) && len(w.Activations()) <= 2 })
	w.Eventually(func() bool { return len(w.Activations()) == 1 })
}

// In whatever order: what keeps an activation from being deleted, or its Secret, or what keeps
// the activations from being listed, keeps no node.
func TestWhatCannotBeDeletedKeepsNoNode(t *testing.T) {
	for name, c := range map[string]struct {
		action string
		policy v1alpha1.NodeDeletionPolicy
	}{
		"the activation, and nodes are deregistered":   {"ssm:DeleteActivation", v1alpha1.NodesDeregister},
		"the activation, and nodes are released":       {"ssm:DeleteActivation", v1alpha1.NodesKeep},
		"activations unlisted, nodes deregistered":     {"ssm:DescribeActivations", v1alpha1.NodesDeregister},
		"activations unlisted, and nodes are released": {"ssm:DescribeActivations", v1alpha1.NodesKeep},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) {
				s.RegistrationLimit, s.NodeDeletionPolicy = new(int32(3)), c.policy
			})
			w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
			nodes := []string{w.RegisterMachine(w.Secret("sites")), w.RegisterMachine(w.Secret("sites"))}
			w.SetNodeTags(nodes[0], map[string]string{v1alpha1.TagObject: "0/team-a/other"}) // It is found by its activation alone.
			fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: c.action})
			w.Must(err)
			w.Advance(time.Minute) // The list from before is too old.
			w.Must(w.Client.Delete(t.Context(), obj))
			got := w.AwaitActivation(obj, v1alpha1.ReasonAccessDenied)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, c.action)
			w.Eventually(func() bool {
				return !slices.ContainsFunc(nodes, func(id string) bool {
					node, there := w.Node(id)
					if c.policy == v1alpha1.NodesDeregister {
						return there
					}
					return id == nodes[1] && node.Tags[v1alpha1.TagObject] != "released"
				})
			})
			w.Emulator.RemoveFault(fault)
			w.Touch(obj)
			w.AwaitActivation(obj, v1alpha1.ReasonWithdrawing)
			w.Advance(scenario.Window, obj)
			w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
			if left := w.Activations(); len(left) != 0 {
				t.Errorf("%d activations are left", len(left))
			}
		})
	}
}
