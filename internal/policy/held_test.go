package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// atomsOf takes documents apart by means of their own: what they allow, as one
// string for each action, resource and condition.
func atomsOf(t tester, docs ...string) map[string]bool {
	t.Helper()
	atoms := map[string]bool{}
	for _, doc := range docs {
		if doc == "" {
			continue
		}
		var parsed struct {
			Statement []struct {
				Action, Resource any
				Condition        map[string]map[string]any
			}
		}
		if err := json.Unmarshal([]byte(doc), &parsed); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		for _, s := range parsed.Statement {
			condition, err := json.Marshal(s.Condition)
			if err != nil {
				t.Fatalf("%v", err)
			}
			for _, action := range listed(s.Action) {
				for _, resource := range listed(s.Resource) {
					atoms[action+" "+resource+" "+string(condition)] = true
				}
			}
		}
	}
	return atoms
}

func listed(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var out []string
	for _, e := range v.([]any) {
		out = append(out, e.(string))
	}
	return out
}

// subset reports whether all of a is in b.
func subset(a, b map[string]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return true
}

func intersect(a, b map[string]bool) map[string]bool {
	out := maps.Clone(a)
	maps.DeleteFunc(out, func(k string, _ bool) bool { return !b[k] })
	return out
}

// replay makes the writes of a plan one by one and watches over what is held.
func replay(t tester, held []string, plan policy.Plan, wanted map[string]bool, q policy.Quotas) {
	t.Helper()
	now := slices.Clone(held)
	checkCuts(t, held, plan, wanted)
	keep := intersect(atomsOf(t, held...), wanted)
	most := max(countDocs(held), countDocs(plan.Documents))
	grown := false
	for _, w := range plan.Writes {
		for len(now) < w.Shard {
			now = append(now, "")
		}
		before, after := atomsOf(t, now[w.Shard-1]), atomsOf(t, w.Document)
		if now[w.Shard-1] == w.Document {
			t.Fatalf("shard %d is written without need", w.Shard)
		}
		if w.Grows != !subset(after, before) || w.Narrows != !subset(before, after) {
			t.Fatalf("write %+v is marked wrongly, it was %q", w, now[w.Shard-1])
		}
		if grown && !w.Grows && !subset(before, wanted) {
			t.Fatalf("a revocation comes after a grant: %+v", plan.Writes)
		}
		grown = grown || w.Grows
		now[w.Shard-1] = w.Document
		if len(w.Document) > q.PolicySize {
			t.Fatalf("%d characters exceed %d", len(w.Document), q.PolicySize)
		}
		if n := countDocs(now); n > most {
			t.Fatalf("%d policies in between, at most %d before and after", n, most)
		}
		if !subset(keep, atomsOf(t, now...)) {
			t.Fatalf("a gap after writing shard %d: %+v", w.Shard, plan.Writes)
		}
	}
	if !slices.Equal(trimmed(now), trimmed(plan.Documents)) {
		t.Fatalf("the writes lead to\n%q, not to\n%q", now, plan.Documents)
	}
}

// checkCuts checks that a cut takes what is not wanted from a shard, all of it,
// and adds nothing, and that every shard has one that needs it.
func checkCuts(t tester, held []string, plan policy.Plan, wanted map[string]bool) {
	t.Helper()
	for i, document := range held {
		before := atomsOf(t, document)
		cut, ok := plan.Cuts[i+1]
		if ok == subset(before, wanted) {
			t.Fatalf("shard %d has a cut: %t; it holds %q", i+1, ok, document)
		}
		if ok && !maps.Equal(atomsOf(t, cut), intersect(before, wanted)) {
			t.Fatalf("shard %d is cut to %q, and holds %q", i+1, cut, document)
		}
	}
}

func countDocs(docs []string) int {
	return len(docs) - len(slices.DeleteFunc(slices.Clone(docs), func(d string) bool { return d != "" }))
}

func trimmed(docs []string) []string {
	docs = slices.Clone(docs)
	for len(docs) > 0 && docs[len(docs)-1] == "" {
		docs = docs[:len(docs)-1]
	}
	return docs
}

// all returns the content of the grants, whatever the sizes.
func all(t tester, p policy.Principal, grants []policy.Grant) map[string]bool {
	t.Helper()
	plan, err := policy.Compile(account, p, grants, nil, policy.Quotas{PolicySize: 1 << 24, Policies: 1}, noon)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return atomsOf(t, plan.Documents...)
}

