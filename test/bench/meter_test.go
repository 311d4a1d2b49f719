package main

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
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
	want := apiWrites{
		"PATCH sessionaccesses/status": 4, "PATCH awsaccounts/status": 1, "POST sessionaccesses": 20, "POST events": 5000,
	}
	got := sumWrites(families["apiserver_request_total"])
	if !maps.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if status, other, events := got.status(), got.other(), got.events(); status != 5 || other != 20 || events != 5000 {
		t.Errorf("got %d writes of statuses, %d others and %d events, want 5, 20 and 5000", status, other, events)
	}
	if got := sumWrites(nil); len(got) > 0 {
		t.Errorf("got %+v of no metric", got)
	}
}

func TestWritesOfTheBenchAreNotTheManagers(t *testing.T) {
	from, own := apiWrites{"POST sessionaccesses": 3, "POST events": 2}, apiWrites{"POST sessionaccesses": 5}
	to := apiWrites{"POST sessionaccesses": 8, "POST events": 4, "PATCH sessionaccesses": 5}
	want := apiWrites{"POST events": 2, "PATCH sessionaccesses": 5}
	if got := to.less(from, own); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCallsAfterTheReadingAreNotCounted(t *testing.T) {
	if got := upTo(2, []calls.Call{{N: 1}, {N: 2}, {N: 3}}); len(got) != 2 || got[1].N != 2 {
		t.Errorf("got %v, want the first two", got)
	}
}

func TestNoTwoRowsHaveOneName(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range suites(size{users: 200, principals: 1000, grants: 3000, large: 1000}) {
		for _, r := range s.rows {
			if seen[r.name] {
				t.Errorf("two rows are named %q", r.name)
			}
			seen[r.name] = true
		}
	}
}

func TestEveryRowHasTheSameFigures(t *testing.T) {
	for _, s := range suites(size{users: 3, principals: 1, grants: 1, large: 1}) {
		for _, r := range s.rows {
			if r.until == "" {
				t.Errorf("%s, %s: it is not said what its time ends with", s.name, r.name)
			}
			r.prepare = nil
			r.measure = func(context.Context, *world) (used, []figure, error) {
				return used{aws: []calls.Call{{Service: "iam", Operation: "CreatePolicy"}}, writes: apiWrites{"POST events": 1}}, nil, nil
			}
			figures, err := r.run(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{
				"calls to IAM and STS", "calls to other services", "  iam:CreatePolicy", "writes to AWS", "status writes",
				"other writes to our kinds", "events", "  POST events", "wall time " + r.until, "CPU of the manager",
				"peak memory of the manager since its start",
			} {
				if !slices.ContainsFunc(figures, func(f figure) bool { return f.name == want && f.row == r.name }) {
					t.Errorf("%s, %s: there is no figure %q", s.name, r.name, want)
				}
			}
		}
	}
}

func TestARestartWritesNothing(t *testing.T) {
	for _, s := range suites(size{users: 3, principals: 1, grants: 1, large: 1}) {
		for _, r := range s.rows {
			if !strings.HasPrefix(r.name, "restart") {
				continue
			}
			if r.most.awsWrites != 0 || r.most.status != 0 || r.most.other != 0 || r.most.events != 0 {
				t.Errorf("%s, %s: it may write: %+v", s.name, r.name, r.most)
			}
		}
	}
}

func TestARowThatIsNotMeasuredNamesItsCommand(t *testing.T) {
	var out strings.Builder
	printTable(&out, large(size{large: 1}).notMeasured())
	if n := strings.Count(out.String(), "not measured: run make bench-large"); n != 4 || strings.Contains(out.String(), "NaN") {
		t.Errorf("%d of 4 rows name the command in\n%s", n, out.String())
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
