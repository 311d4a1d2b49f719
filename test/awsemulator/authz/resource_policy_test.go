package authz_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

const keyARN = "arn:aws:kms:ap-northeast-1:488821267897:key/3f6c2a10-5b7e-4d1c-9a44-0c8d2e6f7a91"

func mustParseResource(t tester, raw string) authz.Policy {
	t.Helper()
	doc, err := authz.ParseResource([]byte(raw))
	if err != nil {
		t.Fatalf("parse the policy of a resource %s: %v", raw, err)
	}
	return authz.Policy{Name: "resource", Document: doc}
}

// onKey is a statement about a key for this Principal, given as JSON.
func onKey(effect, principal, more string) string {
	return `{"Sid":"Allow use of the key","Effect":"` + effect + `","Action":"kms:Describe*","Resource":"*","Principal":` + principal + more + `}`
}

func TestResourcePolicyGoesTogetherWithTheCallers(t *testing.T) {
	t.Parallel()
	const (
		account = `{"AWS":"arn:aws:iam::488821267897:root"}`
		self    = `{"AWS":"` + user01 + `"}`
		nobody  = `{"AWS":"` + stranger + `"}`
	)
	identityAllows := policy(`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`)
	identityDenies := policy(`{"Effect":"Deny","Action":"kms:*","Resource":"*"}`)
	silent := policy(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	for _, c := range []struct {
		name, identity, resource string
		rule                     authz.ResourceRule
		want                     authz.Outcome
		source                   authz.Source
	}{
		{"KMS leaves it to the account, which allows", identityAllows, onKey("Allow", account, ""), authz.ResourceAllows, authz.Allowed, authz.IdentitySource},
		{"KMS leaves it to the account, which does not", silent, onKey("Allow", account, ""), authz.ResourceAllows, authz.ImplicitDeny, authz.IdentitySource},
		{"KMS names the caller", silent, onKey("Allow", self, ""), authz.ResourceAllows, authz.Allowed, authz.ResourceSource},
		{"KMS names others only", identityAllows, onKey("Allow", nobody, ""), authz.ResourceAllows, authz.ImplicitDeny, authz.ResourceSource},
		{"KMS denies", identityAllows, onKey("Allow", account, "") + "," + `{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*"}`, authz.ResourceAllows, authz.ExplicitDeny, authz.ResourceSource},
		{"the caller's own policy denies", identityDenies, onKey("Allow", self, ""), authz.ResourceAllows, authz.ExplicitDeny, authz.IdentitySource},
		{"either: the caller's policy allows", identityAllows, onKey("Allow", nobody, ""), authz.EitherAllows, authz.Allowed, authz.IdentitySource},
		{"either: the resource's policy allows", silent, onKey("Allow", self, ""), authz.EitherAllows, authz.Allowed, authz.ResourceSource},
		{"either: neither does", silent, onKey("Allow", nobody, ""), authz.EitherAllows, authz.ImplicitDeny, authz.IdentitySource},
		{"both: the caller's policy alone", identityAllows, onKey("Allow", nobody, ""), authz.BothAllow, authz.ImplicitDeny, authz.ResourceSource},
		{"both: the resource's policy alone", silent, onKey("Allow", self, ""), authz.BothAllow, authz.ImplicitDeny, authz.IdentitySource},
		{"both", identityAllows, onKey("Allow", self, ""), authz.BothAllow, authz.Allowed, authz.IdentitySource},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, err := authz.EvaluateResource(authz.Principal{ARN: user01}, authz.Request{Action: "kms:DescribeKey", Resource: keyARN},
				authz.Policies{Identity: []authz.Policy{mustParse(t, c.identity)}}, mustParseResource(t, policy(c.resource)), c.rule)
			if err != nil || d.Outcome != c.want || d.Source != c.source {
				t.Fatalf("the decision is %+v (%v), want %s by the %s", d, err, c.want, c.source)
			}
		})
	}
}

func TestServiceIsJudgedByTheResourcePolicyAlone(t *testing.T) {
	t.Parallel()
	p := mustParseResource(t, policy(onKey("Allow", `{"Service":"logs.ap-northeast-1.amazonaws.com"}`,
		`,"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:ap-northeast-1:488821267897:log-group:*"}}`)))
	for service, want := range map[string]bool{"logs.ap-northeast-1.amazonaws.com": true, "logs.us-east-1.amazonaws.com": false} {
		r := authz.Request{Action: "kms:DescribeKey", Resource: keyARN, Context: authz.NewContext(values{
			"kms:EncryptionContext:aws:logs:arn": {"arn:aws:logs:ap-northeast-1:488821267897:log-group:LogGroup-SessionManager"},
		})}
		d, err := authz.EvaluateResource(authz.Principal{Service: service}, r, authz.Policies{}, p, authz.ResourceAllows)
		if err != nil || d.Allowed() != want {
			t.Errorf("%s: the decision is %+v (%v)", service, d, err)
		}
	}
}

func TestBoundaryCapsARoleThatAResourceNames(t *testing.T) {
	t.Parallel()
	boundary := mustParse(t, policy(`{"Effect":"Allow","Action":"ssm:*","Resource":"*"}`))
	who := authz.Principal{ARN: deploySelf, RoleARN: deployRole}
	for principal, want := range map[string]bool{deployRole: false, deploySelf: true} {
		d, err := authz.EvaluateResource(who, authz.Request{Action: "kms:DescribeKey", Resource: keyARN}, authz.Policies{Boundary: &boundary},
			mustParseResource(t, policy(onKey("Allow", `{"AWS":"`+principal+`"}`, ""))), authz.EitherAllows)
		if err != nil || d.Allowed() != want {
			t.Errorf("%s named: the decision is %+v (%v)", principal, d, err)
		}
	}
}

func TestResourcePoliciesHaveTheirOwnGrammar(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no principal": `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`,
		"no resource":  `{"Effect":"Allow","Action":"kms:*","Principal":"*"}`,
	} {
		if _, err := authz.ParseResource([]byte(policy(raw))); err == nil {
			t.Errorf("a statement with %s is taken", name)
		}
	}
	if _, err := authz.Parse([]byte(policy(onKey("Allow", `"*"`, "")))); err == nil {
		t.Error("a policy of an identity names principals")
	}
	p := mustParse(t, policy(`{"Effect":"Allow","Action":"kms:*","Resource":"*"}`))
	if _, err := authz.EvaluateResource(authz.Principal{ARN: user01}, authz.Request{Action: "kms:DescribeKey", Resource: keyARN}, authz.Policies{}, p, authz.ResourceAllows); err == nil {
		t.Error("a policy of an identity is taken for one of a resource")
	}
}
