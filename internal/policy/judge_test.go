package policy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/authz"
)

// circumstances are what a request is made in.
type circumstances struct {
	at time.Time
	// mfa is "", "true" or "false": long-term keys have no such value.
	mfa    string
	source string
}

func drawCircumstances(t *rapid.T) circumstances {
	return circumstances{
		at:     drawTime(t, "at").Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "seconds")) * time.Second),
		mfa:    rapid.SampledFrom([]string{"", "true", "false"}).Draw(t, "mfa"),
		source: rapid.SampledFrom([]string{"203.0.113.77", "203.0.113.78", "198.51.100.200", "2001:db8::1", "192.0.2.1"}).Draw(t, "source"),
	}
}

// allow is the naive model of a grant's conditions.
func (c circumstances) allow(g policy.Grant) bool {
	if !g.NotBefore.IsZero() && !c.at.After(g.NotBefore) || !g.NotAfter.IsZero() && !c.at.Before(g.NotAfter) {
		return false
	}
	if g.RequireMFA && c.mfa != "true" {
		return false
	}
	return len(g.SourceCIDRs) == 0 || slices.ContainsFunc(g.SourceCIDRs, func(s string) bool {
		return netip.MustParsePrefix(s).Contains(netip.MustParseAddr(c.source))
	})
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// judge asks IAM, as the emulator understands it, what documents allow a principal.
type judge struct {
	t        tester
	policies authz.Policies
	// username exists for users only; a role session's ids begin with its name.
	username, userID string
}

func newJudge(t tester, p policy.Principal, docs []string) *judge {
	t.Helper()
	j := &judge{t: t, userID: "AROAEXAMPLE:somebody"}
	if p.Kind == policy.User || p.Kind == policy.Group {
		j.username, j.userID = "user01", "AIDAEXAMPLE"
	}
	for i, doc := range docs {
		if doc == "" {
			continue
		}
		parsed, err := authz.Parse([]byte(doc))
		if err != nil {
			t.Fatalf("IAM refuses %s: %v", doc, err)
		}
		j.policies.Identity = append(j.policies.Identity, authz.Policy{Name: fmt.Sprint("shard ", i+1), Document: parsed})
	}
	return j
}

func (j *judge) allowed(action, resource string, c circumstances, more map[string]string) bool {
	j.t.Helper()
	ctx := authz.NewContext(map[string][]string{
		"aws:userid":      {j.userID},
		"aws:CurrentTime": {c.at.Format(time.RFC3339)},
		"aws:SourceIp":    {c.source},
	})
	if j.username != "" {
		ctx.Set("aws:username", j.username)
	}
	if c.mfa != "" {
		ctx.Set("aws:MultiFactorAuthPresent", c.mfa)
	}
	for k, v := range more {
		ctx.Set(k, v)
	}
	d, err := authz.Evaluate(authz.Request{Action: action, Resource: resource, Context: ctx}, j.policies)
	if err != nil {
		j.t.Fatalf("the question makes no sense: %v", err)
	}
	return d.Allowed()
}

// node is a machine that sessions are asked for on.
type node struct {
	id, region string
	tags       map[string]string
}

func drawNode(t *rapid.T) node {
	n := node{
		id:     rapid.SampledFrom(append([]string{"i-0fffffffffffffff0"}, instancePool...)).Draw(t, "node"),
		region: rapid.SampledFrom(append([]string{"eu-west-1"}, regionPool...)).Draw(t, "region"),
		tags:   map[string]string{},
	}
	for k, v := range drawTags(t, 0, 3) {
		n.tags[fold(t, k)] = v
	}
	return n
}

func (n node) arn() string {
	if strings.HasPrefix(n.id, "mi-") {
		return "arn:aws:ssm:" + n.region + ":488821267897:managed-instance/" + n.id
	}
	return "arn:aws:ec2:" + n.region + ":488821267897:instance/" + n.id
}

// context are the keys that AWS supplies for the node.
func (n node) context() map[string]string {
	keys := map[string]string{"ssm:SessionDocumentAccessCheck": "true"}
	for k, v := range n.tags {
		keys["ssm:resourceTag/"+k], keys["aws:ResourceTag/"+k] = v, v
	}
	return keys
}

// targeted is the naive model of a grant's targets.
func (n node) targeted(g policy.Grant) bool {
	return slices.Contains(g.Regions, n.region) && !slices.ContainsFunc(g.Excluded, n.carries) && slices.ContainsFunc(g.Targets, func(t policy.Target) bool {
		if len(t.InstanceIDs) > 0 && !slices.Contains(t.InstanceIDs, n.id) {
			return false
		}
		if t.HybridIn != "" && (t.HybridIn != n.region || !strings.HasPrefix(n.id, "mi-")) {
			return false
		}
		for k, v := range t.Tags {
			if !slices.ContainsFunc(mapPairs(n.tags), func(p [2]string) bool { return strings.EqualFold(p[0], k) && p[1] == v }) {
				return false
			}
		}
		return true
	})
}

// carries is the naive model of an excluded tag.
func (n node) carries(e policy.ExcludedTag) bool {
	return slices.ContainsFunc(mapPairs(n.tags), func(p [2]string) bool { return strings.EqualFold(p[0], e.Key) && slices.Contains(e.Values, p[1]) })
}

func mapPairs(m map[string]string) [][2]string {
	var pairs [][2]string
	for k, v := range m {
		pairs = append(pairs, [2]string{k, v})
	}
	return pairs
}

func documentARN(region, name string) string {
	if strings.HasPrefix(name, "AWS-") {
		return "arn:aws:ssm:" + region + "::document/" + name
	}
	return "arn:aws:ssm:" + region + ":488821267897:document/" + name
}

// named is the naive model of a grant's documents.
func named(g policy.Grant, region, name string) bool {
	return slices.Contains(g.Regions, region) &&
		slices.ContainsFunc(g.Documents, func(d policy.Document) bool { return d.Name == name })
}
