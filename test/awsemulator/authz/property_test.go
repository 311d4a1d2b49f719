package authz_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// The vocabulary is small, so that statements often concern the request.
var (
	someActions   = []string{"*", "ssm:*", "ssm:StartSession", "ssm:Start*", "ssm:?tartSession", "ssm:TerminateSession", "ec2:*", "iam:PassRole"}
	someResources = []string{
		"*", pc01, pc02, "arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*", shell, "arn:aws:ssm:*:488821267897:session/${aws:username}-*",
		"arn:aws:ec2:*:*:instance/${aws:PrincipalTag/node, 'i-051cac51072605f39'}",
	}
	someConditions = []string{
		`{}`, `{"StringEquals":{"aws:username":"user01"}}`, `{"StringNotEquals":{"aws:username":"user01"}}`,
		`{"StringEquals":{"aws:ResourceTag/Env":["stg","dev"]}}`, `{"StringLikeIfExists":{"aws:ResourceTag/Env":"s*"}}`,
		`{"Null":{"aws:ResourceTag/Env":"true"}}`, `{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`,
		`{"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}`, `{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}`,
		`{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}`, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`,
		`{"StringNotLike":{"aws:ResourceTag/Env":"${aws:PrincipalTag/Env}"}}`,
	}
)

// drawStatement draws a statement of the given effect.
func drawStatement(t *rapid.T, effect string) string {
	action := rapid.SampledFrom([]string{"Action", "Action", "NotAction"}).Draw(t, "action element")
	resource := rapid.SampledFrom([]string{"Resource", "Resource", "NotResource"}).Draw(t, "resource element")
	return fmt.Sprintf(`{"Effect":%q,%q:%s,%q:%s,"Condition":%s}`, effect,
		action, marshal(rapid.SliceOfN(rapid.SampledFrom(someActions), 1, 3).Draw(t, "actions")),
		resource, marshal(rapid.SliceOfN(rapid.SampledFrom(someResources), 1, 3).Draw(t, "resources")),
		rapid.SampledFrom(someConditions).Draw(t, "condition"))
}

// drawStatements draws up to four statements of either effect.
func drawStatements(t *rapid.T) []string {
	effects := rapid.SliceOfN(rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}), 1, 4).Draw(t, "effects")
	out := make([]string, len(effects))
	for i, effect := range effects {
		out[i] = drawStatement(t, effect)
	}
	return out
}

func drawPolicy(t *rapid.T) authz.Policy {
	return mustParse(t, policy(strings.Join(drawStatements(t), ",")))
}

func drawRequest(t *rapid.T) authz.Request {
	var c authz.Context
	for key, choices := range map[string][][]string{
		"aws:username":               {nil, {"user01"}, {"user02"}},
		"aws:ResourceTag/Env":        {nil, {"stg"}, {"prod"}, {""}},
		"aws:PrincipalTag/Env":       {nil, {"stg"}, {"*"}},
		"aws:PrincipalTag/node":      {nil, {"*"}, {"i-0ee187d8794b12114"}},
		"aws:SourceIp":               {nil, {"203.0.113.9"}, {"198.51.100.1"}},
		"aws:CurrentTime":            {{"2026-12-01T00:00:00Z"}, {"2027-12-01T00:00:00Z"}},
		"aws:MultiFactorAuthPresent": {nil, {"true"}, {"false"}},
		"aws:TagKeys":                {nil, {"a"}, {"a", "b"}, {"a", "c"}, {"c"}},
	} {
		c.Set(key, rapid.SampledFrom(choices).Draw(t, key)...)
	}
	return authz.Request{
		Action:   rapid.SampledFrom([]string{"ssm:StartSession", "SSM:STARTSESSION", "ssm:TerminateSession", "ec2:DescribeInstances"}).Draw(t, "action"),
		Resource: rapid.SampledFrom([]string{"*", pc01, pc02, shell, sessions + "user01-1", sessions + "user02-1"}).Draw(t, "resource"),
		Context:  c,
	}
}

func marshal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func TestAddingADenyNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := drawRequest(t), authz.Policies{Identity: []authz.Policy{drawPolicy(t)}}
		before := mustEvaluate(t, r, p)
		p.Identity = append(p.Identity, mustParse(t, policy(drawStatement(t, "Deny"))))
		if after := mustEvaluate(t, r, p); after.Allowed() && !before.Allowed() {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

func TestAddingAnAllowNeverNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := drawRequest(t), authz.Policies{Identity: []authz.Policy{drawPolicy(t)}}
		before := mustEvaluate(t, r, p)
		p.Identity = append(p.Identity, mustParse(t, policy(drawStatement(t, "Allow"))))
		after := mustEvaluate(t, r, p)
		if before.Outcome != authz.ImplicitDeny && after != before {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
}

func TestBoundariesAndSessionPoliciesNeverWiden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, p := drawRequest(t), authz.Policies{Identity: []authz.Policy{drawPolicy(t)}}
		before := mustEvaluate(t, r, p)
		boundary, session := drawPolicy(t), drawPolicy(t)
		capped := map[string]authz.Policies{
			"boundary": {Identity: p.Identity, Boundary: &boundary},
			"session":  {Identity: p.Identity, Session: []authz.Policy{session}},
			"both":     {Identity: p.Identity, Boundary: &boundary, Session: []authz.Policy{session}},
		}
		for name, limited := range capped {
			after := mustEvaluate(t, r, limited)
			if after.Allowed() && !before.Allowed() {
				t.Fatalf("%s: before %+v, after %+v", name, before, after)
			}
			alone := mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{boundary}})
			if limited.Boundary != nil && after.Allowed() && !alone.Allowed() {
				t.Fatalf("%s: allowed although the boundary says %+v", name, alone)
			}
		}
	})
}

func TestOrderAndDistributionOfStatementsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, statements := drawRequest(t), drawStatements(t)
		together := mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{mustParse(t, policy(strings.Join(statements, ",")))}})
		var apart []authz.Policy
		for _, s := range rapid.Permutation(statements).Draw(t, "order") {
			apart = append(apart, mustParse(t, policy(s)))
		}
		if got := mustEvaluate(t, r, authz.Policies{Identity: apart}); got.Outcome != together.Outcome {
			t.Fatalf("together %+v, apart %+v", together, got)
		}
	})
}

// anyValue draws what a tag or a user might hold, special characters above all.
func anyValue() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune(`ab*?$ {}:/"\'東`)), 0, 8, -1),
		rapid.SampledFrom([]string{"*", "?", "${aws:username}", "${*}", "a", ""}),
		rapid.String(),
	)
}

