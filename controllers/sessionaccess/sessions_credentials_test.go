package sessionaccess_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	emuiam "github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/iam"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const allActions = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// permits attaches a policy that no grant gave.
func (w world) permits(kind emuiam.Kind, principal, name, document string) {
	w.T.Helper()
	w.AddForeignPolicy(fixtures.Policy{Name: name, Document: []byte(document)})
	w.Must(w.Emulator.Account(scenario.AccountID).IAM.Attach(kind, principal, "arn:aws:iam::"+scenario.AccountID+":policy/"+name))
}

// start opens a session as credentials allow it.
func (w world) start(c aws.Credentials, node string) (string, error) {
	out, err := ssm.NewFromConfig(w.AWSConfig(c)).StartSession(w.T.Context(), &ssm.StartSessionInput{Target: aws.String(node)})
	if err != nil {
		return "", err
	}
	return *out.SessionId, nil
}

func (w world) started(c aws.Credentials, node string) string {
	w.T.Helper()
	id, err := w.start(c, node)
	w.Must(err)
	return id
}

func temporary(c *ststypes.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// federated is a token of a user under a name that the user chooses.
func (w world) federated(c aws.Credentials, name string) aws.Credentials {
	w.T.Helper()
	out, err := sts.NewFromConfig(w.AWSConfig(c)).GetFederationToken(w.T.Context(), &sts.GetFederationTokenInput{
		Name: aws.String(name), Policy: aws.String(allActions),
	})
	w.Must(err)
	return temporary(out.Credentials)
}

func (w world) assumed(c aws.Credentials, role, session string) aws.Credentials {
	w.T.Helper()
	out, err := sts.NewFromConfig(w.AWSConfig(c)).AssumeRole(w.T.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + scenario.AccountID + ":role/" + role), RoleSessionName: aws.String(session),
	})
	w.Must(err)
	return temporary(out.Credentials)
}

const tokens = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`

// The rows of the table in docs/security.md.
func TestARevocationEndsTheSessionsOfEveryKindOfCredential(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	cloud := w.Emulator.Account(scenario.AccountID).IAM
	trust := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + scenario.AccountID + `"},"Action":"sts:AssumeRole"}]}`)
	w.Must(cloud.AddRole(fixtures.Role{Name: "first", Trust: trust}))
	w.Must(cloud.AddRole(fixtures.Role{Name: "oncall", Trust: trust}))
	w.permits(emuiam.User, "user01", "Tokens", tokens)
	w.Must(cloud.Attach(emuiam.Role, "first", "arn:aws:iam::"+scenario.AccountID+":policy/Tokens"))
	grant := scenario.Access("all", "user01", scenario.PC01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalRole, Name: "oncall"})
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)

	keys := w.Credentials("user01")
	token, err := sts.NewFromConfig(w.AWSConfig(keys)).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	w.Must(err)
	sessions := map[string]string{
		"keys of an IAM user": w.started(keys, scenario.PC01),
		"GetSessionToken":     w.started(temporary(token.Credentials), scenario.PC01),
		"AssumeRole":          w.started(w.assumed(keys, "oncall", "alice"), scenario.PC01),
		"role chaining":       w.started(w.assumed(w.assumed(keys, "first", "bob"), "oncall", "bob"), scenario.PC01),
		// The owner that AssumeRoleWithWebIdentity gives has the form of AssumeRole's.
		"web identity": w.OpenSession("arn:aws:sts::"+scenario.AccountID+":assumed-role/oncall/pipeline", scenario.PC01),
	}
	// A federated token opens none through the grant, but may have by an earlier version.
	fed := w.federated(keys, "somebody-else")
	if _, err := w.start(fed, scenario.PC01); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a federated token opened a session through a grant: %v", err)
	}
	w.permits(emuiam.User, "user01", "Everything", scenario.AllowAllOfSSM)
	sessions["GetFederationToken"] = w.started(fed, scenario.PC01)
	w.Must(cloud.RemovePolicy("Everything"))

	w.Must(w.Client.Delete(t.Context(), grant))
	for name, id := range sessions {
		t.Log(name)
		w.AwaitSessionEnd(id)
	}
}

func TestAFederatedSessionEndsUnlessItIsOlderThanEveryGrantOnItsNode(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.permits(emuiam.User, "user02", "Everything", allActions)
	old := w.started(w.federated(w.Credentials("user02"), "first"), scenario.PC01)
	w.Advance(time.Hour)
	grant, other := scenario.Access("g", "user01", scenario.PC01), scenario.Access("other", "user02", scenario.PC01)
	w.Create(scenario.Account(), grant, other)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitAccess(other, v1alpha1.ReasonGranted)
	fed := w.federated(w.Credentials("user02"), "user02")
	young, elsewhere := w.started(fed, scenario.PC01), w.started(fed, scenario.PC02)
	// The owner names no user, so the grant of another user does not keep it open.
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitSessionEnd(young)
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.ExpectSessionsOpen(old, elsewhere)
}
