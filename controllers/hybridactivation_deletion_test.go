package controllers_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func secretObject(name string) *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: name}}
}

// deleted deletes a HybridActivation and waits until it is only waiting for the
// window.
func (w world) deleted(obj *v1alpha1.HybridActivation) {
	w.t.Helper()
	w.must(w.Client.Delete(w.t.Context(), obj))
	w.activationIs(obj, v1alpha1.ReasonWithdrawing)
}

func TestDeletionLeavesNoActivationAndNoSecret(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	w.activated(obj, account(allowActivations()))
	node := w.register(w.secret("sites"))
	w.deleted(obj)
	if left := w.allActivations(); len(left) != 0 {
		t.Errorf("%d activations are left", len(left))
	}
	w.must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
	if _, ok := w.node(node); !ok {
		t.Error("the node was deregistered, and onDelete.nodes is Keep")
	}
}

func TestDeletionDeregistersAllNodesWhenAsked(t *testing.T) {
	const machines = 130
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RegistrationLimit = new(int32(200))
		s.OnDelete.Nodes = v1alpha1.NodesDeregister
	})
	first := w.activated(obj, account(allowActivations()))
	other := activation("others")
	w.create(other)
	w.activationIs(other, v1alpha1.ReasonActivated)
	stranger := w.register(w.secret("others"))
	var nodes []string
	for range machines {
		nodes = append(nodes, w.register(w.secret("sites")))
	}
	// One has lost the tag, and is found by its activation.
	w.tagNode(nodes[0], nil)
	// The activation before is gone, and its nodes are the object's still.
	w.must(w.Client.Delete(t.Context(), secretObject("sites")))
	w.touch(obj)
	w.rotates(obj, first.Status.ActivationID)
	nodes = append(nodes, w.register(w.secret("sites")))

	w.must(w.Client.Delete(t.Context(), obj))
	w.activationIs(obj, v1alpha1.ReasonWithdrawing)
	w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.DeletionTimestamp != nil && a.Status.ActivationID == ""
	})
	w.until(func() bool {
		for _, id := range nodes {
			if _, there := w.node(id); there {
				return false
			}
		}
		return true
	})
	if _, there := w.node(stranger); !there {
		t.Error("a node of another HybridActivation was deregistered")
	}
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
}

// A machine may register in the last moment, and AWS may show it late.
func TestANodeThatRegisteredInTheLastMomentIsDeregisteredToo(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RegistrationLimit = new(int32(3))
		s.OnDelete.Nodes = v1alpha1.NodesDeregister
	})
	w.activated(obj, account(allowActivations()))
	secret := w.secret("sites")
	registered := make(chan string, 1)
	var once sync.Once
	w.Emulator.OnCall(func(c calls.Call) {
		if c.Operation == "DeleteActivation" {
			once.Do(func() { registered <- w.register(secret) })
		}
	})
	w.must(w.Client.Delete(t.Context(), obj))
	late := <-registered
	w.until(func() bool {
		_, there := w.node(late)
		return !there
	})
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestDeletionWaitsWhileAWSIsOutOfReach(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	w.activated(obj, account(allowActivations()))
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Drop, Action: "ssm:*"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), obj))
	got := w.activationIs(obj, v1alpha1.ReasonAWSUnavailable)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:")
	if len(w.allActivations()) != 1 {
		t.Error("the activation is gone")
	}
	w.Emulator.RemoveFault(id)
	w.activationIs(obj, v1alpha1.ReasonWithdrawing)
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestDeletionWaitsForItsAccount(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj, main := activation("sites"), account(allowActivations())
	w.activated(obj, main)
	w.must(w.Client.Delete(t.Context(), main))
	got := w.accountIs(main, v1alpha1.ReasonInUse)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "HybridActivation team-a/sites")
	w.deleted(obj)
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
	w.must(testenv.WaitGone(t.Context(), w.Client, main))
}

func TestAnActivationThatAWSWasNeverToldOfGoesAtOnce(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	w.create(obj)
	w.activationIs(obj, v1alpha1.ReasonAccountNotFound)
	w.must(w.Client.Delete(t.Context(), obj))
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestADeletedNamespaceTakesItsActivationsAlong(t *testing.T) {
	const leaving = "team-leaving-sites"
	w := newWorld(t, testenv.ManagerOptions{})
	w.must(w.Namespace(t.Context(), leaving, map[string]string{"team": "a"}))
	w.create(account(allowActivations()))
	var all []*v1alpha1.HybridActivation
	for i := range 5 {
		obj := activation(fmt.Sprint("sites-", i), validFor(time.Hour))
		obj.Namespace = leaving
		w.create(obj)
		w.activationIs(obj, v1alpha1.ReasonActivated)
		all = append(all, obj)
	}
	w.must(w.Client.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
	for _, obj := range all {
		w.activationIs(obj, v1alpha1.ReasonWithdrawing)
	}
	w.advance(testWindow)
	for _, obj := range all {
		w.touch(obj)
	}
	w.must(testenv.WaitGone(t.Context(), w.Client, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: leaving}}))
	if left := w.allActivations(); len(left) != 0 {
		t.Errorf("%d activations are left", len(left))
	}
}

// Removing the finalizer by hand leaves an activation behind.
func TestActivationsWhoseObjectIsGoneAreDeleted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	obj, kept := activation("sites"), activation("kept")
	w.activated(obj, account(allowActivations()))
	w.create(kept)
	stays := w.activationIs(kept, v1alpha1.ReasonActivated).Status.ActivationID
	change(w, obj, func(a *v1alpha1.HybridActivation) { a.Finalizers = nil })
	w.must(w.Client.Delete(t.Context(), obj))
	w.advance(testWindow)
	w.until(func() bool { return len(w.allActivations()) == 1 })
	if w.allActivations()[stays] == nil {
		t.Error("the activation of another object was deleted")
	}
}

func TestANodeThatCannotBeDeregisteredKeepsNoOther(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) {
		s.RegistrationLimit = new(int32(3))
		s.OnDelete.Nodes = v1alpha1.NodesDeregister
	})
	w.activated(obj, account(allowActivations()))
	nodes := []string{w.register(w.secret("sites")), w.register(w.secret("sites")), w.register(w.secret("sites"))}
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeregisterManagedInstance", Nth: 1})
	w.must(err)
	registered := func() (n int) {
		for _, id := range nodes {
			if _, there := w.node(id); there {
				n++
			}
		}
		return n
	}
	w.must(w.Client.Delete(t.Context(), obj))
	w.until(func() bool { return w.fired(fault) && registered() == 1 })
	w.touch(obj)
	w.until(func() bool { return registered() == 0 })
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
}

func TestAnActivationThatCannotBeDeletedKeepsNoOther(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	one, two, kept := activation("one"), activation("two"), activation("kept") // Regions with none are not swept again.
	w.activated(one, account(allowActivations()))
	w.create(two, kept)
	w.activationIs(two, v1alpha1.ReasonActivated)
	w.activationIs(kept, v1alpha1.ReasonActivated)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeleteActivation", Nth: 1})
	w.must(err)
	for _, obj := range []*v1alpha1.HybridActivation{one, two} {
		change(w, obj, func(a *v1alpha1.HybridActivation) { a.Finalizers = nil })
		w.must(w.Client.Delete(t.Context(), obj))
	}
	w.advance(testWindow)
	w.until(func() bool { return w.fired(fault) && len(w.allActivations()) <= 2 })
	w.until(func() bool { return len(w.allActivations()) == 1 })
}
