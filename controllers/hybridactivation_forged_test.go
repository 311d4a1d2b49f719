package controllers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// somebodyElses makes an activation by hand, and registers a machine with it.
func (w world) somebodyElses() (activation, node string) {
	limit, role := int32(5), serviceRole
	admin := awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
	out, err := admin.CreateActivation(w.t.Context(), &awsssm.CreateActivationInput{IamRole: &role, RegistrationLimit: &limit})
	w.must(err)
	node, err = w.Emulator.Register(ssm.Registration{ActivationID: *out.ActivationId, ActivationCode: *out.ActivationCode})
	w.must(err)
	return *out.ActivationId, node
}

// forge has the Secret of an object name another activation, with a matching digest,
// as a user who may write the Secret can.
func (w world) forge(of *v1alpha1.HybridActivation, id string) {
	change(w, w.secret(of.SecretName()), func(s *corev1.Secret) {
		request := "forged 2020-01-01T00:00:00Z 2020-01-02T00:00:00Z"
		s.Data[v1alpha1.SecretKeyID], s.Data[v1alpha1.SecretKeyCode] = []byte(id), []byte("x")
		sum := sha256.Sum256([]byte(strings.Join([]string{string(of.UID), id, "x", request}, "\x00")))
		s.Annotations[v1alpha1.TagPrefix+"request"], s.Annotations[v1alpha1.TagPrefix+"digest"] = request, hex.EncodeToString(sum[:])
	})
}

func TestAForgedSecretReachesNobodysNodes(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	victim, node := w.somebodyElses()
	obj := activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.OnDelete.Nodes = v1alpha1.NodesDeregister })
	first := w.activated(obj, account(allowActivations()))
	w.forge(first, victim)
	w.touch(obj)
	got := w.rotates(obj, first.Status.ActivationID)
	if slices.Contains(got.Status.Record.Former, victim) || len(got.Status.Nodes) != 0 {
		t.Errorf("somebody else's activation is taken for its own: %v, nodes %v", got.Status.Record.Former, got.Status.Nodes)
	}
	if n, _ := w.node(node); n.Tags[v1alpha1.TagActivation] != "" {
		t.Errorf("somebody else's node got the tag %s, by which access is granted", v1alpha1.TagActivation)
	}
	w.deleted(obj)
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
	if _, there := w.node(node); !there {
		t.Error("somebody else's node was deregistered")
	}
}

func TestAForgedSecretDeletesNobodysActivation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	victim, _ := w.somebodyElses()
	obj := activation("sites")
	first := w.activated(obj, account(allowActivations()))
	w.forge(first, victim)
	w.deleted(obj)
	w.advance(testWindow, obj)
	w.must(testenv.WaitGone(t.Context(), w.Client, obj))
	if left := w.allActivations(); left[victim] == nil || len(left) != 1 {
		t.Errorf("somebody else's activation alone should be left of %v", left)
	}
}

func TestANarrowedActivationIsClosedAlthoughNoOtherCanBeMade(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, obj := account(allowActivations()), activation("sites")
	first := w.activated(obj, main)
	theirs := secretObject("other")
	theirs.Data = map[string][]byte{"password": []byte("theirs")}
	w.create(theirs)
	t.Cleanup(func() { w.must(client.IgnoreNotFound(w.Client.Delete(context.Background(), theirs))) })
	change(w, obj, func(a *v1alpha1.HybridActivation) { a.Spec.SecretName = "other" })
	w.activationIs(obj, v1alpha1.ReasonSecretConflict)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].Activations.RequiredTags = map[string]string{"Env": "sandbox"}
	})
	_, err := testenv.WaitFor(t.Context(), w.Client, obj, func(a *v1alpha1.HybridActivation) bool { return a.Status.ActivationID == "" })
	w.must(err)
	if w.allActivations()[first.Status.ActivationID] != nil {
		t.Error("machines may still register without the tag that is required now")
	}
}
