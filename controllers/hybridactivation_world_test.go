package controllers_test

import (
	"time"

	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fleet"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// serviceRole is the role of the fixture that lets Systems Manager assume it.
const (
	serviceRole = "SSMServiceRole"
	// otherRole is not there unless it is added.
	otherRole = "SSMOtherRole"
)

// addRole adds a role that hybrid nodes may act as, which the operator may pass.
func (w world) addRole(name string) {
	w.t.Helper()
	w.must(w.Emulator.Account(accountID).IAM.AddRole(fixtures.Role{Name: name, Trust: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))
	pass := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::` + accountID + `:role/` + name + `"}]}`
	admin := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
	made, err := admin.CreatePolicy(w.t.Context(), &awsiam.CreatePolicyInput{PolicyName: aws.String("pass-" + name), PolicyDocument: &pass})
	w.must(err)
	_, err = admin.AttachUserPolicy(w.t.Context(), &awsiam.AttachUserPolicyInput{UserName: aws.String("ssm-access-operator"), PolicyArn: made.Policy.Arn})
	w.must(err)
}

// allowActivations lets namespaces create activations.
func allowActivations(change ...func(*v1alpha1.ActivationRule)) func(*v1alpha1.AWSAccount) {
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

func activation(name string, change ...func(*v1alpha1.HybridActivationSpec)) *v1alpha1.HybridActivation {
	a := &v1alpha1.HybridActivation{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: team},
		Spec: v1alpha1.HybridActivationSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"}, Region: region, Role: serviceRole, RegistrationLimit: new(int32(10)),
		},
	}
	for _, c := range change {
		c(&a.Spec)
	}
	return a
}

func validFor(d time.Duration) func(*v1alpha1.HybridActivationSpec) {
	return func(s *v1alpha1.HybridActivationSpec) { s.ValidFor = &metav1.Duration{Duration: d} }
}

// activationIs waits until Ready of a HybridActivation has a reason for the
// present generation, and returns the object.
func (w world) activationIs(obj *v1alpha1.HybridActivation, reason string) *v1alpha1.HybridActivation {
	w.t.Helper()
	return w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason == reason
	})
}

// activationBecomes waits for something of the present generation.
func (w world) activationBecomes(obj *v1alpha1.HybridActivation, holds func(*v1alpha1.HybridActivation) bool) *v1alpha1.HybridActivation {
	w.t.Helper()
	got, err := testenv.WaitFor(w.t.Context(), w.Client, obj, func(a *v1alpha1.HybridActivation) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionReady).ObservedGeneration == a.Generation && a.Generation >= obj.Generation && holds(a)
	})
	w.must(err)
	return got
}

// rotates waits until another activation is the current one and Ready is True.
func (w world) rotates(obj *v1alpha1.HybridActivation, from string) *v1alpha1.HybridActivation {
	w.t.Helper()
	return w.activationBecomes(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.Status.ActivationID != "" && a.Status.ActivationID != from && condition(a.Status.Conditions, v1alpha1.ConditionReady).Status == metav1.ConditionTrue
	})
}

// activated creates objects and returns the last, which is a HybridActivation,
// once machines may register.
func (w world) activated(obj *v1alpha1.HybridActivation, account *v1alpha1.AWSAccount) *v1alpha1.HybridActivation {
	w.t.Helper()
	w.create(account, obj)
	return w.activationIs(obj, v1alpha1.ReasonActivated)
}

// ssmOf is the emulated Systems Manager of the tests' region.
func (w world) ssmOf() *ssm.Region { return w.Emulator.Account(accountID).Region(region).SSM }

// allActivations are the activations that the emulated AWS holds, by id.
func (w world) allActivations() map[string]*ssm.Activation {
	all := map[string]*ssm.Activation{}
	for a := range w.ssmOf().Activations() {
		all[a.ID] = a
	}
	return all
}

// secret reads the Secret of that name.
func (w world) secret(name string) *corev1.Secret {
	w.t.Helper()
	secret := &corev1.Secret{}
	w.must(w.Client.Get(w.t.Context(), client.ObjectKey{Namespace: team, Name: name}, secret))
	return secret
}

// register registers a machine with what a Secret holds, and returns the node.
func (w world) register(secret *corev1.Secret) string {
	w.t.Helper()
	id, err := w.Emulator.Register(ssm.Registration{
		ActivationID: string(secret.Data[v1alpha1.SecretKeyID]), ActivationCode: string(secret.Data[v1alpha1.SecretKeyCode]),
	})
	w.must(err)
	return id
}

// node reads a node of the emulated fleet.
func (w world) node(id string) (*fleet.Node, bool) {
	return w.Emulator.Account(accountID).Region(region).Fleet.Node(id)
}

// holdsOne checks that exactly one activation exists, that the Secret holds its code,
// and that the status reports it.
func (w world) holdsOne(obj *v1alpha1.HybridActivation) {
	w.t.Helper()
	all, secret := w.allActivations(), w.secret(obj.SecretName())
	id := string(secret.Data[v1alpha1.SecretKeyID])
	a := all[id]
	switch {
	case len(all) != 1 || a == nil:
		w.t.Errorf("AWS holds %d activations, and the Secret %s", len(all), id)
	case a.Code != string(secret.Data[v1alpha1.SecretKeyCode]):
		w.t.Errorf("the Secret holds another code than that of activation %s", id)
	case obj.Status.ActivationID != id:
		w.t.Errorf("the status tells of activation %q, and the Secret holds %s", obj.Status.ActivationID, id)
	}
}

// ssmCalls counts the calls of an operation of SSM after number n.
func (w world) ssmCalls(n int, operation string) int {
	count := 0
	for _, call := range w.Emulator.CallLog(n) {
		if call.Service == "ssm" && call.Operation == operation {
			count++
		}
	}
	return count
}

// created reports whether a call made an activation.
func created(c calls.Call) bool { return c.Operation == "CreateActivation" && c.Effect }

// deleteActivation deletes an activation as a user of the console would.
func (w world) deleteActivation(id string) {
	w.t.Helper()
	_, err := awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin"))).DeleteActivation(w.t.Context(), &awsssm.DeleteActivationInput{ActivationId: &id})
	w.must(err)
}
