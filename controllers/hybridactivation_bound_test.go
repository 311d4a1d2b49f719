package controllers_test

import (
	"testing"
	"time"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// countWindow is longer than it takes until the machines of a deleted activation are
// listed for certain.
const countWindow = 2*cloud.ConsistencyWindow + 2*time.Second

func atMost(n int32) func(*v1alpha1.AWSAccount) {
	return allowActivations(func(r *v1alpha1.ActivationRule) { r.MaxRegistrations = &n })
}

func limitedTo(n int32) func(*v1alpha1.HybridActivationSpec) {
	return func(s *v1alpha1.HybridActivationSpec) { s.RegistrationLimit = &n }
}

// deregister deregisters a node as a person with a console would.
func (w world) deregister(node string) {
	w.t.Helper()
	_, err := awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin"))).DeregisterManagedInstance(w.t.Context(), &awsssm.DeregisterManagedInstanceInput{InstanceId: &node})
	w.must(err)
}

// letsInNobody checks that the object says why no machine may register, and that none
// can.
func (w world) letsInNobody(obj *v1alpha1.HybridActivation, says ...string) {
	w.t.Helper()
	got := w.activationIs(obj, v1alpha1.ReasonGuardrailViolated)
	ready := condition(got.Status.Conditions, v1alpha1.ConditionReady)
	w.sentence(ready.Message, append(says, "maxRegistrations", "deregister")...)
	if left := w.allActivations(); len(left) != 0 || got.Status.ActivationID != "" || ready.Status != metav1.ConditionFalse {
		w.t.Errorf("%d activations are left, and the status is %+v", len(left), got.Status)
	}
	w.must(testenv.WaitGone(w.t.Context(), w.Client, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: obj.SecretName()}}))
}

// A user who may delete the Secret triggers another code, again and again.
func TestMaxRegistrationsBoundsMachinesOverAllActivations(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("site", limitedTo(1))
	first := w.activated(obj, account(atMost(1)))
	node := w.register(w.secret("site"))
	w.must(w.Client.Delete(t.Context(), secretObject("site")))
	w.touch(obj)
	w.until(func() bool { return len(w.allActivations()) == 0 })
	w.advance(countWindow)
	for range 3 {
		w.touch(obj)
		w.letsInNobody(obj, "at most 1 machine", "1 are")
		w.advance(testWindow)
	}
	if n := w.hybridNodes(); n != 1 {
		t.Errorf("with maxRegistrations: 1, %d machines registered", n)
	}
	// A machine that is deregistered frees its place.
	w.deregister(node)
	w.advance(testWindow, obj)
	second := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(second)
	w.register(w.secret("site"))
	if n := w.hybridNodes(); n != 1 {
		t.Errorf("with maxRegistrations: 1, %d machines registered", n)
	}
}

func TestALostCodeIsReplacedWhenItsMachinesAreCounted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("site", limitedTo(3))
	first := w.activated(obj, account(atMost(3)))
	w.register(w.secret("site"))
	w.must(w.Client.Delete(t.Context(), secretObject("site")))
	w.touch(obj)
	settling := w.activationIs(obj, v1alpha1.ReasonSettling)
	w.sentence(condition(settling.Status.Conditions, v1alpha1.ConditionReady).Message, "counted", "about two minutes")
	if n := len(w.allActivations()); n != 0 {
		t.Errorf("%d activations let machines in that are not counted", n)
	}
	w.advance(testWindow, obj)
	w.activationIs(obj, v1alpha1.ReasonSettling)
	w.advance(testWindow, obj)
	second := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(second)
	if second.Status.Registered != "0/2" {
		t.Errorf("it lets in %s, and one of three has registered", second.Status.Registered)
	}
	// The lower limit is no reason to replace it.
	w.advance(testWindow, obj)
	if again := w.activationIs(obj, v1alpha1.ReasonActivated); again.Status.ActivationID != second.Status.ActivationID {
		t.Error("it was replaced once more")
	}
}

func TestRotationsStayWithinMaxRegistrations(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("site", limitedTo(3), validFor(24*time.Hour))
	got := w.activated(obj, account(atMost(4)))
	w.register(w.secret("site"))
	w.register(w.secret("site"))
	for _, want := range []string{"0/2", "0/2"} {
		from := got.Status.ActivationID
		w.advance(23*time.Hour, obj)
		w.activationIs(obj, v1alpha1.ReasonSettling)
		w.advance(countWindow, obj)
		got = w.rotates(obj, from)
		w.holdsOne(got)
		if got.Status.Registered != want {
			t.Errorf("it lets in %s, want %s", got.Status.Registered, want)
		}
	}
	w.register(w.secret("site"))
	w.register(w.secret("site"))
	w.advance(3*time.Minute, obj)
	got = w.activationIs(obj, v1alpha1.ReasonUsedUp)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "\"activations\"", "4 are registered")
	from := got.Status.ActivationID
	w.advance(25*time.Hour, obj)
	w.letsUsedUpStay(obj, from)
	if n := w.hybridNodes(); n != 4 {
		t.Errorf("%d machines are registered", n)
	}
}

