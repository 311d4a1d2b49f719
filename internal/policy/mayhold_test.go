package policy_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestTagValuesAreThoseOfEveryStatement(t *testing.T) {
	grant := func(id string, tags ...string) policy.Grant {
		g := policy.Grant{ID: id, Regions: []string{"eu-west-1"}, Documents: []policy.Document{{Name: "SSM-SessionManagerRunShell"}}}
		for _, value := range tags {
			g.Targets = append(g.Targets, policy.Target{Tags: map[string]string{"ssm-access.dev/activation": value, "team": "x"}})
		}
		return g
	}
	plan, err := policy.Compile(account, user01, []policy.Grant{grant("a", "one", "two"), grant("b", "three")}, nil, quotas, noon)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, document := range plan.Documents {
		got = append(got, policy.TagValues(document, "ssm-access.dev/activation")...)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, []string{"one", "three", "two"}) {
		t.Errorf("got %q of %q", got, plan.Documents)
	}
}
