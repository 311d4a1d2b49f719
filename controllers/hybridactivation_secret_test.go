package controllers_test

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
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestASecretOfSomebodyElseIsNeverOverwritten(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	theirs := secretObject("sites")
	theirs.Data = map[string][]byte{"password": []byte("theirs")}
	obj := activation("sites")
	w.create(theirs, account(allowActivations()), obj)
	t.Cleanup(func() { w.must(client.IgnoreNotFound(w.Client.Delete(context.Background(), theirs))) })
	got := w.activationIs(obj, v1alpha1.ReasonSecretConflict)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "\"sites\"", "secretName")
	if secret := w.secret("sites"); string(secret.Data["password"]) != "theirs" || len(secret.Data) != 1 {
		t.Error("their Secret was changed")
	}
	if n := w.ssmCalls(0, "CreateActivation"); n != 0 {
		t.Errorf("%d activations were made whose code nobody could hold", n)
	}
	change(w, obj, func(a *v1alpha1.HybridActivation) { a.Spec.SecretName = "sites-code" })
	w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
	w.deleted(obj)
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
	if secret := w.secret("sites"); string(secret.Data["password"]) != "theirs" {
		t.Error("their Secret was changed")
	}
}

func TestASecretThatWasReplacedCostsTheActivation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	w.activated(obj, account(allowActivations()))
	theirs := secretObject("sites")
	w.must(w.Client.Delete(t.Context(), secretObject("sites")))
	w.create(theirs)
	t.Cleanup(func() { w.must(client.IgnoreNotFound(w.Client.Delete(context.Background(), theirs))) })
	w.touch(obj)
	w.activationIs(obj, v1alpha1.ReasonSecretConflict)
	if left := w.allActivations(); len(left) != 0 {
		t.Errorf("%d activations are left whose code nobody holds", len(left))
	}
	w.must(w.Client.Delete(t.Context(), theirs))
	w.touch(obj)
	w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
}

// AWS returns a code only once: a lost code must be replaced.
func TestALostCodeIsARotation(t *testing.T) {
	for name, lose := range map[string]func(world){
		"the Secret was deleted": func(w world) { w.must(w.Client.Delete(w.t.Context(), secretObject("sites"))) },
		"the code was changed": func(w world) {
			change(w, w.secret("sites"), func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyCode] = []byte("a code of somebody else") })
		},
		"the id was removed": func(w world) {
			change(w, w.secret("sites"), func(s *corev1.Secret) { delete(s.Data, v1alpha1.SecretKeyID) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testenv.ManagerOptions{})
			obj := activation("sites")
			first := w.activated(obj, account(allowActivations()))
			lose(w)
			w.touch(obj)
			w.holdsOne(w.rotates(obj, first.Status.ActivationID))
			w.register(w.secret("sites"))
		})
	}
}

func TestWhatFollowsFromTheCodeIsPutBackWithoutARotation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	first := w.activated(obj, account(allowActivations()))
	written := w.secret("sites")
	for name, edit := range map[string]func(*corev1.Secret){
		"a script":      func(s *corev1.Secret) { s.Data[v1alpha1.SecretKeyLinux] = []byte("rm -rf /") },
		"the region":    func(s *corev1.Secret) { delete(s.Data, v1alpha1.SecretKeyRegion) },
		"a key more":    func(s *corev1.Secret) { s.Data["more"] = []byte("x") },
		"for ever kept": func(s *corev1.Secret) { s.Data["more"] = []byte("x"); s.Immutable = new(true) },
	} {
		change(w, w.secret("sites"), func(s *corev1.Secret) { edit(s); s.Labels = map[string]string{"theirs": "kept"} })
		w.touch(obj)
		_, err := testenv.WaitFor(t.Context(), w.Client, secretObject("sites"), func(s *corev1.Secret) bool {
			return maps.EqualFunc(s.Data, written.Data, bytes.Equal)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	got := w.activationIs(obj, v1alpha1.ReasonActivated)
	if got.Status.ActivationID != first.Status.ActivationID {
		t.Error("there is another activation")
	}
}

func TestAnotherSecretNameMovesTheCode(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	obj := activation("sites")
	first := w.activated(obj, account(allowActivations()))
	change(w, obj, func(a *v1alpha1.HybridActivation) { a.Spec.SecretName = "elsewhere" })
	got := w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool { return a.Status.Record.SecretName == "elsewhere" })
	w.must(testenv.WaitGone(t.Context(), w.Client, secretObject("sites")))
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
	obj := activation("sites")
	w.create(account(allowActivations()), obj)
	got := w.activationIs(obj, v1alpha1.ReasonSecretNotWritable)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "\"sites\"", "admission denies")
	if n := w.ssmCalls(0, "CreateActivation"); n != 0 {
		t.Errorf("%d activations were made whose code could not be stored", n)
	}
	failing.Store(false)
	w.touch(obj)
	w.holdsOne(w.activationIs(obj, v1alpha1.ReasonActivated))
}
