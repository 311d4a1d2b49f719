package invariants_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A neighbour is a tenant with every right in a namespace that may use the account
// too. The model does not include what they write here, so any effect of it in AWS
// counts as a breach.
type neighbour struct {
	*testing.T
	*invariants.Harness
}

// create writes something that the API server takes.
func (n neighbour) create(obj client.Object) {
	n.Helper()
	if err := n.Client.Create(n.Context(), obj); err != nil {
		n.Fatal(err)
	}
}

// refused checks that the API server does not take something.
func (n neighbour) refused(what string, obj client.Object) {
	n.Helper()
	if err := n.Client.Create(n.Context(), obj); !apierrors.IsInvalid(err) {
		n.Errorf("%s: the API server says %v, want that it is invalid", what, err)
	}
}

// gone deletes something and waits until it is gone.
func (n neighbour) gone(obj client.Object) {
	n.Helper()
	if err := n.Client.Delete(n.Context(), obj); err != nil {
		n.Fatal(err)
	}
	if err := testenv.WaitGone(n.Context(), n.Client, obj); err != nil {
		n.Fatal(err)
	}
}

// told waits until Ready of an object has a reason.
func told[T client.Object](ctx context.Context, n neighbour, obj T, reason string, conditions func(T) []metav1.Condition) {
	n.Helper()
	if _, err := testenv.WaitFor(ctx, n.Client, obj, func(got T) bool {
		ready := meta.FindStatusCondition(conditions(got), v1alpha1.ConditionReady)
		return ready != nil && ready.Reason == reason
	}); err != nil {
		n.Fatal(err)
	}
}

// A document belongs to the first namespace that declared it. Another namespace
// can neither change it, nor take it over, nor have it deleted.
func TestANeighboursDocumentCannotBeTakenOver(t *testing.T) {
	n := neighbour{t, attacked(t, 0, 0)}
	if err := declare(t.Context(), n.Harness, invariants.Document("proof-shell", "date")); err != nil {
		t.Fatal(err)
	}
	rest(t, n.Harness)
	same := invariants.Document("proof-shell", "rm -rf /")
	adopting := invariants.Document("theirs", "rm -rf /")
	adopting.Spec.Name, adopting.Spec.Adopt, adopting.Spec.DeletionPolicy = "proof-shell", true, v1alpha1.DeletionDelete
	conditions := func(d *v1alpha1.SessionDocument) []metav1.Condition { return d.Status.Conditions }
	for obj, reason := range map[*v1alpha1.SessionDocument]string{same: v1alpha1.ReasonConflict, adopting: v1alpha1.ReasonGuardrailViolated} {
		obj.Namespace = invariants.Neighbour
		n.create(obj)
		told(t.Context(), n, obj, reason, conditions)
	}
	rest(t, n.Harness)
	n.gone(same)
	n.gone(adopting)
	rest(t, n.Harness)
}

// An activation, its nodes and its Secret belong to the namespace of its object: a
// neighbour's object of the same name has its own, and no reference leads over.
func TestANeighboursActivationCannotBeReached(t *testing.T) {
	n := neighbour{t, attacked(t, 0, 0)}
	mine := invariants.Activation(invariants.Namespace, "site", 2)
	if err := declare(t.Context(), n.Harness, mine); err != nil {
		t.Fatal(err)
	}
	rest(t, n.Harness)
	if err := register(t.Context(), n.Harness, mine); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{invariants.Namespace + "/site", "../" + invariants.Namespace + "/site", invariants.Namespace + "%2Fsite"} {
		theirs := invariants.Activation(invariants.Neighbour, "other", 2)
		theirs.Spec.SecretName = name
		n.refused("Secret "+name, theirs)
	}
	for _, key := range []string{v1alpha1.TagActivation, "SSM-Access.dev/Activation", v1alpha1.TagOwner, v1alpha1.TagNonce} {
		theirs := invariants.Activation(invariants.Neighbour, "other", 2)
		theirs.Spec.Tags = map[string]string{key: string(mine.UID)}
		n.refused("an activation with tag "+key, theirs)
		to := grant(people(user("user01")))
		to.Targets = []v1alpha1.Target{{Tags: map[string]string{key: string(mine.UID)}}}
		n.refused("a grant by tag "+key, invariants.Access(invariants.Neighbour, "other", to))
	}
	// A name refers to an object in its own namespace, and there is none yet.
	for _, name := range []string{"site", invariants.Namespace + "/site"} {
		to := grant(people(user("user01")))
		to.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: name}}}
		if _, err := n.Apply(t.Context(), invariants.Access(invariants.Neighbour, "reach", to)); err != nil {
			t.Fatal(err)
		}
		rest(t, n.Harness)
	}
	if err := n.Delete(t.Context(), invariants.Access(invariants.Neighbour, "reach", grant(nil))); err != nil {
		t.Fatal(err)
	}
	theirs := invariants.Activation(invariants.Neighbour, "site", 2)
	if err := declare(t.Context(), n.Harness, theirs); err != nil {
		t.Fatal(err)
	}
	rest(t, n.Harness)
	if err := n.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	rest(t, n.Harness)
}

// The operator has permission to write any Secret, but writes only those of
// their owner: not one of the same name that another user owns, and not a
// forged one.
func TestNoSecretOfOthersIsWrittenOrDeleted(t *testing.T) {
	n := neighbour{t, attacked(t, 0, 0)}
	mine := invariants.Activation(invariants.Namespace, "site", 2)
	if err := declare(t.Context(), n.Harness, mine); err != nil {
		t.Fatal(err)
	}
	rest(t, n.Harness)
	secrets := []*corev1.Secret{
		{ObjectMeta: metav1.ObjectMeta{Name: "of-somebody"}},
		// It says that it belongs to the object of another namespace.
		{ObjectMeta: metav1.ObjectMeta{Name: "forged", OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(mine, v1alpha1.GroupVersion.WithKind("HybridActivation")),
		}}},
	}
	conditions := func(a *v1alpha1.HybridActivation) []metav1.Condition { return a.Status.Conditions }
	for _, secret := range secrets {
		secret.Namespace, secret.Data = invariants.Neighbour, map[string][]byte{v1alpha1.SecretKeyID: []byte("theirs")}
		// The garbage collector sees through the forged one, and must not be first.
		secret.Finalizers = []string{"test.ssm-access.dev/stay"}
		n.create(secret)
		theirs := invariants.Activation(invariants.Neighbour, secret.Name, 2)
		n.create(theirs)
		told(t.Context(), n, theirs, v1alpha1.ReasonSecretConflict, conditions)
		n.gone(theirs)
		got := &corev1.Secret{}
		if err := n.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), got); err != nil {
			t.Fatal(err)
		}
		if len(got.Data) != 1 || string(got.Data[v1alpha1.SecretKeyID]) != "theirs" {
			t.Errorf("Secret %s was written to: %v", secret.Name, got.Data)
		}
		before := got.DeepCopy()
		got.Finalizers = nil
		if err := n.Client.Patch(t.Context(), got, client.MergeFrom(before)); err != nil {
			t.Fatal(err)
		}
		if err := client.IgnoreNotFound(n.Client.Delete(t.Context(), secret)); err != nil {
			t.Fatal(err)
		}
	}
	rest(t, n.Harness)
}
