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
)

const accountID = "488821267897"

var epoch = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func grantOf(users, nodes []string, regions ...string) *v1alpha1.ResolvedGrant {
	g := &v1alpha1.ResolvedGrant{AccountID: accountID}
	for _, u := range users {
		g.Principals = append(g.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: u})
	}
	target := v1alpha1.ResolvedTarget{}
	for _, n := range nodes {
		target.InstanceIDs = append(target.InstanceIDs, v1alpha1.InstanceID(n))
	}
	g.Targets = []v1alpha1.ResolvedTarget{target}
	for _, r := range regions {
		g.Regions = append(g.Regions, v1alpha1.Region(r))
	}
	return g
}

// start asks since when a grant covers a user on a node.
func start(g *v1alpha1.ResolvedGrant, user, node, region string) (time.Time, bool) {
	owner := "User/" + user
	return grants.Coverage{
		Owner: owner, As: []string{owner}, Node: node, Region: region,
		OnTarget: func(n int) bool { return slices.Contains(g.Targets[n].InstanceIDs, v1alpha1.InstanceID(node)) },
	}.Start(g)
}

// The naive model: a grant covers a user on a node in a region since the last of the
// changes by which it came to hold the three, whatever came and went in between.
func TestAGrantCoversSinceTheChangeThatCompletedIt(t *testing.T) {
	users, nodes, regions := []string{"a", "b", "c"}, []string{"i-1", "i-2", "i-3"}, []string{"r-1", "r-2"}
	rapid.Check(t, func(t *rapid.T) {
		some := func(all []string, label string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, len(all), rapid.ID[string]).Draw(t, label)
		}
		var g *v1alpha1.ResolvedGrant
		held := map[string]time.Time{}
		for i := range rapid.IntRange(1, 12).Draw(t, "changes") {
			now := epoch.Add(time.Duration(i) * time.Hour)
			u, n, r := some(users, "users"), some(nodes, "nodes"), some(regions, "regions")
			g = grants.Begin(grantOf(u, n, r...), g, now, nil)
			next := map[string]time.Time{}
			for _, part := range slices.Concat(u, n, r) {
				next[part] = now
				if since, ok := held[part]; ok {
					next[part] = since
				}
			}
			held = next
		}
		for _, u := range users {
			for _, n := range nodes {
				for _, r := range regions {
					want, all := time.Time{}, true
					for _, part := range []string{u, n, r} {
						since, ok := held[part]
						all = all && ok
						if since.After(want) {
							want = since
						}
					}
					if got, covers := start(g, u, n, r); covers != all || all && !got.Equal(want) {
						t.Fatalf("%s on %s in %s: %s, %t, want %s, %t", u, n, r, got, covers, want, all)
					}
				}
			}
		}
	})
}

func TestWhatIsNotKnownStaysUnknownAndWhatIsAddedBegins(t *testing.T) {
	old := grantOf([]string{"a"}, []string{"i-1"}, "r") // As earlier versions recorded it.
	g := grants.Begin(grantOf([]string{"a"}, []string{"i-1", "i-2"}, "r"), old, epoch, nil)
	if since, covers := start(g, "a", "i-1", "r"); !covers || !since.IsZero() {
		t.Errorf("what was granted before is covered since %s, %t", since, covers)
	}
	if since, covers := start(g, "a", "i-2", "r"); !covers || !since.Equal(epoch) {
		t.Errorf("what was added is covered since %s, %t", since, covers)
	}
}

func TestMoreStartsThanFitAreJoinedWhereTheyLieClosest(t *testing.T) {
	var g *v1alpha1.ResolvedGrant
	nodes := []string{"i-first"}
	now := epoch
	for i := range 40 {
		g = grants.Begin(grantOf([]string{"a"}, nodes, "r"), g, now, nil)
		nodes = append(nodes, fmt.Sprintf("i-%d", i))
		now = now.Add(time.Minute)
	}
	late := now.Add(24 * time.Hour)
	g = grants.Begin(grantOf([]string{"a"}, append(nodes, "i-late"), "r"), g, late, nil)
	if len(g.Added) > 32 {
		t.Errorf("%d starts", len(g.Added))
	}
	if since, _ := start(g, "a", "i-late", "r"); !since.Equal(late) {
		t.Errorf("a node that was added long after all others is covered since %s, want %s", since, late)
	}
	for i, node := range nodes[1:39] {
		if since, covers := start(g, "a", node, "r"); !covers || since.After(epoch.Add(time.Duration(i+1)*time.Minute)) {
			t.Errorf("%s is covered since %s, %t, which is too late", node, since, covers)
		}
	}
}

func TestWhatPassesToAGrantBeginsEarlierThereAlone(t *testing.T) {
	g := grants.Begin(grantOf([]string{"a", "b"}, []string{"i-1", "i-2"}, "r"), nil, epoch, nil)
	earlier := epoch.Add(-time.Hour)
	g = grants.Inherit(g, "User/a", "i-1", earlier)
	g = grants.Inherit(g, "User/a", "i-1", epoch) // Later: it changes nothing.
	for _, c := range []struct {
		user, node string
		want       time.Time
	}{{"a", "i-1", earlier}, {"a", "i-2", epoch}, {"b", "i-1", epoch}} {
		if since, _ := start(g, c.user, c.node, "r"); !since.Equal(c.want) {
			t.Errorf("%s on %s since %s, want %s", c.user, c.node, since, c.want)
		}
	}
	g = grants.Inherit(g, "User/a", "i-1", time.Time{})
	if since, covers := start(g, "a", "i-1", "r"); !covers || !since.IsZero() {
		t.Errorf("an unknown start is %s, %t", since, covers)
	}
	for i := range 300 {
		g = grants.Inherit(g, fmt.Sprint("User/", i), "i-1", earlier)
	}
	if since, _ := start(g, "b", "i-2", "r"); len(g.Inherited) > 200 || since.After(earlier) {
		t.Errorf("more than fits is %d, and all begins %s", len(g.Inherited), since)
	}
}

func TestTheSameAccessIsTheSameWheneverItBegan(t *testing.T) {
	early := grants.Begin(grantOf([]string{"a"}, []string{"i-1", "i-2"}, "r"), nil, epoch, nil)
	late := grants.Begin(grantOf([]string{"a"}, []string{"i-1", "i-2"}, "r"), nil, epoch.Add(time.Hour), nil)
	other := grants.Begin(grantOf([]string{"a"}, []string{"i-1"}, "r"), nil, epoch, nil)
	if !grants.SameAccess(early, late) || grants.SameAccess(early, other) || grants.SameAccess(early, nil) || !grants.SameAccess(nil, nil) {
		t.Error("grants are compared by their starts")
	}
	if joined := grants.Earlier(late, early); !joined.Since.Equal(&metav1.Time{Time: epoch}) {
		t.Errorf("the two together begin %s", joined.Since)
	}
}
