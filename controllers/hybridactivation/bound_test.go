package hybridactivation_test

import (
	"testing"
	"time"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// countWindow is longer than it takes until the machines of a deleted activation are
// listed for certain.
const countWindow = 2*awsclient.ConsistencyWindow + 2*time.Second

func atMost(n int32) func(*v1alpha1.AWSAccount) {
	return scenario.AllowActivations(func(r *v1alpha1.ActivationRule) { r.MaxRegistrations = &n })
}

func limitedTo(n int32) func(*v1alpha1.HybridActivationSpec) {
	return func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = &n }
}

// deregister deregisters a node as a person with a console would.
func (w world) deregister(node string) {
	w.T.Helper()
	_, err := awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin"))).DeregisterManagedInstance(w.T.Context(), &awsssm.DeregisterManagedInstanceInput{InstanceId: &node})
	w.Must(err)
}

// letsInNobody checks that the object says why no machine may register, and that none
// can.
func (w world) letsInNobody(obj *v1alpha1.HybridActivation, says ...string) {
	w.T.Helper()
	got := w.AwaitActivation(obj, v1alpha1.ReasonGuardrailViolated)
	ready := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady)
	w.ExpectSentence(ready.Message, append(says, "maxRegistrations", "deregister")...)
	if left := w.Activations(); len(left) != 0 || got.Status.ActivationID != "" || ready.Status != metav1.ConditionFalse {
		w.T.Errorf("%d activations are left, and the status is %+v", len(left), got.Status)
	}
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: scenario.Team, Name: obj.SecretName()}}))
}

// A user who may delete the Secret triggers another code, again and again.
func TestMaxRegistrationsBoundsMachinesOverAllActivations(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("site", limitedTo(1))
	first := w.CreateActivation(obj, scenario.Account(atMost(1)))
	node := w.RegisterMachine(w.Secret("site"))
	w.Must(w.Client.Delete(t.Context(), secretObject("site")))
	w.Touch(obj)
	w.Eventually(func() bool { return len(w.Activations()) == 0 })
	w.Advance(countWindow)
	for range 3 {
		w.Touch(obj)
		w.letsInNobody(obj, "at most 1 machine", "1 are")
		w.Advance(scenario.Window)
	}
	if n := w.hybridNodes(); n != 1 {
		t.Errorf("with maxRegistrations: 1, %d machines registered", n)
	}
	// A machine that is deregistered frees its place.
	w.deregister(node)
	w.Advance(scenario.Window, obj)
	second := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(second)
	w.RegisterMachine(w.Secret("site"))
	if n := w.hybridNodes(); n != 1 {
		t.Errorf("with maxRegistrations: 1, %d machines registered", n)
	}
}

func TestALostCodeIsReplacedWhenItsMachinesAreCounted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("site", limitedTo(3))
	first := w.CreateActivation(obj, scenario.Account(atMost(3)))
	w.RegisterMachine(w.Secret("site"))
	w.Must(w.Client.Delete(t.Context(), secretObject("site")))
	w.Touch(obj)
	settling := w.AwaitActivation(obj, v1alpha1.ReasonSettling)
	w.ExpectSentence(scenario.Condition(settling.Status.Conditions, v1alpha1.ConditionReady).Message, "counted", "about two minutes")
	if n := len(w.Activations()); n != 0 {
		t.Errorf("%d activations let machines in that are not counted", n)
	}
	w.Advance(scenario.Window, obj)
	w.AwaitActivation(obj, v1alpha1.ReasonSettling)
	w.Advance(scenario.Window, obj)
	second := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(second)
	if registrations(second) != "0/2" {
		t.Errorf("it lets in %s, and one of three has registered", registrations(second))
	}
	// The lower limit is no reason to replace it.
	w.Advance(scenario.Window, obj)
	if again := w.AwaitActivation(obj, v1alpha1.ReasonActivated); again.Status.ActivationID != second.Status.ActivationID {
		t.Error("it was replaced once more")
	}
}

func TestRotationsStayWithinMaxRegistrations(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("site", limitedTo(3), scenario.ValidFor(24*time.Hour))
	got := w.CreateActivation(obj, scenario.Account(atMost(4)))
	w.RegisterMachine(w.Secret("site"))
	w.RegisterMachine(w.Secret("site"))
	for _, want := range []string{"0/2", "0/2"} {
		from := got.Status.ActivationID
		w.Advance(23*time.Hour, obj)
		w.AwaitActivation(obj, v1alpha1.ReasonSettling)
		w.Advance(countWindow, obj)
		got = w.rotates(obj, from)
		w.holdsOne(got)
		if registrations(got) != want {
			t.Errorf("it lets in %s, want %s", registrations(got), want)
		}
	}
	w.RegisterMachine(w.Secret("site"))
	w.RegisterMachine(w.Secret("site"))
	w.Advance(3*time.Minute, obj)
	got = w.AwaitActivation(obj, v1alpha1.ReasonUsedUp)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "\"activations\"", "4 are registered")
	from := got.Status.ActivationID
	w.Advance(25*time.Hour, obj)
	w.letsUsedUpStay(obj, from)
	if n := w.hybridNodes(); n != 4 {
		t.Errorf("%d machines are registered", n)
	}
}

