package grants_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

var (
	noon   = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	ids    = []v1alpha1.InstanceID{"i-00000001", "i-00000002", "mi-00000000000000001"}
	users  = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}, {Kind: v1alpha1.PrincipalUser, Name: "user02"}}
	areas  = []v1alpha1.Region{"ap-northeast-1", "us-east-1"}
	papers = []v1alpha1.ResolvedDocument{{Name: "SSM-SessionManagerRunShell"}, {Name: "audited"}, {Name: "audited", KMSKeyARN: "key"}, {Name: "audited", KMSKeyARN: "other"}}
	cidrs  = []v1alpha1.CIDR{"203.0.113.0/24", "203.0.113.64/26", "203.0.113.64/32", "198.51.100.0/25", "0.0.0.0/0", "2001:db8::/32"}
	hosts  = []string{"203.0.113.64", "203.0.113.65", "203.0.113.1", "198.51.100.7", "192.0.2.1", "2001:db8::1"}
)

func some[T any](t *rapid.T, pool []T, least int, label string) []T {
	picked := rapid.SliceOfNDistinct(rapid.IntRange(0, len(pool)-1), least, len(pool), rapid.ID).Draw(t, label)
	out := make([]T, len(picked))
	for i, at := range picked {
		out[i] = pool[at]
	}
	return out
}

func drawTags(t *rapid.T, least int) map[string]string {
	tags := map[string]string{}
	for _, key := range some(t, []string{"Env", "Role"}, least, "keys") {
		if rapid.Bool().Draw(t, "fold") {
			key = strings.ToLower(key)
		}
		tags[key] = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "value")
	}
	return tags
}

func drawTarget(t *rapid.T, hybrid bool) v1alpha1.ResolvedTarget {
	switch rapid.IntRange(0, 2).Draw(t, "form") {
	case 0:
		return v1alpha1.ResolvedTarget{InstanceIDs: some(t, ids, 1, "ids")}
	case 1:
		return v1alpha1.ResolvedTarget{InstanceIDs: some(t, ids, 1, "ids"), Tags: drawTags(t, 1)}
	default:
		target := v1alpha1.ResolvedTarget{Tags: drawTags(t, 1)}
		if hybrid && rapid.Bool().Draw(t, "hybrid") {
			target.HybridRegion = rapid.SampledFrom(areas).Draw(t, "hybrid region")
		}
		return target
	}
}

func drawTime(t *rapid.T, label string) *metav1.Time {
	if rapid.Bool().Draw(t, "no "+label) {
		return nil
	}
	return &metav1.Time{Time: noon.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, label)) * time.Hour)}
}

func drawGrant(t *rapid.T, hybrid bool) *v1alpha1.ResolvedGrant {
	g := &v1alpha1.ResolvedGrant{
		AccountID:  rapid.SampledFrom([]string{"488821267897", "488821267897", "488821267897", "000000000001"}).Draw(t, "account"),
		Principals: some(t, users, 1, "principals"), Regions: some(t, areas, 1, "regions"), Documents: some(t, papers, 1, "documents"),
		Clients:          some(t, []v1alpha1.Client{v1alpha1.ClientCLI, v1alpha1.ClientEC2Console}, 0, "clients"),
		SessionScope:     rapid.SampledFrom([]v1alpha1.SessionScope{v1alpha1.ScopeUsername, v1alpha1.ScopeOwnerTag}).Draw(t, "scope"),
		DataChannelScope: rapid.SampledFrom([]v1alpha1.DataChannelScope{"", v1alpha1.DataChannelOwn, v1alpha1.DataChannelAccount}).Draw(t, "channel"),
		OnRevoke:         rapid.SampledFrom([]v1alpha1.OnRevoke{v1alpha1.RevokeTerminateSessions, v1alpha1.RevokeLeaveSessions}).Draw(t, "onRevoke"),
		NotBefore:        drawTime(t, "not before"), NotAfter: drawTime(t, "not after"),
		RequireMFA: rapid.Bool().Draw(t, "mfa"),
	}
	for range rapid.IntRange(1, 3).Draw(t, "targets") {
		g.Targets = append(g.Targets, drawTarget(t, hybrid))
	}
	for key, value := range drawTags(t, 0) {
		g.ExcludedTags = append(g.ExcludedTags, v1alpha1.ExcludedTag{Key: key, Values: []string{value}})
	}
	g.ExcludedTags, _ = admission.UniteExcluded(g.ExcludedTags, nil)
	if rapid.Bool().Draw(t, "from anywhere") {
		g.SourceCIDRs = some(t, cidrs, 1, "sources")
	}
	return g
}

// attempt is one session that a person tries to open.
type attempt struct {
	account  string
	user     v1alpha1.Principal
	region   v1alpha1.Region
	node     v1alpha1.InstanceID
	tags     map[string]string
	document v1alpha1.ResolvedDocument
	at       time.Time
	mfa      bool
	host     string
}

func drawAttempt(t *rapid.T) attempt {
	return attempt{
		"488821267897", rapid.SampledFrom(users).Draw(t, "user"), rapid.SampledFrom(areas).Draw(t, "region"), rapid.SampledFrom(ids).Draw(t, "node"),
		drawTags(t, 0), rapid.SampledFrom(papers).Draw(t, "document"),
		noon.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "half hours")) * 30 * time.Minute),
		rapid.Bool().Draw(t, "with mfa"), rapid.SampledFrom(hosts).Draw(t, "host"),
	}
}

