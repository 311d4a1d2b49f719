package policy_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// Whatever its conditions are, a grant allows its own samples: a simulation that is
// denied is denied by another policy.
func TestAGrantAllowsItsSamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy.Principal{Kind: rapid.SampledFrom([]policy.Kind{policy.User, policy.Group, policy.Role}).Draw(t, "kind"), Name: "user01"}
		grants := drawGrants(t, 3)
		plan, err := policy.Compile(account, p, grants, nil, policy.Quotas{PolicySize: 6144, Policies: 10}, noon)
		if err != nil {
			t.Fatal(err)
		}
		for i := range grants {
			g := &grants[i]
			if !g.NotAfter.IsZero() && g.NotAfter.Before(g.NotBefore.Add(3*time.Second)) {
				continue // There is no moment at which it holds.
			}
			for _, s := range g.Samples(account, p, noon) {
				if !slices.Contains(g.Regions, s.Region) {
					t.Fatalf("a sample in %s of a grant in %v", s.Region, g.Regions)
				}
				if g.Expired(noon) {
					t.Fatalf("a sample of an expired grant: %+v", s)
				}
				expectSample(t, newJudge(t, p, plan.Documents), g, &s)
			}
		}
	})
}

func expectSample(t *rapid.T, j *judge, g *policy.Grant, s *policy.Sample) {
	t.Helper()
	ctx := authz.NewContext(s.Context)
	ctx.Set("aws:userid", j.userID)
	for _, resource := range []string{s.Node, s.Document} {
		d, err := authz.Evaluate(authz.Request{Action: policy.ActionStart, Resource: resource, Context: ctx}, j.policies)
		if err != nil {
			t.Fatalf("the sample makes no sense: %v", err)
		}
		if !d.Allowed() && (resource == s.Document || !excludesItself(g)) {
			t.Fatalf("%+v\ndoes not allow %s in %v", g, resource, s.Context)
		}
	}
}

// excludesItself reports whether a grant may exclude the very tags of its target.
func excludesItself(g *policy.Grant) bool {
	return slices.ContainsFunc(g.Targets, func(t policy.Target) bool { return len(t.Tags) > 0 }) && len(g.Excluded) > 0
}

func TestAnExpiredGrantHasNoSample(t *testing.T) {
	g := policy.Grant{
		Regions: []string{"ap-northeast-1"}, Documents: []policy.Document{{Name: policy.DefaultDocument}},
		Targets: []policy.Target{{InstanceIDs: []string{"i-051cac51072605f39"}}}, NotAfter: noon,
	}
	if got := g.Samples(account, user01, noon); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := g.Samples(account, user01, noon.Add(-time.Second)); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}
