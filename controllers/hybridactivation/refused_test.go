package hybridactivation_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A reader of the Secret could register machines for as long as the activation stays.
func TestTheCodeOfARefusedActivationGoesAlthoughTheActivationCannot(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj, main := scenario.Activation("sites"), scenario.Account(scenario.AllowActivations())
	w.CreateActivation(obj, main)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeleteActivation"})
	w.Must(err)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
	w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
	if n := len(w.Activations()); n != 1 {
		t.Fatalf("AWS holds %d activations although none can be deleted", n)
	}
	w.Emulator.RemoveFault(fault)
	w.Touch(obj)
	w.AwaitActivation(obj, v1alpha1.ReasonGuardrailViolated)
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
}

func TestAListThatFailsKeepsNoRefusedActivation(t *testing.T) {
	for name, end := range map[string]func(world, *v1alpha1.HybridActivation, *v1alpha1.AWSAccount){
		"the guardrail is removed": func(w world, _ *v1alpha1.HybridActivation, main *v1alpha1.AWSAccount) {
			scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
		},
		"the object is deleted": func(w world, obj *v1alpha1.HybridActivation, _ *v1alpha1.AWSAccount) {
			w.Must(w.Client.Delete(w.T.Context(), obj))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj, main := scenario.Activation("sites"), scenario.Account(scenario.AllowActivations())
			w.CreateActivation(obj, main)
			fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeActivations"})
			w.Must(err)
			w.Advance(time.Minute) // The last list is too old.
			end(w, obj, main)
			w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
			w.Eventually(func() bool { return len(w.Activations()) == 0 })
			w.Emulator.RemoveFault(fault)
		})
	}
}

// No reader of the Secret may register machines with more than is declared.
func TestTheCodeOfANarrowedActivationGoesAlthoughTheActivationCannot(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", limitedTo(2))
	first := w.CreateActivation(site, scenario.Account(scenario.AllowActivations())).Status.ActivationID
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeleteActivation"})
	w.Must(err)
	scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) { a.Spec.RegistrationLimit = new(int32(1)) })
	w.AwaitActivation(site, v1alpha1.ReasonAccessDenied)
	w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("site")))
	w.Emulator.RemoveFault(fault)
	w.Touch(site)
	w.holdsOne(w.rotates(site, first))
}
