package policy_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// The pools are small, so that grants overlap and questions hit them.
var (
	instancePool = []string{
		"i-051cac51072605f39", "i-0ee187d8794b12114", "i-12345678", "i-00000000000000001",
		"mi-0123456789abcdef0", "mi-051cac51072605f39",
	}
	regionPool   = []string{"ap-northeast-1", "us-gov-west-1"}
	documentPool = []string{policy.DefaultDocument, "audited", "audited-2", "AWS-StartSSHSession"}
	keyPool      = []string{
		"arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555",
		"arn:aws:kms:us-gov-west-1:000000000001:key/mrk-0123456789abcdef0123456789abcdef",
	}
	tagKeyPool   = []string{"Env", "Role", "aws:autoscaling:groupName", "部署", "a b/c"}
	tagValuePool = []string{
		"stg", "stg2", "st", "", "*", "s*", "?tg", "s?g", "$", "${*}", "${$}", "${aws:username}", "user01", "STG",
		`"`, `"],"x":["`, `\`, `\u0041`, "<&>", "é", "日本語", "😀", "tab\tnew\nline", "{", "}", "$${", "${",
	}
	sourcePool = []string{"203.0.113.0/24", "203.0.113.77/32", "198.51.100.0/25", "2001:db8::/32"}
)

func drawSubset(t *rapid.T, pool []string, least int, label string) []string {
	picked := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), least, min(len(pool), 4), rapid.ID).Draw(t, label)
	return picked
}

func drawTags(t *rapid.T, least, most int) map[string]string {
	tags := map[string]string{}
	for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom(tagKeyPool), least, most, rapid.ID).Draw(t, "tag keys") {
		tags[k] = rapid.SampledFrom(tagValuePool).Draw(t, "tag value")
	}
	return tags
}

func drawTarget(t *rapid.T) policy.Target {
	switch rapid.IntRange(0, 3).Draw(t, "target kind") {
	case 0:
		return policy.Target{Tags: drawTags(t, 1, 3)}
	case 1:
		return policy.Target{InstanceIDs: drawSubset(t, instancePool, 1, "ids"), Tags: drawTags(t, 1, 2)}
	default:
		return policy.Target{InstanceIDs: drawSubset(t, instancePool, 1, "ids")}
	}
}

func drawDocument(t *rapid.T) policy.Document {
	d := policy.Document{Name: rapid.SampledFrom(documentPool).Draw(t, "document")}
	if rapid.IntRange(0, 3).Draw(t, "has key") == 0 {
		d.KMSKeyARN = rapid.SampledFrom(keyPool).Draw(t, "key")
	}
	return d
}

func drawTime(t *rapid.T, label string) time.Time {
	return noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, label)) * time.Hour)
}

func drawExcluded(t *rapid.T) []policy.ExcludedTag {
	if rapid.IntRange(0, 2).Draw(t, "excludes") > 0 {
		return nil
	}
	var excluded []policy.ExcludedTag
	for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom(tagKeyPool), 1, 2, rapid.ID).Draw(t, "excluded keys") {
		excluded = append(excluded, policy.ExcludedTag{Key: fold(t, k), Values: drawSubset(t, tagValuePool, 1, "excluded values")})
	}
	return excluded
}

// drawHybrid limits targets by tags to the hybrid nodes of one region.
func drawHybrid(t *rapid.T, g *policy.Grant) {
	for i := range g.Targets {
		if len(g.Targets[i].InstanceIDs) == 0 && rapid.Bool().Draw(t, "hybrid") {
			g.Targets[i].HybridIn = rapid.SampledFrom(g.Regions).Draw(t, "region of the hybrid nodes")
		}
	}
}

func drawGrant(t *rapid.T, id string) policy.Grant {
	g := policy.Grant{
		ID:          id,
		Targets:     rapid.SliceOfN(rapid.Custom(drawTarget), 1, 2).Draw(t, "targets"),
		Regions:     drawSubset(t, regionPool, 1, "regions"),
		Documents:   rapid.SliceOfN(rapid.Custom(drawDocument), 1, 2).Draw(t, "documents"),
		Clients:     rapid.SliceOfDistinct(rapid.SampledFrom([]policy.Client{policy.SessionManagerConsole, policy.EC2Console, policy.CLI}), rapid.ID).Draw(t, "clients"),
		OwnSessions: rapid.SampledFrom([]policy.Scope{"", policy.Username, policy.OwnerTag}).Draw(t, "scope"),
		DataChannel: rapid.SampledFrom([]policy.DataChannelScope{"", policy.DataChannelOwn, policy.DataChannelAccount}).Draw(t, "channel"),
	}
	if rapid.IntRange(0, 2).Draw(t, "timed") == 0 {
		g.NotBefore = drawTime(t, "not before")
		g.NotAfter = g.NotBefore.Add(time.Duration(rapid.IntRange(1, 4).Draw(t, "hours")) * time.Hour)
	}
	drawHybrid(t, &g)
	g.Excluded = drawExcluded(t)
	g.RequireMFA = rapid.IntRange(0, 3).Draw(t, "mfa") == 0
	if rapid.IntRange(0, 3).Draw(t, "sources") == 0 {
		g.SourceCIDRs = drawSubset(t, sourcePool, 1, "cidrs")
	}
	return g
}

func drawGrants(t *rapid.T, most int) []policy.Grant {
	n := rapid.IntRange(0, most).Draw(t, "number of grants")
	var grants []policy.Grant
	for i := range n {
		grants = append(grants, drawGrant(t, fmt.Sprintf("grant-%d", i)))
	}
	return grants
}

func drawKind(t *rapid.T) policy.Principal {
	return policy.Principal{
		Kind: rapid.SampledFrom([]policy.Kind{policy.User, policy.Group, policy.Role, policy.PermissionSet}).Draw(t, "kind"),
		Name: "user01",
	}
}

// shuffled returns the same grants with every list in another order.
func shuffled(t *rapid.T, grants []policy.Grant) []policy.Grant {
	var out []policy.Grant
	for _, g := range permuted(t, grants) {
		g.Regions = permuted(t, g.Regions)
		g.Documents = permuted(t, g.Documents)
		g.Clients = permuted(t, g.Clients)
		g.SourceCIDRs = permuted(t, g.SourceCIDRs)
		g.Excluded = permuted(t, g.Excluded)
		var targets []policy.Target
		for _, target := range permuted(t, g.Targets) {
			targets = append(targets, policy.Target{InstanceIDs: permuted(t, target.InstanceIDs), Tags: maps.Clone(target.Tags), HybridIn: target.HybridIn})
		}
		g.Targets = targets
		out = append(out, g)
	}
	return out
}

func permuted[S ~[]E, E any](t *rapid.T, list S) S {
	return rapid.Permutation(slices.Clone(list)).Draw(t, "order")
}

// fold spells a tag key in another case, which means the same to IAM.
func fold(t *rapid.T, key string) string {
	return rapid.SampledFrom([]string{key, strings.ToLower(key), strings.ToUpper(key)}).Draw(t, "case")
}
