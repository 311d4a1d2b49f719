package authz_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// values is a condition context as tests write it.
type values map[string][]string

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// mustParse parses an identity policy.
func mustParse(t tester, raw string) authz.Policy {
	t.Helper()
	doc, err := authz.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("parse %s: %v", raw, err)
	}
	return authz.Policy{Name: "policy", Document: doc}
}

// mustParseTrust parses a trust policy.
func mustParseTrust(t tester, raw string) authz.Policy {
	t.Helper()
	doc, err := authz.ParseTrust([]byte(raw))
	if err != nil {
		t.Fatalf("parse trust policy %s: %v", raw, err)
	}
	return authz.Policy{Name: "trust", Document: doc}
}

// mustEvaluate evaluates a request that makes sense.
func mustEvaluate(t tester, r authz.Request, p authz.Policies) authz.Decision {
	t.Helper()
	d, err := authz.Evaluate(r, p)
	if err != nil {
		t.Fatalf("evaluate: %v", err)
	}
	return d
}

// policy wraps statements in a document of the current version.
func policy(statements string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[%s]}`, statements)
}

// quote writes a JSON string in the characters that IAM takes.
func quote(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	out := ""
	for _, r := range string(raw) {
		switch {
		case r < 0x100:
			out += string(r)
		case r < 0x10000:
			out += fmt.Sprintf(`\u%04x`, r)
		default:
			r -= 0x10000
			out += fmt.Sprintf(`\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		}
	}
	return out
}

// conditionHolds evaluates one Condition element against a context.
func conditionHolds(t *testing.T, condition string, context values) bool {
	t.Helper()
	p := mustParse(t, policy(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+condition+`}`))
	r := authz.Request{Action: "ssm:StartSession", Resource: "*", Context: authz.NewContext(context)}
	return mustEvaluate(t, r, authz.Policies{Identity: []authz.Policy{p}}).Allowed()
}