// holds evaluates one statement's condition and resource.
func holds(t *rapid.T, resource, condition, on string, context values) bool {
	p := mustParse(t, policy(fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":%s,"Condition":%s}`, quote(resource), condition)))
	r := authz.Request{Action: "s3:GetObject", Resource: on, Context: authz.NewContext(context)}
	return mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{p}}).Allowed()
}

func TestSubstitutedValuesAreNeverWildcards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value, other := anyValue().Draw(t, "value"), anyValue().Draw(t, "other")
		context := values{"aws:PrincipalTag/x": {value}, "aws:ResourceTag/y": {other}}
		const bucket, user = "arn:aws:s3:::b/", "arn:aws:iam::123456789012:user/"
		if got := holds(t, bucket+"${aws:PrincipalTag/x}", `{}`, bucket+other, context); got != (value == other) {
			t.Fatalf("resource of %q on %q: %v", value, other, got)
		}
		for _, op := range []string{"StringEquals", "StringLike"} {
			if got := holds(t, "*", `{"`+op+`":{"aws:ResourceTag/y":"${aws:PrincipalTag/x}"}}`, "*", context); got != (value == other) {
				t.Fatalf("%s of %q on %q: %v", op, value, other, got)
			}
		}
		context["aws:SourceArn"] = []string{user + other}
		if got := holds(t, "*", `{"ArnLike":{"aws:SourceArn":"`+user+`${aws:PrincipalTag/x}"}}`, "*", context); got != (value == other) {
			t.Fatalf("ArnLike of %q on %q: %v", value, other, got)
		}
	})
}

