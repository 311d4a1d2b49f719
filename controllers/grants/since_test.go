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
			g = grants.Begin(grantOf(u, n, r...), g, grants.Beginning{At: now})
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

func TestAGrantCoversNothingBeforeItsNotBefore(t *testing.T) {
	hours := func(n int) *metav1.Time { return &metav1.Time{Time: epoch.Add(time.Duration(n) * time.Hour)} }
	grant := func(since, notBefore *metav1.Time, inherited ...v1alpha1.InheritedStart) *v1alpha1.ResolvedGrant {
		g := grantOf([]string{"a"}, []string{"i-1"}, "r")
		g.Since, g.NotBefore, g.Inherited = since, notBefore, inherited
		return g
	}
	changed := func(before, notBefore *metav1.Time, at int) *v1alpha1.ResolvedGrant {
		return grants.Begin(grant(nil, notBefore), grant(hours(1), before), grants.Beginning{At: hours(at).Time})
	}
	merged := func(f, g *v1alpha1.ResolvedGrant) *v1alpha1.ResolvedGrant {
		former := grants.Retire(grants.Retire(nil, f), g)
		if len(former) != 1 {
			t.Fatalf("%d former grants", len(former))
		}
		return &former[0]
	}
	passed := v1alpha1.InheritedStart{Owner: "User/a", Node: "i-1", Since: hours(2)}
	for name, test := range map[string]struct {
		grant *v1alpha1.ResolvedGrant
		want  *metav1.Time
	}{
		"recorded before it allows anything":    {grant(hours(1), hours(5)), hours(5)},
		"recorded after it allows something":    {grant(hours(7), hours(5)), hours(7)},
		"recorded at a time that is not known":  {grant(nil, hours(5)), nil},
		"a session passed to it":                {grant(hours(1), hours(5), passed), hours(2)},
		"all that passed to it without room":    {grants.InheritAll(grant(hours(1), hours(5), passed)), nil},
		"notBefore passed when it is removed":   {changed(hours(5), nil, 9), hours(5)},
		"notBefore is removed before it passed": {changed(hours(50), nil, 9), hours(9)},
		"notBefore is brought forward":          {changed(hours(50), hours(20), 9), hours(20)},
		"notBefore is put off":                  {changed(nil, hours(20), 9), hours(20)},
		"notBefore stays":                       {changed(hours(20), hours(20), 9), hours(20)},
		"of two former ones the earlier":        {merged(grant(hours(1), hours(5)), grant(hours(2), hours(3))), hours(3)},
		"of two former ones the first":          {merged(grant(hours(1), hours(3)), grant(hours(2), hours(5))), hours(3)},
		"of two former ones that without":       {merged(grant(hours(1), hours(5)), grant(hours(2), nil)), hours(2)},
	} {
		got, covers := start(test.grant, "a", "i-1", "r")
		want := time.Time{}
		if test.want != nil {
			want = test.want.Time
		}
		if !covers || !got.Equal(want) {
			t.Errorf("%s: covers since %s (%t), want %s", name, got, covers, want)
		}
	}
}

func TestWhatIsNotKnownStaysUnknownAndWhatIsAddedBegins(t *testing.T) {
	old := grantOf([]string{"a"}, []string{"i-1"}, "r") // As earlier versions recorded it.
	g := grants.Begin(grantOf([]string{"a"}, []string{"i-1", "i-2"}, "r"), old, grants.Beginning{At: epoch})
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
		g = grants.Begin(grantOf([]string{"a"}, nodes, "r"), g, grants.Beginning{At: now})
		nodes = append(nodes, fmt.Sprintf("i-%d", i))
		now = now.Add(time.Minute)
	}
	late := now.Add(24 * time.Hour)
	g = grants.Begin(grantOf([]string{"a"}, append(nodes, "i-late"), "r"), g, grants.Beginning{At: late})
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
	g := grants.Begin(grantOf([]string{"a", "b"}, []string{"i-1", "i-2"}, "r"), nil, grants.Beginning{At: epoch})
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
	early := grants.Begin(grantOf([]string{"a"}, []string{"i-1", "i-2"}, "r"), nil, grants.Beginning{At: epoch})
	late := grants.Begin(grantOf([]string{"a"}, []string{"i-1", "i-2"}, "r"), nil, grants.Beginning{At: epoch.Add(time.Hour)})
	other := grants.Begin(grantOf([]string{"a"}, []string{"i-1"}, "r"), nil, grants.Beginning{At: epoch})
	if !grants.SameAccess(early, late) || grants.SameAccess(early, other) || grants.SameAccess(early, nil) || !grants.SameAccess(nil, nil) {
		t.Error("grants are compared by their starts")
	}
	if joined := grants.Earlier(late, early); !joined.Since.Equal(&metav1.Time{Time: epoch}) {
		t.Errorf("the two together begin %s", joined.Since)
	}
}
