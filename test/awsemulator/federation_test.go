package awsemulator_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// allOf is a session policy that narrows nothing.
const allOf = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

func temporary(c *ststypes.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// federate gets a federated token of a user; no policy is passed where it is "".
func (w *world) federate(c aws.Credentials, name, policy string) (aws.Credentials, error) {
	in := &sts.GetFederationTokenInput{Name: aws.String(name)}
	if policy != "" {
		in.Policy = aws.String(policy)
	}
	out, err := w.sts(c).GetFederationToken(ctx(w.t), in)
	if err != nil {
		return aws.Credentials{}, err
	}
	return temporary(out.Credentials), nil
}

func TestFederatedTokenHasTheUsersPoliciesUnderANameOfItsOwn(t *testing.T) {
	w := newWorld(t)
	token := must(w.federate(admin, "somebody-else", allOf))(t)
	me := must(w.sts(token).GetCallerIdentity(ctx(t), &sts.GetCallerIdentityInput{}))(t)
	if want := "arn:aws:sts::" + account + ":federated-user/somebody-else"; *me.Arn != want || *me.UserId != account+":somebody-else" {
		t.Fatalf("the caller is %s, %s", *me.Arn, *me.UserId)
	}
	id := must(w.open(token, pc01))(t)
	active := w.describe(types.SessionStateActive)
	if len(active) != 1 || *active[0].Owner != *me.Arn || !strings.HasPrefix(id, "somebody-else-") {
		t.Fatalf("the active sessions are %+v", active)
	}
	// Neither IAM nor STS is open to it, whatever its policies.
	_, err := w.iam(token).GetAccountSummary(ctx(t), &iam.GetAccountSummaryInput{})
	wantCode(t, err, "AccessDenied")
	_, err = w.assume(token, operatorRole, "abc", "")
	wantCode(t, err, "AccessDenied")
	_, err = w.federate(token, "again", allOf)
	wantCode(t, err, "AccessDenied")
}

func TestFederatedTokenIsNarrowedByItsSessionPolicy(t *testing.T) {
	w := newWorld(t)
	for name, policy := range map[string]string{"none": "", "another action": anyDocument} {
		token := must(w.federate(admin, "fed", policy))(t)
		_, err := w.open(token, pc01)
		if code := "AccessDeniedException"; err == nil {
			t.Errorf("%s: a session opened, want %s", name, code)
		}
	}
	// And by what its user may do.
	_, err := w.federate(user01, "fed", allOf)
	wantCode(t, err, "AccessDenied")
}

func TestFederatedTokenHasNoUserName(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct{ condition, code string }{
		"a user name is asked for":     {`{"Null":{"aws:username":"false"}}`, "AccessDeniedException"},
		"no user name is asked for":    {`{"Null":{"aws:username":"true"}}`, ""},
		"it is known as federated":     {`{"StringEquals":{"aws:PrincipalType":"FederatedUser"}}`, ""},
		"its user id holds its name":   {`{"StringEquals":{"aws:userid":"` + account + `:fed"}}`, ""},
		"its ARN does not name a user": {`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}`, "AccessDeniedException"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := strings.Replace(allOf, `"Resource":"*"`, `"Resource":"*","Condition":`+c.condition, 1)
			token := must(w.federate(admin, "fed", policy))(t)
			_, err := w.open(token, pc01)
			wantCode(t, err, c.code)
		})
	}
}

func TestSessionTokenIsTheUser(t *testing.T) {
	w := newWorld(t)
	out := must(w.sts(admin).GetSessionToken(ctx(t), &sts.GetSessionTokenInput{}))(t)
	token := temporary(out.Credentials)
	id := must(w.open(token, pc01))(t)
	active := w.describe(types.SessionStateActive)
	if len(active) != 1 || *active[0].Owner != "arn:aws:iam::"+account+":user/admin" || !strings.HasPrefix(id, "admin-") {
		t.Fatalf("the active sessions are %+v", active)
	}
	must(w.ssm(token).TerminateSession(ctx(t), &ssm.TerminateSessionInput{SessionId: aws.String(id)}))(t)
	_, err := w.sts(token).GetSessionToken(ctx(t), &sts.GetSessionTokenInput{})
	wantCode(t, err, "AccessDenied")
	_, err = w.federate(token, "fed", allOf)
	wantCode(t, err, "AccessDenied")
}
