package authz_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// BenchmarkEvaluate asks about the last of 80 instances, as for a principal
// with a full policy.
func BenchmarkEvaluate(b *testing.B) {
	var arns []string
	for i := range 80 {
		arns = append(arns, fmt.Sprintf("arn:aws:ec2:ap-northeast-1:488821267897:instance/i-%017x", i))
	}
	full := policy(`{"Effect":"Allow","Action":"ssm:StartSession","Resource":["` + strings.Join(arns, `","`) + `"]}`)
	doc, err := authz.Parse([]byte(full))
	if err != nil {
		b.Fatal(err)
	}
	policies := authz.Policies{Identity: []authz.Policy{{Document: doc}, mustParse(b, ownInstance)}}
	r := authz.Request{Action: "ssm:StartSession", Resource: arns[len(arns)-1], Context: as("user01")}
	for b.Loop() {
		if d, err := authz.Evaluate(r, policies); err != nil || !d.Allowed() {
			b.Fatal(d, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	raw := []byte(ownInstance)
	for b.Loop() {
		if _, err := authz.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
