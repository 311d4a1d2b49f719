package authz_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

const (
	roleARN      = "arn:aws:iam::488821267897:role/ssm-access-operator"
	deployRole   = "arn:aws:iam::488821267897:role/ci/deploy"
	deploySelf   = "arn:aws:sts::488821267897:assumed-role/deploy/run1"
	otherAccount = "111122223333"
	stranger     = "arn:aws:iam::111122223333:user/stranger"
)

// trustIn is a trust policy with this Principal, given as JSON, and this
// further part of the statement.
func trustIn(principal, more string) string {
	return policy(`{"Sid":"T","Effect":"Allow","Action":"sts:AssumeRole","Principal":` + principal + more + `}`)
}

func assume(context values) authz.Request {
	return authz.Request{Action: "sts:AssumeRole", Resource: roleARN, Context: authz.NewContext(context)}
}

func TestTrustPolicyNamesPrincipals(t *testing.T) {
	user := authz.Principal{ARN: user01}
	session := authz.Principal{ARN: deploySelf, RoleARN: deployRole}
	service := authz.Principal{Service: "ssm.amazonaws.com"}
	foreign := authz.Principal{ARN: stranger}
	for _, c := range []struct {
		name, principal string
		who             authz.Principal
		allowed         bool
		delegated       bool
	}{
		{"user by ARN", `{"AWS":"` + user01 + `"}`, user, true, false},
		{"user among others", `{"AWS":["` + stranger + `","` + user01 + `"]}`, user, true, false},
		{"other user", `{"AWS":"` + user01 + `2"}`, user, false, false},
		{"names are case-sensitive", `{"AWS":"arn:aws:iam::488821267897:user/User01"}`, user, false, false},
		{"account by id", `{"AWS":"488821267897"}`, user, true, true},
		{"account by root", `{"AWS":"arn:aws:iam::488821267897:root"}`, user, true, true},
		{"root of another partition", `{"AWS":"arn:aws-cn:iam::488821267897:root"}`, user, false, false},
		{"other account", `{"AWS":"111122223333"}`, user, false, false},
		{"everyone", `"*"`, user, true, false},
		{"everyone of AWS", `{"AWS":"*"}`, user, true, false},
		{"the closest name counts", `{"AWS":["488821267897","` + user01 + `"]}`, user, true, false},
		{"session by ARN", `{"AWS":"` + deploySelf + `"}`, session, true, false},
		{"other session", `{"AWS":"arn:aws:sts::488821267897:assumed-role/deploy/run2"}`, session, false, false},
		{"session by role", `{"AWS":"` + deployRole + `"}`, session, true, false},
		{"role without its path", `{"AWS":"arn:aws:iam::488821267897:role/deploy"}`, session, false, false},
		{"session by account", `{"AWS":"488821267897"}`, session, true, true},
		{"service", `{"Service":"ssm.amazonaws.com"}`, service, true, false},
		{"service among others", `{"Service":["ec2.amazonaws.com","ssm.amazonaws.com"]}`, service, true, false},
		{"other service", `{"Service":"ec2.amazonaws.com"}`, service, false, false},
		{"everyone is no service", `"*"`, service, false, false},
		{"accounts are no service", `{"AWS":"488821267897"}`, service, false, false},
		{"service beside accounts", `{"AWS":"488821267897","Service":"ssm.amazonaws.com"}`, service, true, false},
		{"a user is no service", `{"Service":"ssm.amazonaws.com"}`, user, false, false},
		{"foreign user by ARN", `{"AWS":"` + stranger + `"}`, foreign, true, true},
		{"foreign user by account", `{"AWS":"` + otherAccount + `"}`, foreign, true, true},
		{"foreign user as everyone", `"*"`, foreign, true, true},
		{"federated callers are nobody here", `{"Federated":"accounts.google.com"}`, user, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := authz.EvaluateTrust(c.who, assume(nil), mustParseTrust(t, trustIn(c.principal, "")))
			if err != nil {
				t.Fatalf("evaluate: %v", err)
			}
			if got.Allowed() != c.allowed || got.Delegated != c.delegated {
				t.Errorf("got %+v, want allowed %v and delegated %v", got, c.allowed, c.delegated)
			}
			if got.Source != authz.TrustSource {
				t.Errorf("source is %v, want the trust policy", got.Source)
			}
		})
	}
}

