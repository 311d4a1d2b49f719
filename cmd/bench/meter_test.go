package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ssm-access-operator/ssm-access-operator/internal/emulator/calls"
)

func TestWritesToTheAPIServerAreToldApart(t *testing.T) {
	const text = `# TYPE apiserver_request_total counter
apiserver_request_total{code="200",group="ssm-access.dev",resource="sessionaccesses",subresource="status",verb="PATCH"} 4
apiserver_request_total{code="409",group="ssm-access.dev",resource="awsaccounts",subresource="status",verb="PATCH"} 1
apiserver_request_total{code="201",group="ssm-access.dev",resource="sessionaccesses",subresource="",verb="POST"} 20
apiserver_request_total{code="200",group="ssm-access.dev",resource="sessionaccesses",subresource="",verb="WATCH"} 300
apiserver_request_total{code="201",group="events.k8s.io",resource="events",subresource="",verb="POST"} 5000
apiserver_request_total{code="200",group="",resource="namespaces",subresource="",verb="PUT"} 60000
`
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := apiWrites{status: 5, other: 20, events: 5000}
	if got := sumWrites(families["apiserver_request_total"]); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := sumWrites(nil); got != (apiWrites{}) {
		t.Errorf("got %+v of no metric", got)
	}
}

func TestCallsConcernAUserByNameOrPolicy(t *testing.T) {
	call := func(service, operation string, write bool, parameter, value string) calls.Call {
		return calls.Call{Service: service, Operation: operation, Write: write, Parameters: map[string]string{parameter: value}}
	}
	policy := "arn:aws:iam::488821267897:policy/ssm-access/0a1b2c3d/ssma-0a1b2c3d-u-victim-0001-22f458698e4d-1"
	for name, c := range map[string]struct {
		call calls.Call
		want bool
	}{
		"a detachment":               {call("iam", "DetachUserPolicy", true, "UserName", "victim-0001"), true},
		"a new version":              {call("iam", "CreatePolicyVersion", true, "PolicyArn", policy), true},
		"a read":                     {call("iam", "GetPolicy", false, "PolicyArn", policy), false},
		"another user":               {call("iam", "DetachUserPolicy", true, "UserName", "user-0001"), false},
		"another policy":             {call("iam", "DeletePolicy", true, "PolicyArn", strings.Replace(policy, "victim", "user", 1)), false},
		"credentials of a like name": {call("sts", "AssumeRole", true, "UserName", "victim-0001"), false},
	} {
		if got := concerns("victim-0001")(c.call); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestInstanceIDsAreWellFormedAndDistinct(t *testing.T) {
	form := regexp.MustCompile(`^i-[0-9a-f]{17}$`)
	seen := map[string]bool{}
	for seed := range 50 {
		for _, id := range instanceIDs(seed, 0, 50) {
			if !form.MatchString(string(id)) || seen[string(id)] {
				t.Fatalf("%s is out of form or there twice", id)
			}
			seen[string(id)] = true
		}
	}
}