// allowed is the naive model of what a grant allows.
func (a attempt) allowed(g *v1alpha1.ResolvedGrant) bool {
	return g != nil && g.AccountID == a.account && slices.Contains(g.Principals, a.user) && slices.Contains(g.Regions, a.region) &&
		slices.ContainsFunc(g.Documents, a.with) && slices.ContainsFunc(g.Targets, a.on) && !slices.ContainsFunc(g.ExcludedTags, a.carries) && (a.mfa || !g.RequireMFA) &&
		(g.NotBefore == nil || a.at.After(g.NotBefore.Time)) && (g.NotAfter == nil || a.at.Before(g.NotAfter.Time)) &&
		(len(g.SourceCIDRs) == 0 || slices.ContainsFunc(g.SourceCIDRs, func(c v1alpha1.CIDR) bool {
			return netip.MustParsePrefix(string(c)).Contains(netip.MustParseAddr(a.host))
		}))
}

// with reports whether a document is that of the session, with the key that it needs.
func (a attempt) with(d v1alpha1.ResolvedDocument) bool {
	return d.Name == a.document.Name && (a.document.KMSKeyARN == "" || d.KMSKeyARN == a.document.KMSKeyARN)
}

func (a attempt) on(t v1alpha1.ResolvedTarget) bool {
	if len(t.InstanceIDs) > 0 && !slices.Contains(t.InstanceIDs, a.node) ||
		t.HybridRegion != "" && (t.HybridRegion != a.region || !strings.HasPrefix(string(a.node), "mi-")) {
		return false
	}
	for key, value := range t.Tags {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(a.tags)), func(k string) bool { return strings.EqualFold(k, key) && a.tags[k] == value }) {
			return false
		}
	}
	return true
}

func (a attempt) carries(e v1alpha1.ExcludedTag) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(a.tags)), func(k string) bool { return strings.EqualFold(k, e.Key) && slices.Contains(e.Values, a.tags[k]) })
}

func TestAGrantThatCoversAnotherAllowsAllOfIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old := drawGrant(t, true)
		wide := old.DeepCopy()
		if rapid.Bool().Draw(t, "another") {
			wide = drawGrant(t, true)
		}
		if other := drawGrant(t, true); rapid.Bool().Draw(t, "other exclusions") {
			wide.ExcludedTags = other.ExcludedTags
		}
		for range 30 {
			if a := drawAttempt(t); grants.Covers(wide, old) && a.allowed(old) && !a.allowed(wide) {
				t.Fatalf("%+v is allowed by\n%+v\nand not by\n%+v", a, old, wide)
			}
		}
	})
}

func TestMoreExclusionsThanAGrantHoldsAreNotCut(t *testing.T) {
	var many []v1alpha1.ExcludedTag
	for i := range admission.MaxExcluded + 1 {
		many = append(many, v1alpha1.ExcludedTag{Key: "Env", Values: []string{fmt.Sprint(i)}})
	}
	if _, fits := admission.UniteExcluded(many, nil); fits {
		t.Error("a grant holds more excluded values than it can")
	}
	old := &v1alpha1.ResolvedGrant{
		Principals: users, Regions: areas, Documents: papers, Targets: []v1alpha1.ResolvedTarget{{InstanceIDs: ids}}, ExcludedTags: many[:30],
	}
	wanted := old.DeepCopy()
	wanted.ExcludedTags = many[30:]
	if both := grants.Intersect(old, wanted); both != nil {
		t.Errorf("%+v allows a node that one of the two excludes", both)
	}
}

func TestAnIntersectionAllowsNothingThatEitherGrantForbids(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, wanted := drawGrant(t, true), drawGrant(t, true)
		both := grants.Intersect(old, wanted)
		if both == nil {
			return
		}
		for range 30 {
			if a := drawAttempt(t); a.allowed(both) && (!a.allowed(old) || !a.allowed(wanted)) {
				t.Fatalf("%+v is allowed by\n%+v\nand not by both\n%+v\n%+v", a, both, old, wanted)
			}
		}
		for _, g := range []*v1alpha1.ResolvedGrant{old, wanted} {
			if g.SessionScope == v1alpha1.ScopeOwnerTag && both.SessionScope != v1alpha1.ScopeOwnerTag ||
				g.DataChannelScope != v1alpha1.DataChannelAccount && both.DataChannelScope == v1alpha1.DataChannelAccount ||
				g.OnRevoke == v1alpha1.RevokeTerminateSessions && both.OnRevoke != v1alpha1.RevokeTerminateSessions {
				t.Fatalf("looser than %+v is %+v", g, both)
			}
			for _, client := range both.Clients {
				if !slices.Contains(g.Clients, client) {
					t.Fatalf("%s is no client of %+v", client, g)
				}
			}
		}
	})
}

func TestAnIntersectionAllowsWhatBothGrantsAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, wanted := drawGrant(t, false), drawGrant(t, false)
		both := grants.Intersect(old, wanted)
		for range 30 {
			if a := drawAttempt(t); a.allowed(old) && a.allowed(wanted) && !a.allowed(both) {
				t.Fatalf("%+v is not allowed by\n%+v\nand by both\n%+v\n%+v", a, both, old, wanted)
			}
		}
	})
}

func TestAGrantIntersectedWithItselfIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrant(t, true)
		both := grants.Intersect(g, g)
		if both != nil && !equality.Semantic.DeepEqual(both.SourceCIDRs, g.SourceCIDRs) {
			t.Fatalf("%v became %v", g.SourceCIDRs, both.SourceCIDRs)
		}
		hybrid := func(target v1alpha1.ResolvedTarget) bool { return target.HybridRegion != "" }
		if both != nil && !slices.ContainsFunc(g.Targets, hybrid) && !equality.Semantic.DeepEqual(both, g) {
			t.Fatalf("\n%+v became\n%+v", g, both)
		}
	})
}