// letsUsedUpStay checks that a used-up activation is not replaced.
func (w world) letsUsedUpStay(obj *v1alpha1.HybridActivation, id string) {
	w.t.Helper()
	n := w.LastCall()
	got := w.activationIs(obj, v1alpha1.ReasonUsedUp)
	if got.Status.ActivationID != id || w.ssmCalls(n, "CreateActivation") != 0 {
		w.t.Errorf("the activation that is used up was replaced by %s", got.Status.ActivationID)
	}
}

func TestReplenishingEndsAtMaxRegistrations(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("site", limitedTo(1), func(s *v1alpha1.HybridActivationSpec) { s.Replenish = true })
	got := w.activated(obj, account(atMost(2)))
	for n := 1; n <= 2; n++ {
		w.register(w.secret("site"))
		w.advance(3*time.Minute, obj)
		if n < 2 {
			got = w.rotates(obj, got.Status.ActivationID)
		}
	}
	got = w.activationIs(obj, v1alpha1.ReasonUsedUp)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "2 are registered")
	if n := w.hybridNodes(); n != 2 {
		t.Errorf("%d machines are registered", n)
	}
}

func TestALimitBelowWhatIsRegisteredLetsInNobody(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, obj := account(atMost(5)), activation("site", limitedTo(1), func(s *v1alpha1.HybridActivationSpec) { s.Replenish = true })
	got := w.activated(obj, main)
	for range 3 {
		w.register(w.secret("site"))
		w.advance(3*time.Minute, obj)
		got = w.rotates(obj, got.Status.ActivationID)
	}
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails[0].Activations.MaxRegistrations = new(int32(2)) })
	w.letsInNobody(obj, "at most 2 machines", "3 are")
	if n := w.hybridNodes(); n != 3 {
		t.Errorf("%d machines are registered, and none was to be deregistered", n)
	}
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails[0].Activations.MaxRegistrations = new(int32(4)) })
	w.advance(countWindow, obj)
	w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
}

// What was deleted a moment before the manager ended is not known to the next.
func TestARestartForgetsNoMachine(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	obj := activation("site", limitedTo(2))
	first := w.activated(obj, account(atMost(2)))
	w.register(w.secret("site"))
	w.must(w.Client.Delete(t.Context(), secretObject("site")))
	w.touch(obj)
	w.activationIs(obj, v1alpha1.ReasonSettling)
	w.must(m.Stop())
	seen := w.LastCall()
	w.Manager(t, testenv.ManagerOptions{})
	w.touch(obj)
	w.untilCall(seen, "DescribeInstanceInformation") // Until then the status is the first manager's.
	w.activationIs(obj, v1alpha1.ReasonSettling)
	w.advance(testWindow, obj)
	w.activationIs(obj, v1alpha1.ReasonSettling)
	w.advance(testWindow, obj)
	second := w.rotates(obj, first.Status.ActivationID)
	w.holdsOne(second)
	if second.Status.Registered != "0/1" {
		t.Errorf("it lets in %s, and one of two has registered", second.Status.Registered)
	}
}

// A node that lost the tag, or whose activation is in no record, counts all the same.
func TestEveryNodeOfAnObjectCounts(t *testing.T) {
	for name, lose := range map[string]func(world, *v1alpha1.HybridActivation, string){
		"the tag is lost": func(w world, _ *v1alpha1.HybridActivation, node string) { w.tagNode(node, nil) },
		"the record is lost": func(w world, obj *v1alpha1.HybridActivation, _ string) {
			w.must(w.Client.Get(w.t.Context(), keyOf(obj), obj))
			obj.Status = v1alpha1.HybridActivationStatus{}
			w.must(w.Client.Status().Update(w.t.Context(), obj))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj := activation("site", limitedTo(1))
			w.activated(obj, account(atMost(1)))
			node := w.register(w.secret("site"))
			w.must(w.Client.Delete(t.Context(), secretObject("site")))
			lose(w, obj, node)
			w.advance(testWindow, obj)
			w.letsInNobody(obj, "at most 1 machine")
		})
	}
}
