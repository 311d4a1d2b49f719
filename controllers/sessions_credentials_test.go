package controllers_test

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
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const allActions = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// permits attaches a policy that no grant gave.
func (w world) permits(kind emuiam.Kind, principal, name, document string) {
	w.t.Helper()
	w.addPolicy(fixtures.Policy{Name: name, Document: []byte(document)})
	w.must(w.Emulator.Account(accountID).IAM.Attach(kind, principal, "arn:aws:iam::"+accountID+":policy/"+name))
}

// start opens a session as credentials allow it.
func (w world) start(c aws.Credentials, node string) (string, error) {
	out, err := ssm.NewFromConfig(w.AWSConfig(c)).StartSession(w.t.Context(), &ssm.StartSessionInput{Target: aws.String(node)})
	if err != nil {
		return "", err
	}
	return *out.SessionId, nil
}

func (w world) started(c aws.Credentials, node string) string {
	w.t.Helper()
	id, err := w.start(c, node)
	w.must(err)
	return id
}

func temporary(c *ststypes.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// federated is a token of a user under a name that the user chooses.
func (w world) federated(c aws.Credentials, name string) aws.Credentials {
	w.t.Helper()
	out, err := sts.NewFromConfig(w.AWSConfig(c)).GetFederationToken(w.t.Context(), &sts.GetFederationTokenInput{
		Name: aws.String(name), Policy: aws.String(allActions),
	})
	w.must(err)
	return temporary(out.Credentials)
}

func (w world) assumed(c aws.Credentials, role, session string) aws.Credentials {
	w.t.Helper()
	out, err := sts.NewFromConfig(w.AWSConfig(c)).AssumeRole(w.t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + accountID + ":role/" + role), RoleSessionName: aws.String(session),
	})
	w.must(err)
	return temporary(out.Credentials)
}

const tokens = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`

// The rows of the table in docs/security.md.
func TestARevocationEndsTheSessionsOfEveryKindOfCredential(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	cloud := w.Emulator.Account(accountID).IAM
	trust := []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountID + `"},"Action":"sts:AssumeRole"}]}`)
	w.must(cloud.AddRole(fixtures.Role{Name: "first", Trust: trust}))
	w.must(cloud.AddRole(fixtures.Role{Name: "oncall", Trust: trust}))
	w.permits(emuiam.User, "user01", "Tokens", tokens)
	w.must(cloud.Attach(emuiam.Role, "first", "arn:aws:iam::"+accountID+":policy/Tokens"))
	grant := access("all", "user01", pc01)
	grant.Spec.Principals = append(grant.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalRole, Name: "oncall"})
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)

	keys := w.Credentials("user01")
	token, err := sts.NewFromConfig(w.AWSConfig(keys)).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	w.must(err)
	sessions := map[string]string{
		"keys of an IAM user": w.started(keys, pc01),
		"GetSessionToken":     w.started(temporary(token.Credentials), pc01),
		"AssumeRole":          w.started(w.assumed(keys, "oncall", "alice"), pc01),
		"role chaining":       w.started(w.assumed(w.assumed(keys, "first", "bob"), "oncall", "bob"), pc01),
		// The owner that AssumeRoleWithWebIdentity gives has the form of AssumeRole's.
		"web identity": w.open("arn:aws:sts::"+accountID+":assumed-role/oncall/pipeline", pc01),
	}
	// A federated token opens none through the grant, but may have by an earlier version.
	fed := w.federated(keys, "somebody-else")
	if _, err := w.start(fed, pc01); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("a federated token opened a session through a grant: %v", err)
	}
	w.permits(emuiam.User, "user01", "Everything", everything)
	sessions["GetFederationToken"] = w.started(fed, pc01)
	w.must(cloud.RemovePolicy("Everything"))

	w.must(w.Client.Delete(t.Context(), grant))
	for name, id := range sessions {
		t.Log(name)
		w.untilEnded(id)
	}
}

func TestAFederatedSessionEndsUnlessItIsOlderThanEveryGrantOnItsNode(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.permits(emuiam.User, "user02", "Everything", allActions)
	old := w.started(w.federated(w.Credentials("user02"), "first"), pc01)
	w.advance(time.Hour)
	grant, other := access("g", "user01", pc01), access("other", "user02", pc01)
	w.create(account(), grant, other)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.accessIs(other, v1alpha1.ReasonGranted)
	fed := w.federated(w.Credentials("user02"), "user02")
	young, elsewhere := w.started(fed, pc01), w.started(fed, pc02)
	// The owner names no user, so the grant of another user does not keep it open.
	w.must(w.Client.Delete(t.Context(), grant))
	w.untilEnded(young)
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(t.Context(), w.Client, grant))
	w.openStill(old, elsewhere)
}
