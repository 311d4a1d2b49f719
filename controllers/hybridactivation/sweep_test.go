package hybridactivation_test

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// loseAll makes objects while a manager runs, and takes them away while none does. No object
// of the region is left.
func (w world) loseAll(n int) {
	w.T.Helper()
	m := w.Manager(w.T, testenv.ManagerOptions{})
	w.Create(scenario.Account(scenario.AllowActivations()))
	var all []client.Object
	for i := range n {
		obj := scenario.Activation(fmt.Sprint("lost-", i))
		w.Create(obj)
		all = append(all, obj)
	}
	for _, obj := range all {
		w.AwaitActivation(obj.(*v1alpha1.HybridActivation), v1alpha1.ReasonActivated)
	}
	w.Must(m.Stop())
	w.LoseObjects(all...)
}

func TestARegionWhoseListFailsIsSweptOnceItDoesNot(t *testing.T) {
	w := worldWithoutManager(t)
	w.loseAll(1)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeActivations"})
	w.Must(err)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool { return w.HasFired(fault) })
	w.Emulator.RemoveFault(fault)
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
}

func TestARegionWithoutObjectsIsSweptUntilNothingIsLeft(t *testing.T) {
	w := worldWithoutManager(t)
	w.loseAll(12) // More than one sweep deletes.
	w.Manager(t, testenv.ManagerOptions{})
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
}

// A tenant removes the operator's finalizer from an object that is being deleted, and keeps
// it with another.
func TestAnObjectThatAnotherFinalizerKeepsLetsNoMachineIn(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, site := scenario.Account(scenario.AllowActivations()), scenario.Activation("site")
	w.CreateActivation(site, main)
	w.Must(m.Stop())
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(site), site))
	site.SetFinalizers([]string{"tenant.example/keep"})
	w.Must(w.Client.Update(t.Context(), site))
	w.Must(w.Client.Delete(t.Context(), site))
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesNone}
	})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
	scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) { a.Finalizers = nil })
}

func TestANarrowedActivationIsDeletedAlthoughItsNodesCannotBeListed(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", limitedTo(2))
	first := w.CreateActivation(site, scenario.Account(atMost(20))).Status.ActivationID
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeInstanceInformation"})
	w.Must(err)
	w.Advance(3 * time.Minute) // The list from before is too old.
	scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) { a.Spec.RegistrationLimit = new(int32(1)) })
	w.Eventually(func() bool { return w.Activations()[first] == nil })
	got := w.AwaitActivation(site, v1alpha1.ReasonAccessDenied)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:DescribeInstanceInformation")
	w.Emulator.RemoveFault(fault)
	w.Advance(countWindow, site)
	w.holdsOne(w.rotates(site, first))
}
