package authz_test

import (
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

const (
	pc01     = "arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39"
	pc02     = "arn:aws:ec2:ap-northeast-1:488821267897:instance/i-0ee187d8794b12114"
	shell    = "arn:aws:ssm:ap-northeast-1:488821267897:document/SSM-SessionManagerRunShell"
	sessions = "arn:aws:ssm:ap-northeast-1:488821267897:session/"
	user01   = "arn:aws:iam::488821267897:user/user01"
)

// ownInstance is the policy of a user who may open sessions on PC01 and end
// sessions of its own.
const ownInstance = `{"Version":"2012-10-17","Statement":[
 {"Sid":"Discover","Effect":"Allow","Action":["ec2:DescribeInstances","ssm:DescribeInstanceProperties","ssm:DescribeSessions","ssm:GetConnectionStatus"],"Resource":"*"},
 {"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":["` + pc01 + `","` + shell + `"],"Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}},
 {"Sid":"OwnSessions","Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],"Resource":"arn:aws:ssm:*:488821267897:session/${aws:username}-*"},
 {"Sid":"DataChannel","Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":["arn:aws:ssm:*:488821267897:session/${aws:username}-*","arn:aws:ssm:*:488821267897:session/${aws:userid}-*"]}]}`

// as is the context of an IAM user.
func as(user string) authz.Context {
	return authz.NewContext(values{
		"aws:username":     {user},
		"aws:userid":       {"AIDA" + strings.ToUpper(user)},
		"aws:PrincipalArn": {"arn:aws:iam::488821267897:user/" + user},
		"aws:CurrentTime":  {"2026-12-01T00:00:00Z"},
		"aws:SourceIp":     {"203.0.113.9"},
	})
}

func TestUserReachesOnlyTheirOwnInstanceAndSessions(t *testing.T) {
	policies := authz.Policies{Identity: []authz.Policy{mustParse(t, ownInstance)}}
	for _, c := range []struct {
		action, resource string
		allowed          bool
	}{
		{"ssm:StartSession", pc01, true},
		{"SSM:startsession", pc01, true},
		{"ssm:StartSession", pc02, false},
		{"ssm:StartSession", shell, true},
		{"ssm:StartSession", shell + "2", false},
		{"ssm:StartSession", "*", false},
		{"ssm:SendCommand", pc01, false},
		{"ssm:DescribeSessions", "*", true},
		{"ec2:DescribeInstances", "*", true},
		{"ec2:DescribeInstanceStatus", "*", false},
		{"ssm:TerminateSession", sessions + "user01-0a1b2c", true},
		{"ssm:ResumeSession", sessions + "user01-0a1b2c", true},
		{"ssm:TerminateSession", sessions + "user02-0a1b2c", false},
		{"ssm:TerminateSession", sessions + "user01", false},
		{"ssm:TerminateSession", "arn:aws:ssm:us-east-1:488821267897:session/user01-1", true},
		{"ssm:TerminateSession", "arn:aws:ssm:us-east-1:111111111111:session/user01-1", false},
		{"ssmmessages:OpenDataChannel", sessions + "user01-0a1b2c", true},
		{"ssmmessages:OpenDataChannel", sessions + "AIDAUSER01-0a1b2c", true},
		{"ssmmessages:OpenDataChannel", sessions + "user02-0a1b2c", false},
		// The known hazard of the name form: a longer name that starts the same.
		{"ssm:TerminateSession", sessions + "user01-smith-0a1b2c", true},
	} {
		r := authz.Request{Action: c.action, Resource: c.resource, Context: as("user01")}
		if got := mustEvaluate(t, r, policies); got.Allowed() != c.allowed {
			t.Errorf("%s on %s: %+v, want allowed %v", c.action, c.resource, got, c.allowed)
		}
	}
}

func TestVariableOfUsersNeverMatchesForRoles(t *testing.T) {
	policies := authz.Policies{Identity: []authz.Policy{mustParse(t, ownInstance)}}
	role := authz.NewContext(values{"aws:userid": {"AROAX:user01"}})
	for _, id := range []string{"user01-1", "-1", "AROAX-1", "${aws:username}-1", "*-1"} {
		r := authz.Request{Action: "ssm:TerminateSession", Resource: sessions + id, Context: role}
		if got := mustEvaluate(t, r, policies); got.Allowed() {
			t.Errorf("session %s: %+v, want a denial", id, got)
		}
	}
}

func TestVariablesAreTextInDocumentsOfTheOldVersion(t *testing.T) {
	for version, want := range map[string]bool{authz.VersionCurrent: true, authz.VersionOld: false} {
		p := mustParse(t, `{"Version":"`+version+`","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}`)
		for resource, allowed := range map[string]bool{"arn:aws:s3:::b/bob": want, "arn:aws:s3:::b/${aws:username}": !want} {
			r := authz.Request{Action: "s3:GetObject", Resource: resource, Context: as("bob")}
			if got := mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{p}}); got.Allowed() != allowed {
				t.Errorf("version %s, %s: %+v, want allowed %v", version, resource, got, allowed)
			}
		}
	}
}

