package policy_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestBroaderAccessNamesWhatNoGrantDeclares(t *testing.T) {
	const a, b = "i-051cac51072605f39", "i-0ee187d8794b12114"
	grant := func(id, document string, target policy.Target, changes ...func(*policy.Grant)) policy.Grant {
		g := policy.Grant{ID: id, Targets: []policy.Target{target}, Regions: []string{"ap-northeast-1"}, Documents: []policy.Document{{Name: document}}}
		for _, change := range changes {
			change(&g)
		}
		return g
	}
	on := func(ids ...string) policy.Target { return policy.Target{InstanceIDs: ids} }
	stg := policy.Target{Tags: map[string]string{"Env": "stg"}}
	stgWeb := policy.Target{Tags: map[string]string{"env": "stg", "Role": "web"}}
	const hybrid = "mi-0a1b2c3d4e5f60718"
	site := policy.Target{Tags: stg.Tags, HybridIn: "ap-northeast-1"}
	siteElsewhere := policy.Target{Tags: stg.Tags, HybridIn: "us-east-1"}
	everywhere := func(g *policy.Grant) { g.Regions = []string{"ap-northeast-1", "us-east-1"} }
	from := func(h int) func(*policy.Grant) {
		return func(g *policy.Grant) { g.NotBefore = noon.Add(time.Duration(h) * time.Hour) }
	}
	until := func(h int) func(*policy.Grant) {
		return func(g *policy.Grant) { g.NotAfter = noon.Add(time.Duration(h) * time.Hour) }
	}
	mfa := func(g *policy.Grant) { g.RequireMFA = true }
	office := func(g *policy.Grant) { g.SourceCIDRs = []string{"203.0.113.0/24"} }
	elsewhere := func(g *policy.Grant) { g.Regions = []string{"us-east-1"} }
	without := func(values ...string) func(*policy.Grant) {
		return func(g *policy.Grant) { g.Excluded = []policy.ExcludedTag{{Key: "Env", Values: values}} }
	}
	crossed := []policy.CrossedPair{{Nodes: "1", Documents: "2", Names: []string{"doc-y"}}, {Nodes: "2", Documents: "1", Names: []string{"doc-x"}}}
	for name, tc := range map[string]struct {
		grants []policy.Grant
		want   []policy.CrossedPair
	}{
		"one grant alone":                     {[]policy.Grant{grant("1", "doc-x", on(a))}, nil},
		"two grants":                          {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(b))}, crossed},
		"two grants told the other way round": {[]policy.Grant{grant("2", "doc-y", on(b)), grant("1", "doc-x", on(a))}, crossed},
		"the same node":                       {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(a))}, nil},
		"the same document":                   {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-x", on(b))}, nil},
		"one node of two":                     {[]policy.Grant{grant("1", "doc-x", on(a, b)), grant("2", "doc-y", on(b))}, crossed[:1]},
		"other regions":                       {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(b), elsewhere)}, nil},
		"one after the other":                 {[]policy.Grant{grant("1", "doc-x", on(a), until(1)), grant("2", "doc-y", on(b), from(1))}, nil},
		"for an hour together":                {[]policy.Grant{grant("1", "doc-x", on(a), until(2)), grant("2", "doc-y", on(b), from(1))}, crossed},
		"tags beside ids":                     {[]policy.Grant{grant("1", "doc-x", stg), grant("2", "doc-y", on(b))}, crossed},
		"a tag that other tags include":       {[]policy.Grant{grant("1", "doc-x", stg), grant("2", "doc-y", stgWeb)}, crossed[:1]},
		"ids with tags that the tag includes": {[]policy.Grant{grant("1", "doc-x", stg), grant("2", "doc-y", policy.Target{InstanceIDs: []string{a}, Tags: stgWeb.Tags})}, crossed[:1]},
		"the nodes of an activation beside all with its tag":    {[]policy.Grant{grant("1", "doc-x", site), grant("2", "doc-y", stg)}, crossed[1:]},
		"the nodes of an activation in another region":          {[]policy.Grant{grant("1", "doc-x", siteElsewhere, everywhere), grant("2", "doc-y", on(b))}, crossed[1:]},
		"a hybrid node with the tag of an activation":           {[]policy.Grant{grant("1", "doc-x", policy.Target{InstanceIDs: []string{hybrid}, Tags: stg.Tags}), grant("2", "doc-y", site)}, crossed[1:]},
		"the same node, on which one excludes a tag":            {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(a), without("prod"))}, crossed[:1]},
		"the same node, on which both exclude it":               {[]policy.Grant{grant("1", "doc-x", on(a), without("prod")), grant("2", "doc-y", on(a), without("prod"))}, nil},
		"nodes with another value of a tag than is excluded":    {[]policy.Grant{grant("1", "doc-x", stg), grant("2", "doc-y", stg, without("prod"))}, nil},
		"nodes with the very value that the other one excludes": {[]policy.Grant{grant("1", "doc-x", stg), grant("2", "doc-y", on(b), without("stg"))}, crossed},
		"a third grant declares both":                           {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(b)), grant("3", "doc-y", on(a))}, []policy.CrossedPair{crossed[1]}},
		"a third grant, with MFA only":                          {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(b)), grant("3", "doc-y", on(a), mfa)}, crossed},
		"a third grant, all with MFA":                           {[]policy.Grant{grant("1", "doc-x", on(a), mfa), grant("2", "doc-y", on(b), mfa), grant("3", "doc-y", on(a), mfa)}, []policy.CrossedPair{crossed[1]}},
		"a third grant, from the office only":                   {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(b)), grant("3", "doc-y", on(a), office)}, crossed},
		"a third grant that ends before them":                   {[]policy.Grant{grant("1", "doc-x", on(a)), grant("2", "doc-y", on(b)), grant("3", "doc-y", on(a), until(1))}, crossed},
		"a third grant that holds while they do": {
			[]policy.Grant{grant("1", "doc-x", on(a), until(1)), grant("2", "doc-y", on(b)), grant("3", "doc-y", on(a), until(1))},
			[]policy.CrossedPair{crossed[1]},
		},
	} {
		if got := policy.BroaderAccess(tc.grants); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

// TestBroaderAccessIsWhatIAMAllowsBeyondTheGrants asks IAM about every node and
// document: where IAM allows more than one grant by itself declares, there must
// be a pair for it, and where there is no pair, IAM must not allow more.
func TestBroaderAccessIsWhatIAMAllowsBeyondTheGrants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var grants []policy.Grant
		for _, g := range drawGrants(t, 4) {
			g.NotBefore, g.NotAfter, g.RequireMFA, g.SourceCIDRs = time.Time{}, time.Time{}, false, nil
			g.Excluded = nil           // the nodes have no tags
			for i := range g.Targets { // tags are compared by their text, ids exactly
				if len(g.Targets[i].InstanceIDs) == 0 {
					g.Targets[i].InstanceIDs = instancePool[:1]
				}
				g.Targets[i].Tags, g.Targets[i].HybridIn = nil, ""
			}
			grants = append(grants, g)
		}
		j := newJudge(t, user01, shards(t, user01, grants))
		c := circumstances{at: noon, source: "192.0.2.1"}
		broader := map[string]bool{}
		for _, region := range regionPool {
			for _, id := range instancePool {
				n := node{id: id, region: region}
				for _, name := range documentPool {
					check := map[string]string{"ssm:SessionDocumentAccessCheck": "true"}
					both := j.allowed("ssm:StartSession", n.arn(), c, n.context()) && j.allowed("ssm:StartSession", documentARN(region, name), c, check)
					declared := slices.ContainsFunc(grants, func(g policy.Grant) bool { return n.targeted(g) && named(g, region, name) })
					if both && !declared {
						broader[name] = true
					}
				}
			}
		}
		reported := map[string]bool{}
		for _, p := range policy.BroaderAccess(grants) {
			for _, name := range p.Names {
				reported[name] = true
			}
		}
		if !reflect.DeepEqual(broader, reported) {
			t.Fatalf("IAM also allows %v, reported are %v\n%+v", broader, reported, grants)
		}
	})
}
