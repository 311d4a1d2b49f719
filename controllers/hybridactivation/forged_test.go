package hybridactivation_test

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
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// somebodyElses makes an activation by hand, and registers a machine with it.
func (w world) somebodyElses() (activation, node string) {
	limit, role := int32(5), scenario.ServiceRole
	admin := awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
	out, err := admin.CreateActivation(w.T.Context(), &awsssm.CreateActivationInput{IamRole: &role, RegistrationLimit: &limit})
	w.Must(err)
	node, err = w.Emulator.Register(ssm.Registration{ActivationID: *out.ActivationId, ActivationCode: *out.ActivationCode})
	w.Must(err)
	return *out.ActivationId, node
}

// forge has the Secret of an object name another activation, with a matching digest,
// as a user who may write the Secret can.
func (w world) forge(of *v1alpha1.HybridActivation, id string) {
	scenario.Change(w.World, w.Secret(of.SecretName()), func(s *corev1.Secret) {
		request := "forged 2020-01-01T00:00:00Z 2020-01-02T00:00:00Z"
		s.Data[v1alpha1.SecretKeyID], s.Data[v1alpha1.SecretKeyCode] = []byte(id), []byte("x")
		sum := sha256.Sum256([]byte(strings.Join([]string{string(of.UID), id, "x", request}, "\x00")))
		s.Annotations[v1alpha1.TagPrefix+"request"], s.Annotations[v1alpha1.TagPrefix+"digest"] = request, hex.EncodeToString(sum[:])
	})
}

func TestAForgedSecretReachesNobodysNodes(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	victim, node := w.somebodyElses()
	obj := scenario.Activation("sites", func(s *v1alpha1.HybridActivationSpec) { s.NodeDeletionPolicy = v1alpha1.NodesDeregister })
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	w.forge(first, victim)
	w.Touch(obj)
	got := w.rotates(obj, first.Status.ActivationID)
	if slices.Contains(got.Status.Record.Former, victim) || len(got.Status.Nodes) != 0 {
		t.Errorf("another owner's activation is taken for its own: %v, nodes %v", got.Status.Record.Former, got.Status.Nodes)
	}
	if n, _ := w.Node(node); n.Tags[v1alpha1.TagActivation] != "" {
		t.Errorf("another owner's node got the tag %s, by which access is granted", v1alpha1.TagActivation)
	}
	w.deleted(obj)
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	if _, there := w.Node(node); !there {
		t.Error("another owner's node was deregistered")
	}
}

func TestAForgedSecretDeletesNobodysActivation(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	victim, _ := w.somebodyElses()
	obj := scenario.Activation("sites")
	first := w.CreateActivation(obj, scenario.Account(scenario.AllowActivations()))
	w.forge(first, victim)
	w.deleted(obj)
	w.Advance(scenario.Window, obj)
	w.Must(testenv.WaitGone(t.Context(), w.Client, obj))
	if left := w.Activations(); left[victim] == nil || len(left) != 1 {
		t.Errorf("another owner's activation alone should be left of %v", left)
	}
}

func TestANarrowedActivationIsClosedAlthoughNoOtherCanBeMade(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, obj := scenario.Account(scenario.AllowActivations()), scenario.Activation("sites")
	first := w.CreateActivation(obj, main)
	theirs := secretObject("other")
	theirs.Data = map[string][]byte{"password": []byte("theirs")}
	w.Create(theirs)
	t.Cleanup(func() { w.Must(client.IgnoreNotFound(w.Client.Delete(context.Background(), theirs))) })
	scenario.Change(w.World, obj, func(a *v1alpha1.HybridActivation) { a.Spec.SecretName = "other" })
	w.AwaitActivation(obj, v1alpha1.ReasonSecretConflict)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].Activations.RequiredTags = map[string]string{"Env": "sandbox"}
	})
	_, err := testenv.WaitFor(t.Context(), w.Client, obj, func(a *v1alpha1.HybridActivation) bool { return a.Status.ActivationID == "" })
	w.Must(err)
	if w.Activations()[first.Status.ActivationID] != nil {
		t.Error("machines may still register without the tag that is required now")
	}
}