func TestTheClosestNameCountsInWhicheverStatement(t *testing.T) {
	named := `{"Sid":"Named","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + user01 + `"}}`
	account := `{"Sid":"Account","Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"488821267897"}}`
	for _, statements := range []string{named + "," + account, account + "," + named} {
		got, err := authz.EvaluateTrust(authz.Principal{ARN: user01}, assume(nil), mustParseTrust(t, policy(statements)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Sid != "Named" || got.Delegated {
			t.Errorf("got %+v by %s, want the statement that names the user", got, statements)
		}
	}
}

func TestExternalIDMustMatch(t *testing.T) {
	trust := mustParseTrust(t, trustIn(`{"AWS":"111122223333"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"abc"}}`))
	for name, c := range map[string]struct {
		context values
		allowed bool
	}{
		"right":   {values{"sts:ExternalId": {"abc"}}, true},
		"wrong":   {values{"sts:ExternalId": {"abd"}}, false},
		"missing": {nil, false},
	} {
		got, err := authz.EvaluateTrust(authz.Principal{ARN: stranger}, assume(c.context), trust)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Allowed() != c.allowed {
			t.Errorf("%s external id: %+v, want allowed %v", name, got, c.allowed)
		}
	}
}

func TestServiceTrustCanBeTiedToAnAccount(t *testing.T) {
	trust := mustParseTrust(t, trustIn(`{"Service":"ssm.amazonaws.com"}`, `,"Condition":{"StringEquals":{"aws:SourceAccount":"488821267897"},"ArnLike":{"aws:SourceArn":"arn:aws:ssm:*:488821267897:*"}}`))
	arn := "arn:aws:ssm:eu-west-1:488821267897:activation/x"
	for account, allowed := range map[string]bool{"488821267897": true, otherAccount: false} {
		got, err := authz.EvaluateTrust(authz.Principal{Service: "ssm.amazonaws.com"}, assume(values{"aws:SourceAccount": {account}, "aws:SourceArn": {arn}}), trust)
		if err != nil {
			t.Fatal(err)
		}
		if got.Allowed() != allowed {
			t.Errorf("account %s: %+v, want allowed %v", account, got, allowed)
		}
	}
}

func TestTrustDenies(t *testing.T) {
	everyone := `{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":{"AWS":["488821267897","` + user01 + `"],"Service":"ssm.amazonaws.com"}},`
	user := authz.Principal{ARN: user01}
	session := authz.Principal{ARN: deploySelf, RoleARN: deployRole}
	service := authz.Principal{Service: "ssm.amazonaws.com"}
	for _, c := range []struct {
		name, deny string
		who        authz.Principal
		denied     bool
	}{
		{"user", `"Action":"sts:AssumeRole","Principal":{"AWS":"` + user01 + `"}`, user, true},
		{"other user", `"Action":"sts:AssumeRole","Principal":{"AWS":"` + user01 + `2"}`, user, false},
		{"other action", `"Action":"sts:TagSession","Principal":{"AWS":"` + user01 + `"}`, user, false},
		{"account", `"Action":"sts:AssumeRole","Principal":{"AWS":"488821267897"}`, session, true},
		{"everyone, services too", `"Action":"sts:AssumeRole","Principal":"*"`, service, true},
		{"unless listed", `"Action":"sts:AssumeRole","NotPrincipal":{"AWS":["` + user01 + `","488821267897"]}`, user, false},
		{"unless listed without the account", `"Action":"sts:AssumeRole","NotPrincipal":{"AWS":"` + user01 + `"}`, user, true},
		{"unless listed, another", `"Action":"sts:AssumeRole","NotPrincipal":{"AWS":["` + user01 + `","488821267897"]}`, session, true},
		{"unless listed, session", `"Action":"sts:AssumeRole","NotPrincipal":{"AWS":["` + deploySelf + `","` + deployRole + `","488821267897"]}`, session, false},
		{"unless listed, session without role", `"Action":"sts:AssumeRole","NotPrincipal":{"AWS":["` + deploySelf + `","488821267897"]}`, session, true},
		{"unless listed, service", `"Action":"sts:AssumeRole","NotPrincipal":{"Service":"ssm.amazonaws.com"}`, service, false},
		{"unless listed, other service", `"Action":"sts:AssumeRole","NotPrincipal":{"Service":"ec2.amazonaws.com"}`, service, true},
		{"unless anyone", `"Action":"sts:AssumeRole","NotPrincipal":"*"`, user, false},
		{"condition that fails", `"Action":"sts:AssumeRole","Principal":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, user, false},
		{"condition that holds", `"Action":"sts:AssumeRole","Principal":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`, user, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := mustParseTrust(t, policy(everyone+`{"Sid":"D","Effect":"Deny",`+c.deny+`}`))
			got, err := authz.EvaluateTrust(c.who, assume(nil), trust)
			if err != nil {
				t.Fatal(err)
			}
			want := authz.Allowed
			if c.denied {
				want = authz.ExplicitDeny
			}
			if got.Outcome != want || (c.denied && (got.Sid != "D" || got.Statement != 1)) {
				t.Errorf("got %+v, want %v", got, want)
			}
		})
	}
}

func TestAssumeRoleNeedsTheCallersPoliciesWhenTheAccountIsTrusted(t *testing.T) {
	const named, account, everyone = `{"AWS":["` + user01 + `","` + stranger + `","` + deploySelf + `"]}`, `{"AWS":["488821267897","111122223333"]}`, `"*"`
	const role = `{"AWS":"` + deployRole + `"}`
	may := mustParse(t, policy(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+roleARN+`"}`))
	mayNot := mustParse(t, policy(`{"Effect":"Deny","Action":"sts:*","Resource":"*"}`))
	silent := mustParse(t, policy(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`))
	own := func(p ...authz.Policy) authz.Policies { return authz.Policies{Identity: p} }
	user := authz.Principal{ARN: user01}
	session := authz.Principal{ARN: deploySelf, RoleARN: deployRole}
	foreign := authz.Principal{ARN: stranger}
	for _, c := range []struct {
		name, principal string
		who             authz.Principal
		policies        authz.Policies
		outcome         authz.Outcome
		source          authz.Source
	}{
		{"named, silent", named, user, own(silent), authz.Allowed, authz.TrustSource},
		{"named, nothing", named, user, own(), authz.Allowed, authz.TrustSource},
		{"named, denied", named, user, own(may, mayNot), authz.ExplicitDeny, authz.IdentitySource},
		{"named, boundary silent", named, user, authz.Policies{Boundary: &silent}, authz.Allowed, authz.TrustSource},
		{"named, boundary denies", named, user, authz.Policies{Boundary: &mayNot}, authz.ExplicitDeny, authz.BoundarySource},
		{"everyone, nothing", everyone, user, own(), authz.Allowed, authz.TrustSource},
		{"account, nothing", account, user, own(), authz.ImplicitDeny, authz.IdentitySource},
		{"account, silent", account, user, own(silent), authz.ImplicitDeny, authz.IdentitySource},
		{"account, allowed", account, user, own(may), authz.Allowed, authz.TrustSource},
		{"account, boundary silent", account, user, authz.Policies{Identity: own(may).Identity, Boundary: &silent}, authz.ImplicitDeny, authz.BoundarySource},
		{"account, session policy silent", account, session, authz.Policies{Identity: own(may).Identity, Session: own(silent).Identity}, authz.ImplicitDeny, authz.SessionSource},
		{"account, denied", account, user, own(may, mayNot), authz.ExplicitDeny, authz.IdentitySource},
		{"named from another account, nothing", named, foreign, own(), authz.ImplicitDeny, authz.IdentitySource},
		{"named from another account, allowed", named, foreign, own(may), authz.Allowed, authz.TrustSource},
		{"everyone from another account, nothing", everyone, foreign, own(), authz.ImplicitDeny, authz.IdentitySource},
		{"not trusted, allowed", role, user, own(may), authz.ImplicitDeny, authz.TrustSource},
		{"not trusted, denied", role, user, own(may, mayNot), authz.ExplicitDeny, authz.IdentitySource},
		{"role named, nothing", role, session, own(), authz.Allowed, authz.TrustSource},
		{"role named, boundary silent", role, session, authz.Policies{Boundary: &silent}, authz.ImplicitDeny, authz.BoundarySource},
		{"role named, session policy silent", role, session, authz.Policies{Session: own(silent).Identity}, authz.ImplicitDeny, authz.SessionSource},
		{"role named, session policy allows", role, session, authz.Policies{Session: own(may).Identity}, authz.Allowed, authz.TrustSource},
		{"session named, session policy silent", named, session, authz.Policies{Session: own(silent).Identity}, authz.Allowed, authz.TrustSource},
		{"root assumes no role", account, authz.Principal{ARN: "arn:aws:iam::488821267897:root"}, own(may), authz.ImplicitDeny, authz.TrustSource},
		{"service, policies ignored", `{"Service":"ssm.amazonaws.com"}`, authz.Principal{Service: "ssm.amazonaws.com"}, own(mayNot), authz.Allowed, authz.TrustSource},
		{"service not trusted", account, authz.Principal{Service: "ssm.amazonaws.com"}, own(may), authz.ImplicitDeny, authz.TrustSource},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := authz.EvaluateAssumeRole(c.who, assume(nil), c.policies, mustParseTrust(t, trustIn(c.principal, "")))
			if err != nil {
				t.Fatal(err)
			}
			if got.Outcome != c.outcome || got.Source != c.source {
				t.Errorf("got %+v, want %v by %v", got, c.outcome, c.source)
			}
		})
	}
}

func TestTrustFailsOnRequestsThatMakeNoSense(t *testing.T) {
	trust := mustParseTrust(t, trustIn(`"*"`, ""))
	user := authz.Principal{ARN: user01}
	for name, c := range map[string]struct {
		who     authz.Principal
		request authz.Request
		trust   authz.Policy
		reason  string
	}{
		"other action":              {user, authz.Request{Action: "ssm:StartSession", Resource: roleARN}, trust, "does not decide this action"},
		"other resource":            {user, authz.Request{Action: "sts:AssumeRole", Resource: user01}, trust, "not the ARN of a role"},
		"no resource":               {user, authz.Request{Action: "sts:AssumeRole", Resource: "*"}, trust, "not the ARN of a role"},
		"unknown key":               {user, assume(values{"sts:Nonsense": {"x"}}), trust, "is not known"},
		"no principal":              {authz.Principal{}, assume(nil), trust, "neither a user"},
		"service with ARN":          {authz.Principal{Service: "ssm.amazonaws.com", ARN: user01}, assume(nil), trust, "a service or has an ARN"},
		"session without role":      {authz.Principal{ARN: deploySelf}, assume(nil), trust, "neither a user"},
		"session of another role":   {authz.Principal{ARN: deploySelf, RoleARN: roleARN}, assume(nil), trust, "neither a user"},
		"user with role":            {authz.Principal{ARN: user01, RoleARN: deployRole}, assume(nil), trust, "neither a user"},
		"role as caller":            {authz.Principal{ARN: deployRole}, assume(nil), trust, "neither a user"},
		"identity policy for trust": {user, assume(nil), mustParse(t, policy(statement)), "no document of the kind"},
		"no trust policy":           {user, assume(nil), authz.Policy{Name: "none"}, "no document of the kind"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := authz.EvaluateTrust(c.who, c.request, c.trust)
			whole, wholeErr := authz.EvaluateAssumeRole(c.who, c.request, authz.Policies{}, c.trust)
			for _, err := range []error{err, wholeErr} {
				if err == nil || !strings.Contains(err.Error(), c.reason) {
					t.Errorf("error %v, want one with %q", err, c.reason)
				}
			}
			if got.Allowed() || whole.Allowed() {
				t.Errorf("decisions %+v and %+v, want denials", got, whole)
			}
		})
	}
	if _, err := authz.EvaluateAssumeRole(user, assume(nil), authz.Policies{Identity: []authz.Policy{{}}}, trust); err == nil {
		t.Error("a caller's policy without a document passed")
	}
}

func TestParseTrustRejectsWithAReason(t *testing.T) {
	const allow = `{"Effect":"Allow","Principal":"*",`
	for name, c := range map[string]struct{ raw, reason string }{
		"resource":               {policy(allow + `"Action":"sts:AssumeRole","Resource":"*"}`), "Resource: a trust policy has no resource"},
		"not resource":           {policy(allow + `"Action":"sts:AssumeRole","NotResource":"*"}`), "NotResource: a trust policy has no resource"},
		"no principal":           {policy(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "either Principal or NotPrincipal"},
		"both principals":        {policy(`{"Effect":"Deny","Action":"sts:AssumeRole","Principal":"*","NotPrincipal":"*"}`), "either Principal or NotPrincipal"},
		"NotPrincipal and Allow": {policy(`{"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":"*"}`), "goes with Deny only"},
		"NotAction":              {policy(allow + `"NotAction":"sts:AssumeRole"}`), "names its actions"},
		"other action":           {policy(allow + `"Action":["sts:AssumeRole","ssm:StartSession"]}`), "sts:AssumeRole, sts:TagSession"},
		"action pattern":         {policy(allow + `"Action":"sts:Assume*"}`), "sts:AssumeRole, sts:TagSession"},
		"principal string":       {trustIn(`"`+user01+`"`, ""), `write "*" or an object`},
		"principal list":         {trustIn(`["*"]`, ""), `write "*" or an object`},
		"empty principal":        {trustIn(`{}`, ""), `write "*" or an object`},
		"empty list":             {trustIn(`{"AWS":[]}`, ""), "AWS: the list is empty"},
		"number":                 {trustIn(`{"AWS":488821267897}`, ""), "AWS: write a string"},
		"unknown type":           {trustIn(`{"Aws":"*"}`, ""), `principal type "Aws" is not known`},
		"canonical user":         {trustIn(`{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}`, ""), "not known in a trust policy"},
		"account of 11 digits":   {trustIn(`{"AWS":"48882126789"}`, ""), "is not a principal of type AWS"},
		"user pattern":           {trustIn(`{"AWS":"arn:aws:iam::488821267897:user/*"}`, ""), "is not a principal of type AWS"},
		"group":                  {trustIn(`{"AWS":"arn:aws:iam::488821267897:group/g"}`, ""), "is not a principal of type AWS"},
		"session pattern":        {trustIn(`{"AWS":"arn:aws:sts::488821267897:assumed-role/r/*"}`, ""), "is not a principal of type AWS"},
		"any service":            {trustIn(`{"Service":"*"}`, ""), "is not a principal of type Service"},
		"service without domain": {trustIn(`{"Service":"ssm"}`, ""), "is not a principal of type Service"},
		"federated pattern":      {trustIn(`{"Federated":"*"}`, ""), "is not a principal of type Federated"},
		"unknown key":            {trustIn(`"*"`, `,"Condition":{"StringEquals":{"sts:Nonsense":"x"}}`), "key is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := authz.ParseTrust([]byte(c.raw))
			var parseError *authz.ParseError
			if !errors.As(err, &parseError) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want a *ParseError with %q", err, c.reason)
			}
		})
	}
}