func TestEscapedTextMatchesOnlyItself(t *testing.T) {
	escape := strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}")
	rapid.Check(t, func(t *rapid.T) {
		text, other := anyValue().Draw(t, "text"), anyValue().Draw(t, "other")
		escaped := quote(escape.Replace(text))
		for _, op := range []string{"StringEquals", "StringLike"} {
			for _, got := range []string{text, other} {
				if holds(t, "*", `{"`+op+`":{"aws:ResourceTag/y":`+escaped+`}}`, "*", values{"aws:ResourceTag/y": {got}}) != (got == text) {
					t.Fatalf("%s %s on %q", op, escaped, got)
				}
			}
		}
	})
}

// pairs are operators with their negation and values that fit them.
var pairs = []struct{ positive, negated, kind string }{
	{"StringEquals", "StringNotEquals", "text"},
	{"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "text"},
	{"StringLike", "StringNotLike", "text"},
	{"NumericEquals", "NumericNotEquals", "number"},
	{"DateEquals", "DateNotEquals", "date"},
	{"IpAddress", "NotIpAddress", "address"},
	{"ArnLike", "ArnNotLike", "arn"},
	{"ArnEquals", "ArnNotEquals", "arn"},
}

var valuesOf = map[string][]string{
	"text":    {"a", "A", "b", "a*", ""},
	"number":  {"1", "1.0", "2", "-1"},
	"date":    {"2026-12-01", "1796083200", "2027-01-01T00:00:00Z"},
	"address": {"203.0.113.9", "203.0.113.10", "2001:db8::1"},
	"arn":     {"arn:aws:s3:::a", "arn:aws:s3:::b", "arn:*:s3:::*"},
}

func TestOperatorsObeyTheirLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SampledFrom(pairs).Draw(t, "operators")
		sample := rapid.SampledFrom(valuesOf[pair.kind])
		wanted := marshal(rapid.SliceOfN(sample, 1, 3).Draw(t, "policy values"))
		one := rapid.SliceOfN(sample, 0, 1).Draw(t, "value")
		test := func(op, key string, got []string) bool {
			return holds(t, "*", `{"`+op+`":{"`+key+`":`+wanted+`}}`, "*", values{key: got})
		}
		const single, set = "aws:ResourceTag/x", "aws:TagKeys"
		positive := test(pair.positive, single, one)
		if positive == test(pair.negated, single, one) {
			t.Fatalf("%s and %s agree on %v", pair.positive, pair.negated, one)
		}
		if got := test(pair.positive+"IfExists", single, one); got != (positive || len(one) == 0) {
			t.Fatalf("%sIfExists on %v: %v", pair.positive, one, got)
		}
		several := rapid.SliceOfN(sample, 0, 3).Draw(t, "values")
		if test("ForAllValues:"+pair.positive, set, several) == test("ForAnyValue:"+pair.negated, set, several) {
			t.Fatalf("all %s and some %s agree on %v", pair.positive, pair.negated, several)
		}
		if test("ForAllValues:"+pair.negated, set, several) == test("ForAnyValue:"+pair.positive, set, several) {
			t.Fatalf("all %s and some %s agree on %v", pair.negated, pair.positive, several)
		}
	})
}

func TestLayoutChangesNeitherSizeNorMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, compact := drawRequest(t), policy(strings.Join(drawStatements(t), ","))
		var loose bytes.Buffer
		if err := json.Indent(&loose, []byte(compact), "\r\n", "\t "); err != nil {
			t.Fatal(err)
		}
		if got, want := authz.MinifiedSize(loose.Bytes()), authz.MinifiedSize([]byte(compact)); got != want || want != len(compact) {
			t.Fatalf("size %d, compact %d, of %d bytes", got, want, len(compact))
		}
		before := mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{mustParse(t, compact)}})
		after := mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{mustParse(t, loose.String())}})
		if before != after {
			t.Fatalf("compact %+v, loose %+v", before, after)
		}
	})
}