// drawBulk returns a grant of many instances, so that policies split.
func drawBulk(t *rapid.T, id string) policy.Grant {
	g := onInstances(id)
	from, n := rapid.IntRange(0, 60).Draw(t, "from"), rapid.IntRange(1, 40).Draw(t, "instances")
	for i := range n {
		g.Targets[0].InstanceIDs = append(g.Targets[0].InstanceIDs, fmt.Sprintf("i-%017x", from+i))
	}
	if rapid.IntRange(0, 2).Draw(t, "tagged") == 0 {
		g.Targets[0].Tags = map[string]string{"Env": rapid.SampledFrom([]string{"stg", "prod"}).Draw(t, "env")}
	}
	if rapid.IntRange(0, 4).Draw(t, "timed") == 0 {
		g.NotAfter = drawTime(t, "until")
	}
	return g
}

func drawBulks(t *rapid.T, most int) []policy.Grant {
	var grants []policy.Grant
	for i := range rapid.IntRange(0, most).Draw(t, "grants") {
		if rapid.IntRange(0, 3).Draw(t, "sort") == 0 {
			grants = append(grants, drawGrant(t, fmt.Sprint("g", i)))
		} else {
			grants = append(grants, drawBulk(t, fmt.Sprint("g", i)))
		}
	}
	return grants
}

// narrower returns the grants with something removed and nothing added.
func narrower(t *rapid.T, grants []policy.Grant) []policy.Grant {
	var out []policy.Grant
	for _, g := range grants {
		switch rapid.IntRange(0, 2).Draw(t, "cut") {
		case 0:
			continue
		case 1:
			g.Targets = slices.Clone(g.Targets)
			if ids := g.Targets[0].InstanceIDs; len(ids) > 1 {
				g.Targets[0].InstanceIDs = ids[:rapid.IntRange(1, len(ids)-1).Draw(t, "left")]
			}
		}
		out = append(out, g)
	}
	return out
}

// scrambled returns what IAM might hold after crashes and meddling.
func scrambled(t *rapid.T, docs []string) []string {
	docs = slices.Clone(docs)
	for range rapid.IntRange(0, 3).Draw(t, "scrambles") {
		if len(docs) == 0 {
			break
		}
		i := rapid.IntRange(0, len(docs)-1).Draw(t, "scrambled")
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			docs[i] = ""
		case 1:
			docs = append(docs, docs[i])
		case 2:
			docs = append(docs, "")
			docs[i], docs[len(docs)-1] = docs[len(docs)-1], docs[i]
		case 3:
			if doc, ok := strings.CutSuffix(docs[i], `]}`); ok {
				docs[i] = doc + `,{"Sid":"Foreign","Effect":"Allow","Action":"ec2:StopInstances","Resource":"*"}]}`
			}
		}
	}
	return docs
}

func TestNarrowingWritesOnlyShardsThatShrink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, grants := drawKind(t), drawBulks(t, 4)
		q := policy.Quotas{PolicySize: rapid.IntRange(1200, 3000).Draw(t, "size"), Policies: -1}
		first, err := policy.Compile(account, p, grants, nil, q, noon)
		if err != nil {
			t.Skip("a single statement does not fit")
		}
		less := narrower(t, grants)
		plan, err := policy.Compile(account, p, less, first.Documents, q, noon)
		if err != nil {
			t.Fatalf("narrowing: %v", err)
		}
		for i, doc := range plan.Documents {
			if !subset(atomsOf(t, doc), atomsOf(t, first.Documents[i])) {
				t.Fatalf("shard %d grew", i+1)
			}
		}
		for _, w := range plan.Writes {
			if w.Grows || !w.Narrows {
				t.Fatalf("shard %d is written without need: %+v", w.Shard, w)
			}
		}
		wanted := all(t, p, less)
		if got := atomsOf(t, plan.Documents...); !maps.Equal(got, wanted) {
			t.Fatalf("got %v, want %v", got, wanted)
		}
		replay(t, first.Documents, plan, wanted, q)
	})
}

func TestReplacedPolicyKeepsItsNumber(t *testing.T) {
	before, after := onInstances("a", "i-051cac51072605f39"), onInstances("b", "i-0ee187d8794b12114")
	after.RequireMFA = true // no statement is as it was
	held := []string{"", one(t, user01, before)}
	plan, err := policy.Compile(account, user01, []policy.Grant{after}, held, quotas, noon)
	want := policy.Write{Shard: 2, Document: one(t, user01, after), Narrows: true, Grows: true}
	if err != nil || !slices.Equal(plan.Writes, []policy.Write{want}) {
		t.Errorf("got %+v, %v", plan.Writes, err)
	}
}

