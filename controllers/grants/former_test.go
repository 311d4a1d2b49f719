package grants_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

var in = policy.Account{ID: accountID, Partition: "aws"}

func someOf[T comparable](t *rapid.T, label string, all ...T) []T {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), rapid.ID[T]).Draw(t, label)
}

func aTarget(t *rapid.T) v1alpha1.ResolvedTarget {
	var target v1alpha1.ResolvedTarget
	if rapid.Bool().Draw(t, "by id") {
		target.InstanceIDs = someOf[v1alpha1.InstanceID](t, "ids", "i-1", "i-2", "mi-3")
	}
	if len(target.InstanceIDs) == 0 || rapid.Bool().Draw(t, "tagged") {
		target.Tags = map[string]string{}
		for _, key := range someOf(t, "keys", "Env", "Role") {
			target.Tags[key] = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "value")
		}
	}
	if len(target.InstanceIDs) == 0 && rapid.Bool().Draw(t, "hybrid") {
		target.HybridRegion = rapid.SampledFrom([]v1alpha1.Region{"r1", "r2"}).Draw(t, "hybrid region")
	}
	return target
}

func aGrant(t *rapid.T) v1alpha1.ResolvedGrant {
	g := v1alpha1.ResolvedGrant{
		AccountID: accountID,
		Principals: someOf(t, "principals", v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "alice"},
			v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "bob"}, v1alpha1.Principal{Kind: v1alpha1.PrincipalGroup, Name: "ops"}),
		Regions:    someOf[v1alpha1.Region](t, "regions", "r1", "r2"),
		Documents:  someOf(t, "documents", v1alpha1.ResolvedDocument{Name: "Doc-A"}, v1alpha1.ResolvedDocument{Name: "Doc-B"}, v1alpha1.ResolvedDocument{Name: "Doc-B", KMSKeyARN: "key"}),
		OnRevoke:   rapid.SampledFrom([]v1alpha1.OnRevoke{"", v1alpha1.RevokeTerminateSessions, v1alpha1.RevokeLeaveSessions}).Draw(t, "onRevoke"),
		RequireMFA: rapid.Bool().Draw(t, "mfa"),
	}
	for range rapid.IntRange(1, 3).Draw(t, "targets") {
		g.Targets = append(g.Targets, aTarget(t))
	}
	return g
}

// sessions are all that the grants of aGrant can tell apart.
func sessions() []policy.Session {
	var all []policy.Session
	tags := []map[string]string{nil, {"Env": "a"}, {"Env": "b"}, {"Role": "a"}, {"Env": "a", "Role": "b"}, {"Env": "a", "Role": "a"}, {"Env": "b", "Role": "b"}}
	for _, owner := range []string{"alice", "bob", "eve"} {
		for _, node := range []string{"i-1", "i-2", "mi-3", "mi-4"} {
			for _, region := range []string{"r1", "r2"} {
				for _, document := range []string{"Doc-A", "Doc-B"} {
					for _, t := range tags {
						s := policy.Session{Owner: "arn:aws:iam::" + accountID + ":user/" + owner, Target: node, Region: region, Document: document, Tags: t}
						if owner == "eve" {
							s.OwnerGroups = []string{"ops"}
						}
						all = append(all, s)
					}
				}
			}
		}
	}
	return all
}

// covered is what a former grant decides of a session: whether it covered its
// node, and whether it names its document.
func covered(g v1alpha1.ResolvedGrant, s policy.Session) (node, document bool) {
	compiled, principals := grants.Policy("g", &g), grants.Principals(&g)
	document = policy.NamesDocument(in, compiled, principals, s)
	for _, d := range g.Documents {
		s.Document = d.Name
		node = node || policy.Covers(in, compiled, principals, s)
	}
	return node, document
}

func anyCovers(all []v1alpha1.ResolvedGrant, onRevoke func(v1alpha1.OnRevoke) bool, s policy.Session) (node, document bool) {
	for _, g := range all {
		if !onRevoke(g.OnRevoke) {
			continue
		}
		n, d := covered(g, s)
		node, document = node || n, document || d
	}
	return node, document
}

