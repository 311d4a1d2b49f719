package hybridactivation_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestASecretOfSomebodyElseIsNeverOverwritten(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	theirs := secretObject("sites")
	theirs.Data = map[string][]byte{"password": []byte("theirs")}
	obj := scenario.Activation("sites")
	w.Create(theirs, scenario.Account(scenario.AllowActivations()), obj)
	t.Cleanup(func() { w.Must(client.IgnoreNotFound(w.Client.Delete(context.Background(), theirs))) })
	got := w.AwaitActivation(obj, v1alpha1.ReasonSecretConflict)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "\"sites\"", "secretName")
	if secret := w.Secret("sites"); string(secret.Data["password"]) != "theirs" || len(secret.Data) != 1 {
		t.Error("their Secret was changed")
	}
	if n := w.SSMCalls(0, "CreateActivation"); n != 0 {
		t.Errorf("%d activations were made whose code could not be stored", n)
	}
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.SecretName = "sites-code" })
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
	w.deleted(obj)
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	if secret := w.Secret("sites"); string(secret.Data["password"]) != "theirs" {
		t.Error("their Secret was changed")
	}
}

func TestASecretThatWasReplacedCostsTheActivation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	theirs := secretObject("sites")
	w.Must(w.Client.Delete(t.Context(), secretObject("sites")))
	w.Create(theirs)
	t.Cleanup(func() { w.Must(client.IgnoreNotFound(w.Client.Delete(context.Background(), theirs))) })
	w.Touch(obj)
	w.AwaitActivation(obj, v1alpha1.ReasonSecretConflict)
	if left := w.Activations(); len(left) != 0 {
		t.Errorf("%d activations are left whose code is stored nowhere", len(left))
	}
	w.Must(w.Client.Delete(t.Context(), theirs))
	w.Touch(obj)
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
}

// AWS returns a code only once: a lost code must be replaced.
func TestALostCodeIsARotation(t *testing.T) {
	for name, lose := range map[string]func(world){
		"the Secret was deleted": func(w world) { w.Must(w.Client.Delete(w.T.Context(), secretObject("sites"))) },
		"the code was changed": func(w world) {
			scenario.Change(w.World, w.Secret("sites"), func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyCode] = []byte("a code of another owner") })
		},
		"the id was removed": func(w world) {
			scenario.Change(w.World, w.Secret("sites"), func(s *corev1.Secret) { delete(s.Data, v1alpha1.SecretKeyID) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj := scenario.Activation("sites")
			first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
			lose(w)
			w.Touch(obj)
			w.holdsOne(w.rotates(obj, first.Status.ActivationID))
			w.RegisterMachine(w.Secret("sites"))
		})
	}
}

func TestWhatFollowsFromTheCodeIsPutBackWithoutARotation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	written := w.Secret("sites")
	for name, edit := range map[string]func(*corev1.Secret){
		"a script":      func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyLinux] = []byte("rm -rf /") },
		"the region":    func(s *corev1.Secret) { delete(s.Data, v1alpha1.SecretKeyRegion) },
		"a key more":    func(s *corev1.Secret) { s.Data["more"] = []byte("x") },
		"for ever kept": func(s *corev1.Secret) { s.Data["more"] = []byte("x"); s.Immutable = new(true) },
	} {
		scenario.Change(w.World, w.Secret("sites"), func(s *corev1.Secret) { edit(s); s.Labels = map[string]string{"theirs": "kept"} })
		w.Touch(obj)
		_, err := testenv.WaitFor(t.Context(), w.Client, secretObject("sites"), func(s *corev1.Secret) bool {
			return maps.EqualFunc(s.Data, written.Data, bytes.Equal)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := w.AwaitActivation(obj, v1alpha1.ReasonActivated)
	if got.Status.ActivationID != first.Status.ActivationID {
		t.Error("there is another activation")
	}
}

func TestAnotherSecretNameMovesTheCode(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := scenario.Activation("sites")
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.SecretName = "elsewhere" })
	got := w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool { return a.Status.Record.SecretName == "elsewhere" })
	w.Must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
	if got.Status.ActivationID != first.Status.ActivationID {
		t.Error("there is another activation, and the code was not lost")
	}
	w.holdsOne(got)
}

func TestASecretThatCannotBeWrittenCostsNoActivation(t *testing.T) {
	w := worldWithoutManager(t)
	failing := &atomic.Bool{}
	failing.Store(true)
	api := rest.CopyConfig(w.OperatorConfig())
	api.Wrap(func(next http.RoundTripper) http.RoundTripper { return refusing{failing, true, next} })
	w.Manager(t, testenv.ManagerOptions{API: api})
	obj := scenario.Activation("sites")
	w.Create(scenario.Account(scenario.AllowActivations()), obj)
	got := w.AwaitActivation(obj, v1alpha1.ReasonSecretNotWritable)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "\"sites\"", "admission denies")
	if n := w.SSMCalls(0, "CreateActivation"); n != 0 {
		t.Errorf("%d activations were made whose code could not be stored", n)
	}
	failing.Store(false)
	w.Touch(obj)
	w.holdsOne(w.AwaitActivation(obj, v1alpha1.ReasonActivated))
}