// TestTamperedPolicyIsPutBack edits the document that IAM holds.
func TestTamperedPolicyIsPutBack(t *testing.T) {
	grants := []policy.Grant{onInstances("a", "i-051cac51072605f39")}
	doc := one(t, user01, grants...)
	for name, tc := range map[string]struct {
		from, to       string
		narrows, grows bool
	}{
		"a statement more":             {`}}]}`, `}},{"Effect":"Allow","Action":"*","Resource":"*"}]}`, true, false},
		"an instance more":             {`"Resource":["arn:aws:ec2`, `"Resource":["arn:aws:ec2:ap-northeast-1:488821267897:instance/*","arn:aws:ec2`, true, false},
		"an action more":               {`"Action":"ssm:StartSession"`, `"Action":["ssm:StartSession","ssm:SendCommand"]`, true, true},
		"a condition less":             {`"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"},`, ``, true, true},
		"federated tokens let in":      {`,` + namedUser + `}}`, `}}`, true, true},
		"a member twice":               {`"Resource":["arn:aws:ec2`, `"Resource":"*","Resource":["arn:aws:ec2`, true, true},
		"a member in capitals":         {`"Resource":"*"`, `"RESOURCE":"*"`, true, true},
		"a denial":                     {`"Sid":"Start","Effect":"Allow"`, `"Sid":"Start","Effect":"Deny"`, true, true},
		"an older version":             {`2012-10-17`, `2008-10-17`, true, true},
		"another Sid":                  {`"Sid":"Start"`, `"Sid":"Begin"`, false, false},
		"no Sid":                       {`"Sid":"Start",`, ``, false, false},
		"the same thing twice":         {`"Action":["ec2:DescribeInstances"`, `"Action":["ec2:DescribeInstances","ec2:DescribeInstances"`, false, false},
		"a statement less":             {channelS1, ``, false, true},
		"something behind the end":     {`}}]}`, `}}]}{}`, true, true},
		"something that is not policy": {doc, `["` + "x" + `"]`, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			held := strings.Replace(strings.Replace(doc, tc.from, tc.to, 1), "},]}", "}]}", 1)
			if held == doc {
				t.Fatal("nothing is tampered with")
			}
			plan, err := policy.Compile(account, user01, grants, []string{held}, quotas, noon)
			want := policy.Write{Shard: 1, Document: doc, Narrows: tc.narrows, Grows: tc.grows}
			if err != nil || !slices.Equal(plan.Writes, []policy.Write{want}) {
				t.Errorf("got %+v, %v", plan.Writes, err)
			}
		})
	}
}

func TestEveryChangeIsMadeWithoutAGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawKind(t)
		q := policy.Quotas{PolicySize: rapid.IntRange(1500, 3000).Draw(t, "size"), Policies: rapid.IntRange(-1, 6).Draw(t, "policies")}
		before := drawBulks(t, 4)
		// What is held may be in more and smaller pieces than it needs.
		pieces := policy.Quotas{PolicySize: rapid.IntRange(1200, q.PolicySize).Draw(t, "held size"), Policies: -1}
		first, _ := policy.Compile(account, p, before, nil, pieces, noon)
		held := scrambled(t, first.Documents)
		grants := before
		if rapid.Bool().Draw(t, "changed") {
			grants = append(narrower(t, before), drawBulks(t, 2)...)
		}
		wanted := all(t, p, grants)
		plan, err := policy.Compile(account, p, grants, held, q, noon)
		replay(t, held, plan, wanted, q)
		got := atomsOf(t, plan.Documents...)
		var tooLarge *policy.TooLargeError
		switch {
		case err == nil && q.Policies >= 0 && countDocs(plan.Documents) > q.Policies:
			t.Fatalf("%d policies, %d allowed", countDocs(plan.Documents), q.Policies)
		case err == nil && !maps.Equal(got, wanted):
			t.Fatalf("got %v, want %v", got, wanted)
		case err != nil && !errors.As(err, &tooLarge):
			t.Fatal(err)
		case err != nil && !maps.Equal(got, intersect(atomsOf(t, held...), wanted)):
			t.Fatalf("%v: the plan is not what is held and wanted", err)
		}
		again, _ := policy.Compile(account, p, grants, plan.Documents, q, noon)
		if len(again.Writes) > 0 {
			t.Fatalf("done, and yet there is to write %+v", again.Writes)
		}
	})
}