func TestRetiredGrantsCoverTheSameSessionsAndPrincipals(t *testing.T) {
	t.Parallel()
	all := sessions()
	rapid.Check(t, func(t *rapid.T) {
		var retired, former []v1alpha1.ResolvedGrant
		for range rapid.IntRange(1, 14).Draw(t, "how many") {
			g := aGrant(t)
			retired = append(retired, g)
			former = grants.Retire(former, &g)
		}
		for _, ending := range []func(v1alpha1.OnRevoke) bool{
			func(v1alpha1.OnRevoke) bool { return true },
			func(o v1alpha1.OnRevoke) bool { return o != v1alpha1.RevokeLeaveSessions },
		} {
			for _, s := range all {
				wantNode, wantDocument := anyCovers(retired, ending, s)
				node, document := anyCovers(former, ending, s)
				if node != wantNode || document != wantDocument {
					t.Fatalf("of %+v: node %v and document %v, want %v and %v; retired %+v became %+v", s, node, document, wantNode, wantDocument, retired, former)
				}
			}
		}
		if before, after := principalsOf(retired), principalsOf(former); !slices.Equal(before, after) {
			t.Fatalf("principals %v became %v", before, after)
		}
	})
}

func principalsOf(all []v1alpha1.ResolvedGrant) []string {
	var names []string
	for _, g := range all {
		for _, p := range g.Principals {
			names = append(names, string(p.Kind)+"/"+p.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// distinct are grants that cannot be merged exactly.
func distinct(n int) []v1alpha1.ResolvedGrant {
	all := make([]v1alpha1.ResolvedGrant, n)
	for i := range all {
		all[i] = v1alpha1.ResolvedGrant{
			AccountID:  accountID,
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: fmt.Sprint("user", i)}},
			Targets:    []v1alpha1.ResolvedTarget{{InstanceIDs: []v1alpha1.InstanceID{v1alpha1.InstanceID(fmt.Sprint("i-", i))}}},
			Documents:  []v1alpha1.ResolvedDocument{{Name: fmt.Sprint("Doc-", i)}},
			Regions:    []v1alpha1.Region{"r1"},
			OnRevoke:   v1alpha1.RevokeTerminateSessions,
		}
	}
	return all
}

func TestMoreFormerGrantsThanARecordHoldsAreMergedAndNoneIsLost(t *testing.T) {
	t.Parallel()
	var former []v1alpha1.ResolvedGrant
	all := distinct(3 * grants.MaxFormer)
	for i := range all {
		former = grants.Retire(former, &all[i])
		if len(former) > grants.MaxFormer {
			t.Fatalf("%d former grants after %d", len(former), i+1)
		}
	}
	for i := range all {
		s := policy.Session{Owner: fmt.Sprintf("arn:aws:iam::%s:user/user%d", accountID, i), Target: fmt.Sprint("i-", i), Region: "r1", Document: fmt.Sprint("Doc-", i)}
		if node, document := anyCovers(former, func(v1alpha1.OnRevoke) bool { return true }, s); !node || !document {
			t.Errorf("grant %d is lost", i)
		}
	}
}

func TestNarrowingsOfOneGrantTakeTheRoomOfOne(t *testing.T) {
	t.Parallel()
	wide := distinct(1)[0]
	wide.Principals = append(wide.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "bob"})
	narrow := *wide.DeepCopy()
	narrow.Principals = narrow.Principals[:1]
	narrower := *narrow.DeepCopy()
	narrower.Targets[0].Tags = map[string]string{"Env": "stg"} // As a guardrail does.
	former := grants.Retire(nil, &wide)
	former = grants.Retire(former, &narrow)
	former = grants.Retire(former, &narrower)
	if len(former) != 1 {
		t.Errorf("%d former grants, want 1: %+v", len(former), former)
	}
}

func TestAnIntersectionIsNarrowerThanBothAndStaysSo(t *testing.T) {
	t.Parallel()
	all := sessions()
	rapid.Check(t, func(t *rapid.T) {
		old, wanted := aGrant(t), aGrant(t)
		both := grants.Intersect(&old, &wanted)
		if both == nil {
			return
		}
		if (old.RequireMFA || wanted.RequireMFA) && !both.RequireMFA {
			t.Fatal("MFA is no longer required")
		}
		for _, s := range all {
			inBoth := policy.Covers(in, grants.Policy("b", both), grants.Principals(both), s)
			if inBoth && (!policy.Covers(in, grants.Policy("o", &old), grants.Principals(&old), s) || !policy.Covers(in, grants.Policy("w", &wanted), grants.Principals(&wanted), s)) {
				t.Fatalf("%+v is allowed by %+v, and not by %+v and %+v", s, both, old, wanted)
			}
		}
		if again := grants.Intersect(both, &wanted); again == nil || !grants.Covers(again, both) || !grants.Covers(both, again) {
			t.Fatalf("a second narrowing changes %+v to %+v", both, again)
		}
		if former := grants.Retire(grants.Retire(nil, &old), both); both.OnRevoke == old.OnRevoke && len(former) != 1 {
			t.Fatalf("%+v does not stand for %+v", old, both)
		}
	})
}

func TestAnIntersectionKeepsTheConditionsOfEach(t *testing.T) {
	t.Parallel()
	at := func(hour int) *metav1.Time { return &metav1.Time{Time: time.Date(2027, 1, 1, hour, 0, 0, 0, time.UTC)} }
	with := func(edit func(*v1alpha1.ResolvedGrant)) *v1alpha1.ResolvedGrant {
		g := distinct(1)[0]
		edit(&g)
		return &g
	}
	plain := with(func(*v1alpha1.ResolvedGrant) {})
	for name, c := range map[string]struct {
		old, wanted func(*v1alpha1.ResolvedGrant)
		kept        func(*v1alpha1.ResolvedGrant) bool // nil: nothing is left
	}{
		"the later beginning and the earlier end": {
			func(g *v1alpha1.ResolvedGrant) { g.NotBefore, g.NotAfter = at(2), at(10) },
			func(g *v1alpha1.ResolvedGrant) { g.NotBefore, g.NotAfter = at(1), nil },
			func(g *v1alpha1.ResolvedGrant) bool { return g.NotBefore.Equal(at(2)) && g.NotAfter.Equal(at(10)) },
		},
		"times that never meet": {
			func(g *v1alpha1.ResolvedGrant) { g.NotAfter = at(2) },
			func(g *v1alpha1.ResolvedGrant) { g.NotBefore = at(3) },
			nil,
		},
		"the narrower range of addresses": {
			func(g *v1alpha1.ResolvedGrant) { g.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.0/24"} },
			func(g *v1alpha1.ResolvedGrant) { g.SourceCIDRs = []v1alpha1.CIDR{"203.0.0.0/16", "10.0.0.0/8"} },
			func(g *v1alpha1.ResolvedGrant) bool {
				return slices.Equal(g.SourceCIDRs, []v1alpha1.CIDR{"203.0.113.0/24"})
			},
		},
		"addresses of the one that has any": {
			func(g *v1alpha1.ResolvedGrant) { g.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.0/24"} },
			func(*v1alpha1.ResolvedGrant) {},
			func(g *v1alpha1.ResolvedGrant) bool { return len(g.SourceCIDRs) == 1 },
		},
		"addresses that never meet": {
			func(g *v1alpha1.ResolvedGrant) { g.SourceCIDRs = []v1alpha1.CIDR{"203.0.113.0/24"} },
			func(g *v1alpha1.ResolvedGrant) { g.SourceCIDRs = []v1alpha1.CIDR{"10.0.0.0/8"} },
			nil,
		},
		"multi-factor authentication": {
			func(g *v1alpha1.ResolvedGrant) { g.RequireMFA = true },
			func(*v1alpha1.ResolvedGrant) {},
			func(g *v1alpha1.ResolvedGrant) bool { return g.RequireMFA },
		},
		"the narrower scopes": {
			func(g *v1alpha1.ResolvedGrant) {
				g.SessionScope, g.DataChannelScope = v1alpha1.ScopeOwnerTag, v1alpha1.DataChannelOwn
			},
			func(g *v1alpha1.ResolvedGrant) {
				g.SessionScope, g.DataChannelScope = v1alpha1.ScopeUsername, v1alpha1.DataChannelAccount
			},
			func(g *v1alpha1.ResolvedGrant) bool {
				return g.SessionScope == v1alpha1.ScopeOwnerTag && g.DataChannelScope == v1alpha1.DataChannelOwn
			},
		},
		"a tag that a guardrail requires": {
			func(*v1alpha1.ResolvedGrant) {},
			func(g *v1alpha1.ResolvedGrant) { g.Targets[0].Tags = map[string]string{"Env": "stg"} },
			func(g *v1alpha1.ResolvedGrant) bool {
				return len(g.Targets) == 1 && g.Targets[0].Tags["Env"] == "stg" && len(g.Targets[0].InstanceIDs) == 1
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both := grants.Intersect(with(c.old), with(c.wanted))
			if (both == nil) != (c.kept == nil) || (both != nil && !c.kept(both)) {
				t.Errorf("got %+v", both)
			}
		})
	}
	if grants.Intersect(plain, nil) != nil || grants.Intersect(nil, plain) != nil {
		t.Error("a grant and none have nothing in common")
	}
}