// letsUsedUpStay checks that a used-up activation is not replaced.
func (w world) letsUsedUpStay(obj *v1alpha1.HybridActivation, id string) {
	w.T.Helper()
	n := w.LastCall()
	got := w.AwaitActivation(obj, v1alpha1.ReasonUsedUp)
	if got.Status.ActivationID != id || w.SSMCalls(n, "CreateActivation") != 0 {
		w.T.Errorf("the activation that is used up was replaced by %s", got.Status.ActivationID)
	}
}

func TestReplenishingEndsAtMaxRegistrations(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("site", limitedTo(1), func(s *v1alpha1.HybridActivationSpec) { s.Replenish = true })
	got := w.CreateActivation(obj, scenario.Account(atMost(2)))
	for n := 1; n <= 2; n++ {
		w.RegisterMachine(w.Secret("site"))
		w.Advance(3*time.Minute, obj)
		if n < 2 {
			got = w.rotates(obj, got.Status.ActivationID)
		}
	}
	got = w.AwaitActivation(obj, v1alpha1.ReasonUsedUp)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "2 are registered")
	if n := w.hybridNodes(); n != 2 {
		t.Errorf("%d machines are registered", n)
	}
}

func TestALimitBelowWhatIsRegisteredLetsInNobody(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, obj := scenario.Account(atMost(5)), scenario.Activation("site", limitedTo(1), func(s *v1alpha1.HybridActivationSpec) { s.Replenish = true })
	got := w.CreateActivation(obj, main)
	for range 3 {
		w.RegisterMachine(w.Secret("site"))
		w.Advance(3*time.Minute, obj)
		got = w.rotates(obj, got.Status.ActivationID)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails[0].Activations.MaxRegistrations = new(int32(2)) })
	w.letsInNobody(obj, "at most 2 machines", "3 are")
	if n := w.hybridNodes(); n != 3 {
		t.Errorf("%d machines are registered, and none was to be deregistered", n)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails[0].Activations.MaxRegistrations = new(int32(4)) })
	w.Advance(countWindow, obj)
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
}

// What was deleted a moment before the manager ended is not known to the next.
func TestARestartForgetsNoMachine(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	obj := scenario.Activation("site", limitedTo(2))
	first := w.CreateActivation(obj, scenario.Account(atMost(2)))
	w.RegisterMachine(w.Secret("site"))
	w.Must(w.Client.Delete(t.Context(), secretObject("site")))
	w.Touch(obj)
	w.AwaitActivation(obj, v1alpha1.ReasonSettling)
	w.Must(m.Stop())
	seen := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{})
	w.Touch(obj)
	w.AwaitCall(seen, "DescribeInstanceInformation") // Until then the status is the first manager's.
	w.AwaitActivation(obj, v1alpha1.ReasonSettling)
	w.Advance(scenario.Window, obj)
	w.AwaitActivation(obj, v1alpha1.ReasonSettling)
	w.Advance(scenario.Window, obj)
	second := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(second)
	if registrations(second) != "0/1" {
		t.Errorf("it lets in %s, and one of two has registered", registrations(second))
	}
}

// A node that lost the tag, or whose activation is in no record, counts all the same.
func TestEveryNodeOfAnObjectCounts(t *testing.T) {
	for name, lose := range map[string]func(world, *v1alpha1.HybridActivation, string){
		"the tag is lost": func(w world, _ *v1alpha1.HybridActivation, node string) { w.SetNodeTags(node, nil) },
		"the record is lost": func(w world, obj *v1alpha1.HybridActivation, _ string) {
			w.UpdateStatus(obj, func() client.Object {
				obj.Status = v1alpha1.HybridActivationStatus{}
				return obj
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj := scenario.Activation("site", limitedTo(1))
			w.CreateActivation(obj, scenario.Account(atMost(1)))
			node := w.RegisterMachine(w.Secret("site"))
			w.Must(w.Client.Delete(t.Context(), secretObject("site")))
			lose(w, obj, node)
			w.Advance(scenario.Window, obj)
			w.letsInNobody(obj, "at most 1 machine")
		})
	}
}
