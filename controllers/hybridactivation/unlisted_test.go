package hybridactivation_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// unlisted has AWS refuse the list of activations once the last one is too old.
func (w world) unlisted() {
	w.T.Helper()
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeActivations"})
	w.Must(err)
	w.Advance(time.Minute)
}

// The status names the activation: that is enough to delete it.
func TestAListThatFailsKeepsNoNarrowedActivation(t *testing.T) {
	shorter := func(s *v1alpha1.HybridActivationSpec) {
		s.ValidFor, s.RegistrationLimit = &metav1.Duration{Duration: time.Hour}, new(int32(9))
	}
	for name, c := range map[string]struct {
		edit     func(*v1alpha1.HybridActivationSpec)
		restarts bool
	}{
		"the limit":                     {limitedTo(1), false},
		"the limit, after a restart":    {limitedTo(1), true},
		"the role":                      {func(s *v1alpha1.HybridActivationSpec) { s.Role = otherRole }, false},
		"the tags":                      {func(s *v1alpha1.HybridActivationSpec) { s.Tags = map[string]string{"Env": "prd"} }, false},
		"the validity":                  {shorter, false},
		"the validity, after a restart": {shorter, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			site := scenario.Activation("site", limitedTo(2))
			w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
			if c.restarts {
				w.Must(m.Stop())
			}
			w.unlisted()
			scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) { c.edit(&a.Spec) })
			if c.restarts {
				w.Manager(t, testenv.ManagerOptions{})
			}
			w.Eventually(func() bool { return len(w.Activations()) == 0 })
			w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("site")))
			got := w.AwaitActivation(site, v1alpha1.ReasonAccessDenied)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "ssm:DescribeActivations")
		})
	}
}

// What is declared and allowed stays.
func TestAListThatFailsTakesNoActivationAway(t *testing.T) {
	edits := map[string]func(*v1alpha1.HybridActivationSpec){
		"nothing is edited": nil,
		"a higher limit":    limitedTo(3),
		"a longer validity": scenario.ValidFor(48 * time.Hour),
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			site := scenario.Activation("site", limitedTo(2))
			w.CreateActivation(site, scenario.Account(scenario.AllowActivations()))
			w.unlisted()
			if edit != nil {
				scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) { edit(&a.Spec) })
			}
			w.Touch(site)
			w.AwaitActivation(site, v1alpha1.ReasonAccessDenied)
			w.RegisterMachine(w.Secret("site"))
		})
	}
}

func TestAListThatFailsKeepsNoActivationBeyondALoweredBound(t *testing.T) {
	for _, action := range []string{"ssm:DescribeActivations", "ssm:DescribeInstanceInformation"} {
		t.Run(action, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			main, site := scenario.Account(atMost(10)), scenario.Activation("site", limitedTo(3))
			first := w.CreateActivation(site, main).Status.ActivationID
			w.RegisterMachine(w.Secret("site"))
			w.RegisterMachine(w.Secret("site"))
			w.Advance(time.Minute) // The list from before is too old, so both are counted.
			w.Must(w.Client.Delete(t.Context(), w.Secret("site")))
			w.Touch(site)
			w.rotates(site, first)
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
			w.Must(err)
			w.Advance(3 * time.Minute)
			scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
				a.Spec.Guardrails[0].Activations.MaxRegistrations = new(int32(4)) // Two are in, and three more may come.
			})
			w.Eventually(func() bool { return len(w.Activations()) == 0 })
		})
	}
}

// What narrows and widens at once narrows at once, whatever keeps the next activation from
// being made.
func TestAShorterValidityWithAHigherLimitEndsTheActivation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	site := scenario.Activation("site", limitedTo(2), scenario.ValidFor(20*24*time.Hour))
	first := w.CreateActivation(site, scenario.Account(scenario.AllowActivations())).Status.ActivationID
	_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:CreateActivation"})
	w.Must(err)
	scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) {
		a.Spec.RegistrationLimit, a.Spec.ValidFor = new(int32(9)), &metav1.Duration{Duration: time.Hour}
	})
	w.AwaitActivation(site, v1alpha1.ReasonAccessDenied)
	if w.Activations()[first] != nil {
		t.Errorf("machines may register with activation %s for longer than is declared", first)
	}
}

// Another AWSAccount than the one that is named is used since. What the spec narrows is
// deleted all the same.
func TestANarrowedActivationIsDeletedWhileItsAccountIsRefused(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, site := scenario.Account(scenario.AllowActivations()), scenario.Activation("site", limitedTo(2))
	w.CreateActivation(site, main)
	w.Must(m.Stop())
	w.LoseObjects(main)
	other := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "other" })
	w.Create(other)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitAccount(other, v1alpha1.ReasonVerified)
	w.AwaitActivation(site, v1alpha1.ReasonAccountNotFound)
	if n := len(w.Activations()); n != 1 {
		t.Fatalf("%d activations are left of one that is declared", n)
	}
	scenario.Change(w.World, site, func(a *v1alpha1.HybridActivation) { a.Spec.RegistrationLimit = new(int32(1)) })
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
	w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("site")))
	w.AwaitActivation(site, v1alpha1.ReasonAccountNotFound)
}
