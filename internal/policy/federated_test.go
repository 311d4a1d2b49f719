package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// federated asks as a token of GetFederationToken does: with the policies of the
// user, without aws:username, and under whatever name the caller chose for it. Its
// session policy allows everything.
func federated(t tester, docs []string, name string) *judge {
	t.Helper()
	j := newJudge(t, user01, docs)
	j.username, j.userID = "", account.ID+":"+name
	everything, err := authz.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`))
	if err != nil {
		t.Fatalf("the session policy: %v", err)
	}
	j.policies.Session = []authz.Policy{{Name: "session policy", Document: everything}}
	return j
}

func TestNoGrantOpensASessionToAFederatedToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy.Principal{Kind: rapid.SampledFrom([]policy.Kind{policy.User, policy.Group}).Draw(t, "kind"), Name: "ops"}
		grants := drawGrants(t, 3)
		plan, _ := policy.Compile(account, p, grants, nil, policy.Quotas{PolicySize: 6144, Policies: -1}, noon)
		j := federated(t, plan.Documents, rapid.SampledFrom([]string{"user01", "ops", "x"}).Draw(t, "name"))
		c := drawCircumstances(t)
		n := drawNode(t)
		for _, resource := range []string{n.arn(), documentARN(n.region, policy.DefaultDocument)} {
			if j.allowed("ssm:StartSession", resource, c, n.context()) {
				t.Fatalf("a federated token may open sessions on %s", resource)
			}
		}
		session := "arn:aws:ssm:ap-northeast-1:" + account.ID + ":session/" + j.userID + "-0123"
		for _, action := range []string{"ssm:ResumeSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"} {
			if j.allowed(action, session, c, map[string]string{"ssm:resourceTag/aws:ssmmessages:session-id": j.userID}) {
				t.Fatalf("a federated token may %s", action)
			}
		}
	})
}
