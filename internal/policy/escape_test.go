package policy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// tagged returns the document of a grant on nodes with one tag.
func tagged(t *testing.T, key, value string) string {
	t.Helper()
	g := onInstances("a")
	g.Targets[0].Tags = map[string]string{key: value}
	return one(t, user01, g)
}

func TestTagValuesAreWrittenAsIAMTakesThem(t *testing.T) {
	for value, want := range map[string]string{
		"stg":             `"stg"`,
		"":                `""`,
		"a*b?c":           `"a*b?c"`,
		"$5":              `"$5"`,
		"$${a}$":          `"$${$}{a}$"`,
		"${aws:username}": `"${$}{aws:username}"`,
		"${*}":            `"${$}{*}"`,
		`say "no"\`:       `"say \"no\"\\"`,
		"<a>&b":           `"<a>&b"`,
		"é ÿ":             `"é ÿ"`,
		"Ā":               `"\u0100"`,
		"営業":              `"\u55b6\u696d"`,
		"😀":               `"\ud83d\ude00"`,
		"a\tb\nc\rd":      `"a\tb\nc\rd"`,
		"\u2028\ufffd":    `"\u2028\ufffd"`,
	} {
		if doc := tagged(t, "Env", value); !strings.Contains(doc, `"StringEquals":{"ssm:resourceTag/Env":`+want+`}`) {
			t.Errorf("%q is not written as %s: %s", value, want, doc)
		}
	}
}

func TestTagKeysAreWrittenAsIAMTakesThem(t *testing.T) {
	for key, want := range map[string]string{
		"部署":                        `"ssm:resourceTag/\u90e8\u7f72"`,
		"aws:autoscaling:groupName": `"ssm:resourceTag/aws:autoscaling:groupName"`,
		"a b_.:/=+-@c":              `"ssm:resourceTag/a b_.:/=+-@c"`,
	} {
		if doc := tagged(t, key, "x"); !strings.Contains(doc, `"StringEquals":{`+want+`:"x"}`) {
			t.Errorf("%q is not written as %s: %s", key, want, doc)
		}
	}
}

// FuzzTagValue shows that no value of a tag widens or breaks a policy: nodes
// with exactly that value are allowed, no others.
func FuzzTagValue(f *testing.F) {
	for _, v := range tagValuePool {
		f.Add(v, "user01")
		f.Add(v, v+"x")
		f.Add(v, strings.ReplaceAll(v, "${aws:username}", "user01"))
	}
	f.Fuzz(func(t *testing.T, value, other string) {
		g := onInstances("a")
		g.Targets[0].Tags = map[string]string{"Env": value}
		plan, err := policy.Compile(account, user01, []policy.Grant{g}, nil, quotas, noon)
		if err != nil {
			if good := utf8.ValidString(value) && utf8.RuneCountInString(value) <= 256 && !strings.ContainsFunc(value, control); good {
				t.Fatalf("%q is refused: %v", value, err)
			}
			if len(plan.Documents) != 0 {
				t.Fatalf("%q is refused and rendered: %q", value, plan.Documents)
			}
			return
		}
		doc := plan.Documents[0]
		for _, r := range doc {
			if r < 0x20 || r > 0xff {
				t.Fatalf("IAM refuses %U in %s", r, doc)
			}
		}
		j := newJudge(t, user01, plan.Documents)
		c := circumstances{at: noon, source: "192.0.2.1"}
		n := node{id: "i-051cac51072605f39", region: "ap-northeast-1", tags: map[string]string{"Env": value}}
		if !j.allowed("ssm:StartSession", n.arn(), c, n.context()) {
			t.Errorf("a node tagged %q is not allowed by %s", value, doc)
		}
		n.tags["Env"] = other
		if got := j.allowed("ssm:StartSession", n.arn(), c, n.context()); got != (other == value) {
			t.Errorf("a node tagged %q: allowed %t by %s", other, got, doc)
		}
		if delete(n.tags, "Env"); j.allowed("ssm:StartSession", n.arn(), c, n.context()) {
			t.Errorf("a node without tags is allowed by %s", doc)
		}
		again, err := policy.Compile(account, user01, []policy.Grant{g}, []string{reformatted(t, doc)}, quotas, noon)
		if err != nil || len(again.Writes) != 0 {
			t.Errorf("the same document in another spelling is written: %+v, %v", again.Writes, err)
		}
	})
}

// FuzzTagKey shows that a key is refused or means itself.
func FuzzTagKey(f *testing.F) {
	for _, k := range append([]string{"*", "${aws:username}", `"`, `\`, "Env*", "E?v", "\x00", "ss\u0131"}, tagKeyPool...) {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		g := onInstances("a")
		g.Targets[0].Tags = map[string]string{key: "x"}
		plan, err := policy.Compile(account, user01, []policy.Grant{g}, nil, quotas, noon)
		if err != nil {
			return
		}
		if strings.ContainsAny(key, "*?${}\"\\") {
			t.Fatalf("%q is taken for a tag key", key)
		}
		j := newJudge(t, user01, plan.Documents)
		c := circumstances{at: noon, source: "192.0.2.1"}
		n := node{id: "i-051cac51072605f39", region: "ap-northeast-1", tags: map[string]string{key: "x"}}
		if !j.allowed("ssm:StartSession", n.arn(), c, n.context()) {
			t.Errorf("a node tagged %q is not allowed by %s", key, plan.Documents[0])
		}
		n.tags = map[string]string{"other": "x", "Env": "x"}
		if !strings.EqualFold(key, "other") && !strings.EqualFold(key, "Env") && j.allowed("ssm:StartSession", n.arn(), c, n.context()) {
			t.Errorf("a node with other tags is allowed by %s", plan.Documents[0])
		}
	})
}

// FuzzHeld shows that whatever IAM holds, the plan is what is wanted and no gap
// opens on the way.
func FuzzHeld(f *testing.F) {
	g := onInstances("a", "i-051cac51072605f39")
	plan, err := policy.Compile(account, user01, []policy.Grant{g}, nil, quotas, noon)
	if err != nil {
		f.Fatal(err)
	}
	doc := plan.Documents[0]
	f.Add(doc)
	f.Add(strings.Replace(doc, `"Sid":"Start",`, ``, 1))
	f.Add(strings.Replace(doc, `"Effect":"Allow",`, `"Effect":"Deny",`, 1))
	f.Add(strings.Replace(doc, `"Resource":"*"`, `"Resource":"*","resource":"x"`, 1))
	f.Add(strings.Replace(doc, `"Resource":[`, `"Resource":"*","Resource":[`, 1))
	f.Add(strings.Replace(doc, `{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}`, `{}`, 1))
	f.Add(strings.Replace(doc, `2012-10-17`, `2008-10-17`, 1))
	f.Add(doc + "{}")
	f.Add("{}")
	f.Add("null")
	f.Add(`{"Version":"2012-10-17","Statement":[]}`)
	f.Fuzz(func(t *testing.T, held string) {
		got, err := policy.Compile(account, user01, []policy.Grant{g}, []string{held}, quotas, noon)
		if err != nil || len(got.Documents) != 1 || got.Documents[0] != doc || len(got.Writes) > 1 {
			t.Fatalf("held %q: %+v, %v", held, got, err)
		}
		if len(got.Writes) == 0 && reformatted(t, held) != reformatted(t, doc) {
			t.Fatalf("left as it is: %s", held)
		}
	})
}

func control(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' && r != '\r' }

// reformatted returns the same document with white space, and with other escapes
// where the encoder likes them.
func reformatted(t *testing.T, doc string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
