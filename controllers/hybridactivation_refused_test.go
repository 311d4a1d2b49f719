package controllers_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A reader of the Secret could register machines for as long as the activation stays.
func TestTheCodeOfARefusedActivationGoesAlthoughTheActivationCannot(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj, main := activation("sites"), account(allowActivations())
	w.activated(obj, main)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DeleteActivation"})
	w.must(err)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
	w.must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
	if n := len(w.allActivations()); n != 1 {
		t.Fatalf("AWS holds %d activations although none can be deleted", n)
	}
	w.Emulator.RemoveFault(fault)
	w.touch(obj)
	w.activationIs(obj, v1alpha1.ReasonGuardrailViolated)
	w.until(func() bool { return len(w.allActivations()) == 0 })
}
