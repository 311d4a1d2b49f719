package scenario

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// ServiceRole is the role of the fixture that lets Systems Manager assume it.
const ServiceRole = "SSMServiceRole"

// AllowActivations lets namespaces create activations.
func AllowActivations(change ...func(*v1alpha1.ActivationRule)) func(*v1alpha1.AWSAccount) {
	return func(a *v1alpha1.AWSAccount) {
		rule := &v1alpha1.ActivationRule{Roles: []v1alpha1.NamePattern{"*"}}
		for _, c := range change {
			c(rule)
		}
		a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
			Name: "activations", NamespaceSelector: &metav1.LabelSelector{}, Activations: rule,
		})
	}
}

// Activation is a HybridActivation in Team.
func Activation(name string, change ...func(*v1alpha1.HybridActivationSpec)) *v1alpha1.HybridActivation {
	a := &v1alpha1.HybridActivation{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: Team},
		Spec: v1alpha1.HybridActivationSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"}, Region: Region, Role: ServiceRole, RegistrationLimit: new(int32(10)),
		},
	}
	for _, c := range change {
		c(&a.Spec)
	}
	return a
}

// ValidFor sets how long an activation is valid.
func ValidFor(d time.Duration) func(*v1alpha1.HybridActivationSpec) {
	return func(s *v1alpha1.HybridActivationSpec) { s.ValidFor = &metav1.Duration{Duration: d} }
}

// AwaitActivation waits until Ready of a HybridActivation has a reason for the
// present generation, and returns the object.
func (w World) AwaitActivation(obj *v1alpha1.HybridActivation, reason string) *v1alpha1.HybridActivation {
	w.T.Helper()
	return w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == reason
	})
}

// AwaitActivationThat waits for something of the present generation.
func (w World) AwaitActivationThat(obj *v1alpha1.HybridActivation, holds func(*v1alpha1.HybridActivation) bool) *v1alpha1.HybridActivation {
	w.T.Helper()
	got, err := testenv.WaitFor(w.T.Context(), w.Client, obj, func(a *v1alpha1.HybridActivation) bool {
		return Condition(a.Status.Conditions, v1alpha1.ConditionReady).ObservedGeneration == a.Generation && a.Generation >= obj.Generation && holds(a)
	})
	w.Must(err)
	return got
}

// CreateActivation creates objects and returns the last, which is a HybridActivation,
// once machines may register.
func (w World) CreateActivation(obj *v1alpha1.HybridActivation, account *v1alpha1.AWSAccount) *v1alpha1.HybridActivation {
	w.T.Helper()
	w.Create(account, obj)
	return w.AwaitActivation(obj, v1alpha1.ReasonActivated)
}

// SSM is the emulated Systems Manager of the tests' region.
func (w World) SSM() *ssm.Region { return w.Emulator.Account(AccountID).Region(Region).SSM }

// Activations are the activations that the emulated AWS holds, by id.
func (w World) Activations() map[string]*ssm.Activation {
	all := map[string]*ssm.Activation{}
	for a := range w.SSM().Activations() {
		all[a.ID] = a
	}
	return all
}

// Secret reads the Secret of that name.
func (w World) Secret(name string) *corev1.Secret {
	w.T.Helper()
	secret := &corev1.Secret{}
	w.Must(w.Client.Get(w.T.Context(), client.ObjectKey{Namespace: Team, Name: name}, secret))
	return secret
}

// RegisterMachine registers a machine with what a Secret holds, and returns the node.
func (w World) RegisterMachine(secret *corev1.Secret) string {
	w.T.Helper()
	id, err := w.Emulator.Register(ssm.Registration{
		ActivationID: string(secret.Data[v1alpha1.SecretKeyID]), ActivationCode: string(secret.Data[v1alpha1.SecretKeyCode]),
	})
	w.Must(err)
	return id
}

// Node reads a node of the emulated fleet.
func (w World) Node(id string) (*fleet.Node, bool) {
	return w.Emulator.Account(AccountID).Region(Region).Fleet.Node(id)
}

// SSMCalls counts the calls of an operation of SSM after number n.
func (w World) SSMCalls(n int, operation string) int {
	count := 0
	for _, call := range w.Emulator.CallLog(n) {
		if call.Service == "ssm" && call.Operation == operation {
			count++
		}
	}
	return count
}
