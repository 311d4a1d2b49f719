package policy

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// FuzzScanHeld shows that the fast reader and the thorough one say the same.
func FuzzScanHeld(f *testing.F) {
	acct, p := Account{ID: "488821267897", Partition: "aws"}, Principal{User, "user01"}
	grants := []Grant{
		{
			ID: "a", Targets: []Target{{InstanceIDs: []string{"i-051cac51072605f39", "mi-0123456789abcdef0"}}},
			Regions: []string{"ap-northeast-1"}, Documents: []Document{{Name: DefaultDocument}}, Clients: []Client{CLI},
		},
		{
			ID: "b", Targets: []Target{{Tags: map[string]string{"Env": "営業 é\"$"}}}, Regions: []string{"ap-northeast-1"},
			Documents: []Document{{Name: "audited", KMSKeyARN: "arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555"}},
			Clients:   []Client{EC2Console}, RequireMFA: true, SourceCIDRs: []string{"203.0.113.0/24", "198.51.100.0/24"},
		},
	}
	want := collect(acct, p, []*Grant{&grants[0], &grants[1]})
	for _, g := range [][]Grant{grants, grants[:1], grants[1:]} {
		plan, err := Compile(acct, p, g, nil, Quotas{PolicySize: 1 << 20, Policies: 1}, time.Time{})
		if err != nil {
			f.Fatal(err)
		}
		doc := plan.Documents[0]
		if h, ok := scanHeld(want, doc); !ok || h.foreign || h.canonical != doc {
			f.Fatalf("our own document is not recognised: %s", doc)
		}
		f.Add(doc)
		for _, change := range []string{
			`Start2→Start3`, `Start→Begin`, `"Allow"→"Deny"`, `"i-0→"i-1`, `instance/i-051cac51072605f39→instance/*`, `]→`, `"]→"],`, `"true"→"false"`,
			`"Resource"→"NotResource"`, `,"Resource→, "Resource`, `ssm:StartSession"→ssm:*"`, `["arn→["","arn`, `}}→}`, `,{→{`, `\u→\U`,
			`"arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555"→["arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555"]`,
			`"arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39",→`,
		} {
			from, to, _ := strings.Cut(change, "→")
			f.Add(strings.Replace(doc, from, to, 1))
			f.Add(strings.ReplaceAll(doc, from, to))
		}
	}
	f.Fuzz(func(t *testing.T, document string) {
		fast, ok := scanHeld(want, document)
		if !ok {
			return
		}
		slow := readHeld(want, document)
		if fast.foreign { // then it is written whatever it looks like
			slow.canonical = fast.canonical
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Errorf("%s\nfast %+v\nslow %+v", document, fast, slow)
		}
	})
}