func TestResourcePatternsMatchAsOneString(t *testing.T) {
	for _, c := range []struct {
		pattern, resource string
		matches           bool
	}{
		{"*", "*", true},
		{"*", pc01, true},
		{pc01, pc01, true},
		{pc01, "*", false},
		{"arn:aws:ec2:*:*:instance/*", pc01, true},
		{"arn:aws:ec2:*:*:instance/*", "*", false},
		{"arn:aws:ec2:*", pc01, true},
		{"arn:aws:ec2:ap-northeast-1:*", pc01, true},
		{"arn:*:ec2:*:*:instance/*", pc01, true},
		{"arn:aws:ec2:ap-northeast-?:488821267897:instance/i-*", pc01, true},
		{"arn:aws:ec2:ap-northeast-?:488821267897:instance/i-?", pc01, false},
		{"arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:ap-northeast-1:488821267897:managed-instance/mi-1", false},
		{"arn:aws:ec2:*:488821267897:Instance/*", pc01, false},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c/d", true},
		{"arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b/*/d", "arn:aws:s3:::b/a/b:c/d", true},
		// A star that ends a part reaches over the colon.
		{"arn:aws:ssm:*:488821267897:session/x", "arn:aws:ssm:us-east-1:111111111111:session/y:488821267897:session/x", true},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", false},
		{"arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", true},
		{"arn:aws:s3:::b/${?}${$}", "arn:aws:s3:::b/?$", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/team, 'all'}/*", "arn:aws:s3:::b/all/x", true},
		{"arn:aws:s3:::b/${aws:PrincipalTag/star}", "arn:aws:s3:::b/x", false},
		{"arn:aws:s3:::b/${aws:PrincipalTag/star}", "arn:aws:s3:::b/*", true},
	} {
		context := as("user01")
		context.Set("aws:PrincipalTag/star", "*")
		policies := authz.Policies{Identity: []authz.Policy{mustParse(t, withResource(quote(c.pattern)))}}
		r := authz.Request{Action: "ssm:StartSession", Resource: c.resource, Context: context}
		if got := mustEvaluate(t, r, policies); got.Allowed() != c.matches {
			t.Errorf("pattern %s on %s: %+v, want allowed %v", c.pattern, c.resource, got, c.matches)
		}
	}
}

func TestNotActionAndNotResourceCoverTheRest(t *testing.T) {
	p := mustParse(t, policy(`{"Effect":"Allow","NotAction":["iam:*","sts:Assume*"],"NotResource":["arn:aws:s3:::secret/*","arn:aws:s3:::b/${aws:PrincipalTag/none}"]}`))
	for _, c := range []struct {
		action, resource string
		allowed          bool
	}{
		{"ssm:StartSession", pc01, true},
		{"ssm:DescribeSessions", "*", true},
		{"iam:CreateUser", user01, false},
		{"STS:assumerole", user01, false},
		{"sts:GetCallerIdentity", "*", true},
		{"s3:GetObject", "arn:aws:s3:::secret/x", false},
		{"s3:GetObject", "arn:aws:s3:::open/x", true},
		// The variable has no value: it spares nothing.
		{"s3:GetObject", "arn:aws:s3:::b/", true},
	} {
		r := authz.Request{Action: c.action, Resource: c.resource, Context: as("user01")}
		if got := mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{p}}); got.Allowed() != c.allowed {
			t.Errorf("%s on %s: %+v, want allowed %v", c.action, c.resource, got, c.allowed)
		}
	}
}

func TestLayersDecideInAWSsOrder(t *testing.T) {
	allow := func(name string) authz.Policy {
		p := mustParse(t, policy(`{"Sid":"Other","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"Yes","Effect":"Allow","Action":"ssm:*","Resource":"*"}`))
		p.Name = name
		return p
	}
	deny := func(name string) authz.Policy {
		p := mustParse(t, policy(`{"Sid":"No","Effect":"Deny","Action":"ssm:StartSession","Resource":"`+pc01+`"},{"Effect":"Allow","Action":"*","Resource":"*"}`))
		p.Name = name
		return p
	}
	silent := func(name string) authz.Policy {
		p := mustParse(t, policy(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`))
		p.Name = name
		return p
	}
	ref := func(p authz.Policy) *authz.Policy { return &p }
	list := func(p ...authz.Policy) []authz.Policy { return p }
	implicit := func(s authz.Source) authz.Decision {
		return authz.Decision{Outcome: authz.ImplicitDeny, Source: s, Statement: -1}
	}
	allowed := authz.Decision{Outcome: authz.Allowed, Source: authz.IdentitySource, Policy: "i", Sid: "Yes", Statement: 1}
	denied := func(s authz.Source, name string) authz.Decision {
		return authz.Decision{Outcome: authz.ExplicitDeny, Source: s, Policy: name, Sid: "No", Statement: 0}
	}
	for name, c := range map[string]struct {
		policies authz.Policies
		want     authz.Decision
	}{
		"nothing":                      {authz.Policies{}, implicit(authz.IdentitySource)},
		"silent":                       {authz.Policies{Identity: list(silent("i"))}, implicit(authz.IdentitySource)},
		"allowed":                      {authz.Policies{Identity: list(allow("i"))}, allowed},
		"allowed by the second":        {authz.Policies{Identity: list(silent("s"), allow("i"))}, allowed},
		"denied wins, first":           {authz.Policies{Identity: list(deny("d"), allow("i"))}, denied(authz.IdentitySource, "d")},
		"denied wins, last":            {authz.Policies{Identity: list(allow("i"), deny("d"))}, denied(authz.IdentitySource, "d")},
		"boundary allows":              {authz.Policies{Identity: list(allow("i")), Boundary: ref(allow("b"))}, allowed},
		"boundary is silent":           {authz.Policies{Identity: list(allow("i")), Boundary: ref(silent("b"))}, implicit(authz.BoundarySource)},
		"boundary denies":              {authz.Policies{Identity: list(allow("i")), Boundary: ref(deny("b"))}, denied(authz.BoundarySource, "b")},
		"boundary grants nothing":      {authz.Policies{Boundary: ref(allow("b"))}, implicit(authz.IdentitySource)},
		"session allows":               {authz.Policies{Identity: list(allow("i")), Session: list(allow("s"))}, allowed},
		"one of the sessions allows":   {authz.Policies{Identity: list(allow("i")), Session: list(silent("t"), allow("s"))}, allowed},
		"session is silent":            {authz.Policies{Identity: list(allow("i")), Session: list(silent("s"))}, implicit(authz.SessionSource)},
		"session denies":               {authz.Policies{Identity: list(allow("i")), Session: list(allow("t"), deny("s"))}, denied(authz.SessionSource, "s")},
		"session grants nothing":       {authz.Policies{Session: list(allow("s"))}, implicit(authz.IdentitySource)},
		"boundary before session":      {authz.Policies{Identity: list(allow("i")), Boundary: ref(silent("b")), Session: list(silent("s"))}, implicit(authz.BoundarySource)},
		"explicit beats implicit":      {authz.Policies{Identity: list(silent("i")), Boundary: ref(silent("b")), Session: list(deny("s"))}, denied(authz.SessionSource, "s")},
		"all three allow":              {authz.Policies{Identity: list(allow("i")), Boundary: ref(allow("b")), Session: list(allow("s"))}, allowed},
		"identity's denial is named 1": {authz.Policies{Identity: list(deny("i")), Boundary: ref(deny("b"))}, denied(authz.IdentitySource, "i")},
	} {
		t.Run(name, func(t *testing.T) {
			r := authz.Request{Action: "ssm:StartSession", Resource: pc01, Context: as("user01")}
			if got := mustEvaluate(t, r, c.policies); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestMessageSaysWhatAWSSays(t *testing.T) {
	const head = "User: " + user01 + " is not authorized to perform: ssm:StartSession on resource: " + pc01
	r := authz.Request{Action: "ssm:StartSession", Resource: pc01}
	for want, d := range map[string]authz.Decision{
		"": {Outcome: authz.Allowed},
		head + " because no identity-based policy allows the ssm:StartSession action": {},
		head + " because no permissions boundary allows the ssm:StartSession action":  {Source: authz.BoundarySource},
		head + " because no session policy allows the ssm:StartSession action":        {Source: authz.SessionSource},
		head + " because no role trust policy allows the ssm:StartSession action":     {Source: authz.TrustSource},
		head + " with an explicit deny in an identity-based policy":                   {Outcome: authz.ExplicitDeny},
		head + " with an explicit deny in a permissions boundary":                     {Outcome: authz.ExplicitDeny, Source: authz.BoundarySource},
		head + " with an explicit deny in a session policy":                           {Outcome: authz.ExplicitDeny, Source: authz.SessionSource},
		head + " with an explicit deny in the role trust policy":                      {Outcome: authz.ExplicitDeny, Source: authz.TrustSource},
	} {
		if got := d.Message(user01, r); got != want {
			t.Errorf("message %q, want %q", got, want)
		}
	}
}

func TestOutcomesAreSpelledAsTheSimulatorSpellsThem(t *testing.T) {
	for o, want := range map[authz.Outcome]string{
		authz.Allowed: "allowed", authz.ExplicitDeny: "explicitDeny", authz.ImplicitDeny: "implicitDeny",
	} {
		if o.String() != want {
			t.Errorf("outcome %d is %q, want %q", o, o, want)
		}
	}
}

func TestEvaluateFailsOnRequestsThatMakeNoSense(t *testing.T) {
	everything := []authz.Policy{mustParse(t, policy(`{"Effect":"Allow","Action":"*","Resource":"*"}`))}
	trust := mustParseTrust(t, policy(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}`))
	ok := authz.Request{Action: "ssm:StartSession", Resource: pc01}
	with := func(key string, v ...string) authz.Request {
		r := ok
		r.Context.Set(key, v...)
		return r
	}
	for name, c := range map[string]struct {
		request  authz.Request
		policies authz.Policies
		reason   string
	}{
		"no action":                   {authz.Request{Resource: "*"}, authz.Policies{Identity: everything}, "form service:Name"},
		"action pattern":              {authz.Request{Action: "ssm:*", Resource: "*"}, authz.Policies{Identity: everything}, "form service:Name"},
		"no resource":                 {authz.Request{Action: "ssm:StartSession"}, authz.Policies{Identity: everything}, "not an ARN"},
		"resource that is no ARN":     {authz.Request{Action: "ssm:StartSession", Resource: "i-1"}, authz.Policies{Identity: everything}, "not an ARN"},
		"unknown key":                 {with("aws:nonsense", "x"), authz.Policies{Identity: everything}, `"aws:nonsense" is not known`},
		"two values for one":          {with("aws:username", "a", "b"), authz.Policies{Identity: everything}, "has 2 values but takes one"},
		"time out of form":            {with("aws:CurrentTime", "now"), authz.Policies{Identity: everything}, "is not a date"},
		"epoch out of form":           {with("aws:EpochTime", "2026-12-01"), authz.Policies{Identity: everything}, "not a time in seconds"},
		"boolean out of form":         {with("aws:SecureTransport", "True"), authz.Policies{Identity: everything}, "is not a boolean"},
		"address out of form":         {with("aws:SourceIp", "203.0.113.0/24"), authz.Policies{Identity: everything}, "is not an IP address"},
		"number out of form":          {with("aws:MultiFactorAuthAge", ""), authz.Policies{Identity: everything}, "is not a number"},
		"ARN out of form":             {with("aws:PrincipalArn", "bob"), authz.Policies{Identity: everything}, "is not an ARN"},
		"policy without document":     {ok, authz.Policies{Identity: []authz.Policy{{Name: "none"}}}, `policy "none" has no document`},
		"boundary without document":   {ok, authz.Policies{Identity: everything, Boundary: &authz.Policy{Name: "none"}}, `policy "none" has no document`},
		"trust policy as identity's":  {ok, authz.Policies{Identity: []authz.Policy{trust}}, `policy "trust" has no document of the kind`},
		"trust policy as the session": {ok, authz.Policies{Identity: everything, Session: []authz.Policy{trust}}, `policy "trust" has no document of the kind`},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := authz.Evaluate(c.request, c.policies)
			if err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want one with %q", err, c.reason)
			}
			if d.Allowed() {
				t.Errorf("decision %+v, want a denial", d)
			}
		})
	}
}

func TestContextIsCopiedNotShared(t *testing.T) {
	given := []string{"stg"}
	base := authz.NewContext(values{"aws:ResourceTag/Env": given})
	given[0] = "prod"
	clone := base.Clone()
	clone.Set("AWS:resourcetag/ENV", "dev")
	clone.Set("aws:username", "bob")
	if got := base.Values("aws:resourceTag/env"); len(got) != 1 || got[0] != "stg" {
		t.Errorf("base holds %v, want what it was given", got)
	}
	if base.Values("aws:username") != nil {
		t.Error("what was set in the clone shows in the base")
	}
	if got := clone.Values("aws:ResourceTag/Env"); len(got) != 1 || got[0] != "dev" {
		t.Errorf("clone holds %v, want the value that was set", got)
	}
	clone.Set("aws:ResourceTag/Env")
	if clone.Values("aws:ResourceTag/Env") != nil {
		t.Error("a key that was set to no value is still there")
	}
}
