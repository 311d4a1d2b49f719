package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestWhatCannotBeRenderedSafelyIsRefused(t *testing.T) {
	const key = "arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555"
	tags := func(tags map[string]string) func(*policy.Grant) {
		return func(g *policy.Grant) { g.Targets[0].Tags = tags }
	}
	ids := func(ids ...string) func(*policy.Grant) {
		return func(g *policy.Grant) { g.Targets[0].InstanceIDs = ids }
	}
	regions := func(regions ...string) func(*policy.Grant) {
		return func(g *policy.Grant) { g.Regions = regions }
	}
	docs := func(name, key string) func(*policy.Grant) {
		return func(g *policy.Grant) { g.Documents = []policy.Document{{Name: name, KMSKeyARN: key}} }
	}
	sources := func(s string) func(*policy.Grant) { return func(g *policy.Grant) { g.SourceCIDRs = []string{s} } }
	for name, change := range map[string]func(*policy.Grant){
		"no target":                  func(g *policy.Grant) { g.Targets = nil },
		"a target of nothing":        func(g *policy.Grant) { g.Targets = append(g.Targets, policy.Target{}) },
		"a wildcard for an id":       ids("i-*"),
		"all instances":              ids("*"),
		"an empty id":                ids(""),
		"a short id":                 ids("i-051cac5"),
		"upper-case digits":          ids("i-051CAC51072605F39"),
		"an old id of a hybrid node": ids("mi-12345678"),
		"an ARN for an id":           ids("arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39"),
		"a line feed after an id":    ids("i-051cac51072605f39\n"),
		"a quote in an id":           ids(`i-051cac51072605f3"`),
		"instances without end": func(g *policy.Grant) {
			g.Targets[0].InstanceIDs, g.Regions = many(5001), []string{"ap-northeast-1", "us-east-1"}
		},
		"hybrid nodes of a region that is not granted": func(g *policy.Grant) {
			g.Targets[0] = policy.Target{Tags: map[string]string{"Env": "stg"}, HybridIn: "us-east-1"}
		},
		"hybrid nodes without tags":     func(g *policy.Grant) { g.Targets[0] = policy.Target{HybridIn: "ap-northeast-1"} },
		"ids limited to hybrid nodes":   func(g *policy.Grant) { g.Targets[0].HybridIn = "ap-northeast-1" },
		"an empty tag key":              tags(map[string]string{"": "x"}),
		"a wildcard in a tag key":       tags(map[string]string{"Env*": "x"}),
		"a variable in a tag key":       tags(map[string]string{"${aws:username}": "x"}),
		"a quote in a tag key":          tags(map[string]string{`E"`: "x"}),
		"a tag key too long":            tags(map[string]string{strings.Repeat("k", 129): "x"}),
		"tag keys that differ in case":  tags(map[string]string{"Env": "x", "eNV": "x"}),
		"a control character in a tag":  tags(map[string]string{"Env": "x\x00"}),
		"a tag value that is not UTF-8": tags(map[string]string{"Env": "\xff"}),
		"a tag value too long":          tags(map[string]string{"Env": strings.Repeat("値", 257)}),
		"no region":                     regions(),
		"an empty region":               regions(""),
		"a wildcard for a region":       regions("*"),
		"a region in capitals":          regions("AP-NORTHEAST-1"),
		"a region with a colon":         regions("ap-northeast-1:"),
		"no document":                   func(g *policy.Grant) { g.Documents = nil },
		"a wildcard for a document":     docs("*", ""),
		"a document's ARN":              docs("arn:aws:ssm:ap-northeast-1:488821267897:document/x", ""),
		"a variable for a document":     docs("${aws:username}", ""),
		"a document name too short":     docs("ab", ""),
		"a document name too long":      docs(strings.Repeat("d", 129), ""),
		"an alias for a key":            docs("audited", "arn:aws:kms:ap-northeast-1:488821267897:alias/ssm"),
		"all keys":                      docs("audited", "arn:aws:kms:ap-northeast-1:488821267897:key/*"),
		"a key of all accounts":         docs("audited", strings.Replace(key, "488821267897", "*", 1)),
		"a key of another partition":    docs("audited", strings.Replace(key, "aws", "aws-cn", 1)),
		"a key by its id":               docs("audited", "11111111-2222-3333-4444-555555555555"),
		"a client we do not know":       func(g *policy.Grant) { g.Clients = []policy.Client{"Browser"} },
		"a scope we do not know":        func(g *policy.Grant) { g.OwnSessions = "Everybody" },
		"a channel we do not know":      func(g *policy.Grant) { g.DataChannel = "World" },
		"an end before the beginning":   func(g *policy.Grant) { g.NotBefore, g.NotAfter = noon.Add(2*time.Hour), noon.Add(time.Hour) },
		"a year of five digits":         func(g *policy.Grant) { g.NotAfter = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"an address for a range":        sources("203.0.113.1"),
		"a range of 33 bits":            sources("203.0.113.0/33"),
		"an IPv4 range written as IPv6": sources("::ffff:203.0.113.0/120"),
		"any text for a range":          sources("everywhere"),
	} {
		t.Run(name, func(t *testing.T) {
			g := onInstances("bad", "i-051cac51072605f39")
			change(&g)
			plan, err := policy.Compile(account, user01, []policy.Grant{g}, nil, quotas, noon)
			var invalid *policy.InvalidError
			if !errors.As(err, &invalid) || invalid.Grant != "bad" || invalid.Field == "" || invalid.Reason == "" {
				t.Fatalf("error is %v", err)
			}
			if len(plan.Documents) != 0 || len(plan.Writes) != 0 || !slices.Equal(plan.Incomplete, []string{"bad"}) {
				t.Errorf("it is rendered: %+v", plan)
			}
			if !strings.Contains(err.Error(), invalid.Field) || !strings.Contains(err.Error(), invalid.Reason) {
				t.Errorf("message is %q", err)
			}
			over := g
			over.NotBefore, over.NotAfter = time.Time{}, noon
			if _, err := policy.Compile(account, user01, []policy.Grant{over}, nil, quotas, noon); err != nil {
				t.Errorf("what is over is still complained about: %v", err)
			}
		})
	}
}

func TestFrameOfACompilationIsChecked(t *testing.T) {
	held := compiled(t, user01, onInstances("a", "i-051cac51072605f39"))
	for name, tc := range map[string]struct {
		account   policy.Account
		principal policy.Principal
		quotas    policy.Quotas
	}{
		"an account of 11 digits": {policy.Account{ID: "48882126789", Partition: "aws"}, user01, quotas},
		"all accounts":            {policy.Account{ID: "*", Partition: "aws"}, user01, quotas},
		"no partition":            {policy.Account{ID: "488821267897"}, user01, quotas},
		"all partitions":          {policy.Account{ID: "488821267897", Partition: "*"}, user01, quotas},
		"no kind":                 {account, policy.Principal{Name: "user01"}, quotas},
		"no name":                 {account, policy.Principal{Kind: policy.User}, quotas},
		"an ARN for a name":       {account, policy.Principal{Kind: policy.User, Name: "arn:aws:iam::488821267897:user/user01"}, quotas},
		"a name too long":         {account, policy.Principal{Kind: policy.Role, Name: strings.Repeat("r", 65)}, quotas},
		"no size":                 {account, user01, policy.Quotas{Policies: 10}},
		"less than no policies":   {account, user01, policy.Quotas{PolicySize: 6144, Policies: -2}},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := policy.Compile(tc.account, tc.principal, nil, held, tc.quotas, noon)
			var invalid *policy.InvalidError
			if !errors.As(err, &invalid) || invalid.Grant != "" {
				t.Errorf("error is %v", err)
			}
			if plan.Documents != nil || plan.Writes != nil {
				t.Errorf("there is a plan: %+v", plan)
			}
		})
	}
}

func TestGrantIsActiveFromItsBeginningUntilBeforeItsEnd(t *testing.T) {
	hour := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	for _, tc := range []struct {
		from, until     time.Time
		active, expired bool
	}{
		{time.Time{}, time.Time{}, true, false},
		{noon, hour(1), true, false},
		{hour(1), hour(2), false, false},
		{hour(-2), hour(-1), false, true},
		{hour(-1), noon, false, true},
	} {
		g := policy.Grant{NotBefore: tc.from, NotAfter: tc.until}
		if g.Active(noon) != tc.active || g.Expired(noon) != tc.expired {
			t.Errorf("%v: active %t, expired %t", tc, g.Active(noon), g.Expired(noon))
		}
	}
}
