package authz_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

func seed(f *testing.F) {
	f.Helper()
	f.Add([]byte(ownInstance))
	f.Add([]byte(policy(statement)))
	f.Add([]byte(trustIn(`{"AWS":"488821267897","Service":["ssm.amazonaws.com"]}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"abc"}}`)))
	for _, condition := range someConditions {
		f.Add([]byte(withCondition(condition)))
	}
	f.Add([]byte(withCondition(`{"StringEquals":{"aws:ResourceTag/\u6771":"\ud83d\ude00${*}${aws:username, 'x'}"}}`)))
	f.Add([]byte(withCondition(`{"NumericLessThan":{"aws:MultiFactorAuthAge":3600},"ArnLike":{"aws:PrincipalArn":"arn:*:iam::*:user/${aws:username}"}}`)))
}

// FuzzParse: whatever comes, Parse answers with a document or a *ParseError,
// takes valid JSON only, and its documents can be evaluated.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, parse := range []func([]byte) (*authz.Document, error){authz.Parse, authz.ParseTrust} {
			doc, err := parse(raw)
			var parseError *authz.ParseError
			if (doc == nil) != errors.As(err, &parseError) {
				t.Fatalf("document %v with error %v", doc, err)
			}
			if doc != nil && !json.Valid(raw) {
				t.Fatal("took what is no JSON")
			}
		}
		if size := authz.MinifiedSize(raw); size < 0 || size > len(raw) {
			t.Fatalf("size %d of %d bytes", size, len(raw))
		}
		doc, err := authz.Parse(raw)
		if err != nil {
			return
		}
		policies := authz.Policies{Identity: []authz.Policy{{Name: "fuzz", Document: doc}}}
		for _, resource := range []string{"*", pc01, sessions + "user01-1"} {
			r := authz.Request{Action: "ssm:StartSession", Resource: resource, Context: as("user01")}
			if _, err := authz.Evaluate(r, policies); err != nil {
				t.Fatal(err)
			}
		}
	})
}
