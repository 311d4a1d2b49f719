package controllers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What trust-policy.json names: the account and the role of the operator's pod, and
// the external id.
const (
	podAccount = "444455556666"
	podRole    = "ssm-access-operator-pod"
	externalID = "ssm-access-staging"
)

// podKey are the credentials of the pod's session.
var podKey = fixtures.AccessKey{ID: "ASIAEMULATEDPOD00000", Secret: "emulated-secret-of-the-pod", SessionToken: "emulated-token-of-the-pod"}

// crossing is the fixture of the permissions with the documents of config/iam for
// several accounts: the operator's role trusts a pod in another account.
func crossing(t *testing.T, caller json.RawMessage) *fixtures.Fixture {
	t.Helper()
	f := permissionFixture()
	for i := range f.Accounts[0].Roles {
		if role := &f.Accounts[0].Roles[i]; role.Name == "ssm-access-operator" {
			role.Trust = recommended(t, "trust-policy.json")
		}
	}
	pod := fixtures.Role{
		Name: podRole, Trust: json.RawMessage(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
		Sessions: []fixtures.RoleSession{{Name: "pod", AccessKeys: []fixtures.AccessKey{podKey}}},
	}
	if caller != nil {
		pod.Inline = map[string]json.RawMessage{"managed-accounts": caller}
	}
	f.Accounts = append(f.Accounts, fixtures.Account{ID: podAccount, Roles: []fixtures.Role{pod}})
	return f
}

func recommended(t *testing.T, file string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(scenario.Cluster(t).Checkout, "config", "iam", file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fromPod starts the operator with the credentials of the pod.
func fromPod(t *testing.T, f *fixtures.Fixture) world {
	t.Helper()
	w := worldOf(t, testenv.Options{Fixture: f})
	pod := w.AWSConfig(testenv.KeyCredentials(podKey))
	w.Manager(t, testenv.ManagerOptions{AWS: &pod})
	return w
}

func assuming(externalID string) func(*v1alpha1.AWSAccount) {
	return func(a *v1alpha1.AWSAccount) {
		a.Spec.AssumeRole = &v1alpha1.AssumeRole{RoleARN: "arn:aws:iam::" + scenario.AccountID + ":role/ssm-access-operator", ExternalID: externalID}
	}
}

func TestTheRecommendedPoliciesServeAnOperatorInAnotherAccount(t *testing.T) {
	w := fromPod(t, crossing(t, recommended(t, "caller-policy.json")))
	everyKind(w, assuming(externalID))
	w.ExpectNoRefusedCall()
	for _, call := range w.Emulator.CallLog(0) {
		if call.Code == "AccessDenied" && call.Service == "sts" {
			t.Errorf("the operator was refused %s", call.Action())
		}
	}
}

// The trust and the caller's own permission are each asked for.
func TestAnOperatorInAnotherAccountNeedsTrustAndPermission(t *testing.T) {
	for name, c := range map[string]struct {
		caller json.RawMessage
		id     string
	}{
		"without caller-policy.json":         {nil, externalID},
		"with another external id":           {recommended(t, "caller-policy.json"), "ssm-access-production"},
		"without the external id altogether": {recommended(t, "caller-policy.json"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := fromPod(t, crossing(t, c.caller))
			w.Create(scenario.Account(assuming(c.id)))
			got := w.AwaitAccount(scenario.Account(), v1alpha1.ReasonCredentialsInvalid)
			w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "sts:AssumeRole")
		})
	}
}
