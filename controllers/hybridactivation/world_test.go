package hybridactivation_test

import (
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(scenario.Main(m)) }

// world is scenario.World with what the tests of this package alone need.
type world struct{ scenario.World }

func newWorld(t *testing.T, o testenv.ManagerOptions) world {
	t.Helper()
	return world{scenario.New(t, o)}
}

func worldWithoutManager(t *testing.T) world {
	t.Helper()
	return world{scenario.NewWithoutManager(t)}
}

// registrations is how many machines have registered and how many may, such as "1/10".
func registrations(a *v1alpha1.HybridActivation) string {
	if a.Status.RegistrationCount == nil || a.Status.RegistrationLimit == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", *a.Status.RegistrationCount, *a.Status.RegistrationLimit)
}

// otherRole is not there unless it is added.
const otherRole = "SSMOtherRole"

// addRole adds a role, by its path and name, that hybrid nodes may act as, which the operator may pass.
func (w world) addRole(name string) {
	w.T.Helper()
	role := fixtures.Role{Name: path.Base(name), Path: "/" + strings.TrimPrefix(path.Dir(name)+"/", "./")}
	role.Trust = []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	w.Must(w.Emulator.Account(scenario.AccountID).IAM.AddRole(role))
	pass := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::` + scenario.AccountID + `:role/` + name + `"}]}`
	admin := awsiam.NewFromConfig(w.AWSConfig(w.Credentials("admin")))
	made, err := admin.CreatePolicy(w.T.Context(), &awsiam.CreatePolicyInput{PolicyName: aws.String("pass-" + role.Name), PolicyDocument: &pass})
	w.Must(err)
	_, err = admin.AttachUserPolicy(w.T.Context(), &awsiam.AttachUserPolicyInput{UserName: aws.String("ssm-access-operator"), PolicyArn: made.Policy.Arn})
	w.Must(err)
}

// rotates waits until another activation is the current one and Ready is True.
func (w world) rotates(obj *v1alpha1.HybridActivation, from string) *v1alpha1.HybridActivation {
	w.T.Helper()
	return w.AwaitActivationThat(obj, func(a *v1alpha1.HybridActivation) bool {
		return a.Status.ActivationID != "" && a.Status.ActivationID != from && scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Status == metav1.ConditionTrue
	})
}

// holdsOne checks that exactly one activation exists, that the Secret holds its code,
// and that the status reports it.
func (w world) holdsOne(obj *v1alpha1.HybridActivation) {
	w.T.Helper()
	all, secret := w.Activations(), w.Secret(obj.SecretName())
	id := string(secret.Data[v1alpha1.SecretKeyID])
	a := all[id]
	switch {
	case len(all) != 1 || a == nil:
		w.T.Errorf("AWS holds %d activations, and the Secret %s", len(all), id)
	case a.Code != string(secret.Data[v1alpha1.SecretKeyCode]):
		w.T.Errorf("the Secret holds another code than that of activation %s", id)
	case obj.Status.ActivationID != id:
		w.T.Errorf("the status names activation %q, and the Secret holds %s", obj.Status.ActivationID, id)
	}
}

// created reports whether a call made an activation.
func created(c calls.Call) bool { return c.Operation == "CreateActivation" && c.Effect }

// deleteActivation deletes an activation as a user of the console would.
func (w world) deleteActivation(id string) {
	w.T.Helper()
	_, err := awsssm.NewFromConfig(w.AWSConfig(w.Credentials("admin"))).DeleteActivation(w.T.Context(), &awsssm.DeleteActivationInput{ActivationId: &id})
	w.Must(err)
}
