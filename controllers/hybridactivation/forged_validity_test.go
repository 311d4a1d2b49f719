package hybridactivation_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// claimValidity has the Secret say that its activation was asked for a time, with a
// matching digest, as a user who may write the Secret can.
func (w world) claimValidity(of *v1alpha1.HybridActivation, d time.Duration) {
	scenario.Change(w.World, w.Secret(of.SecretName()), func(s *corev1.Secret) {
		fields := strings.Fields(s.Annotations[v1alpha1.TagPrefix+"request"])
		requested, err := time.Parse(time.RFC3339, fields[1])
		w.Must(err)
		request := strings.Join([]string{fields[0], fields[1], requested.Add(d).Format(time.RFC3339)}, " ")
		sum := sha256.Sum256([]byte(strings.Join([]string{
			string(of.UID), string(s.Data[v1alpha1.SecretKeyID]), string(s.Data[v1alpha1.SecretKeyCode]), request,
		}, "\x00")))
		s.Annotations[v1alpha1.TagPrefix+"request"], s.Annotations[v1alpha1.TagPrefix+"digest"] = request, hex.EncodeToString(sum[:])
	})
}

// validFor and maxValidity bound what AWS has, not what a Secret says.
func TestAForgedSecretKeepsNoActivationBeyondMaxValidity(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(scenario.AllowActivations())
	obj := scenario.Activation("sites", scenario.ValidFor(20*24*time.Hour))
	first := w.CreateActivation(obj, main)
	w.claimValidity(first, time.Hour)
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.ValidFor = &metav1.Duration{Duration: time.Hour} })
	w.AwaitActivation(obj, v1alpha1.ReasonActivated)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].Activations.MaxValidity = &metav1.Duration{Duration: time.Hour}
	})
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	for range 4 { // A replaced activation may stay for its grace of 15 minutes.
		w.Advance(5*time.Minute, obj)
		w.AwaitActivation(obj, v1alpha1.ReasonActivated)
	}
	for id, a := range w.Activations() {
		if left := a.Expires.Sub(w.Clock.Now()); left > time.Hour {
			t.Errorf("machines may register with activation %s for another %s, and the guardrail allows 1h", id, left)
		}
	}
}
