package policy_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

var (
	account = policy.Account{ID: "488821267897", Partition: "aws"}
	user01  = policy.Principal{Kind: policy.User, Name: "user01"}
	quotas  = policy.Quotas{PolicySize: 6144, Policies: 10}
	noon    = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

// onInstances is a grant with everything at its default.
func onInstances(id string, instances ...string) policy.Grant {
	return policy.Grant{
		ID:        id,
		Targets:   []policy.Target{{InstanceIDs: instances}},
		Regions:   []string{"ap-northeast-1"},
		Documents: []policy.Document{{Name: policy.DefaultDocument}},
		Clients:   []policy.Client{policy.SessionManagerConsole, policy.CLI},
	}
}

func compiled(t *testing.T, p policy.Principal, grants ...policy.Grant) []string {
	t.Helper()
	plan, err := policy.Compile(account, p, grants, nil, quotas, noon)
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return plan.Documents
}

// one returns the only document of the grants.
func one(t *testing.T, p policy.Principal, grants ...policy.Grant) string {
	t.Helper()
	docs := compiled(t, p, grants...)
	if len(docs) != 1 {
		t.Fatalf("%d documents, want 1: %q", len(docs), docs)
	}
	return docs[0]
}

// discoverS1 and the others are the statements of the user of the first scenario.
const (
	discoverS1 = `{"Sid":"Discover","Effect":"Allow","Action":["ec2:DescribeInstances","ssm:DescribeInstanceProperties","ssm:DescribeSessions","ssm:GetConnectionStatus"],"Resource":"*"}`
	startS1    = `{"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39","arn:aws:ssm:ap-northeast-1:488821267897:document/SSM-SessionManagerRunShell"],"Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"},` + namedUser + `}}`
	ownS1      = `{"Sid":"OwnSessions","Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],"Resource":"arn:aws:ssm:*:488821267897:session/${aws:username}-*","Condition":{` + namedUser + `}}`
	channelS1  = `{"Sid":"DataChannel","Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":["arn:aws:ssm:*:488821267897:session/${aws:username}-*","arn:aws:ssm:*:488821267897:session/${aws:userid}-*"],"Condition":{` + namedUser + `}}`
	// namedUser keeps out federated tokens of the user.
	namedUser = `"Null":{"aws:username":"false"}`
)

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func TestUserWithOneInstanceGetsTheDocumentOfTheScenario(t *testing.T) {
	want := document(discoverS1, startS1, ownS1, channelS1)
	if got := one(t, user01, onInstances("a", "i-051cac51072605f39")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStatementsOfEachShape(t *testing.T) {
	const (
		discoverCLI   = `{"Sid":"Discover","Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"`
		ownTagOfRole  = `{"Sid":"OwnSessions","Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],"Resource":"arn:aws:ssm:*:488821267897:session/*","Condition":{"StringEquals":{"ssm:resourceTag/aws:ssmmessages:session-id":"${aws:userid}"}}}`
		channelOfRole = `{"Sid":"DataChannel","Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":"arn:aws:ssm:*:488821267897:session/*"}`
		startOfRole   = `{"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39","arn:aws:ssm:ap-northeast-1:488821267897:document/SSM-SessionManagerRunShell"],"Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"}}}`
		ownTag        = `{"Sid":"OwnSessions","Effect":"Allow","Action":["ssm:ResumeSession","ssm:TerminateSession"],"Resource":"arn:aws:ssm:*:488821267897:session/*","Condition":{` + namedUser + `,"StringEquals":{"ssm:resourceTag/aws:ssmmessages:session-id":"${aws:userid}"}}}`
		channelAll    = `{"Sid":"DataChannel","Effect":"Allow","Action":"ssmmessages:OpenDataChannel","Resource":"arn:aws:ssm:*:488821267897:session/*","Condition":{` + namedUser + `}}`
		docCheck      = `"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"},` + namedUser
		startDoc      = `{"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ssm:ap-northeast-1:488821267897:document/SSM-SessionManagerRunShell","Condition":{` + docCheck + `}}`
	)
	grant := func(change func(g *policy.Grant)) policy.Grant {
		g := onInstances("a", "i-051cac51072605f39")
		change(&g)
		return g
	}
	for name, tc := range map[string]struct {
		principal policy.Principal
		grant     policy.Grant
		want      string
	}{
		"a role's own sessions are known by their owner tag": {
			policy.Principal{Kind: policy.Role, Name: "ops"},
			grant(func(*policy.Grant) {}),
			document(discoverS1, startOfRole, ownTagOfRole, channelOfRole),
		},
		"a permission set's own sessions are known by their owner tag": {
			policy.Principal{Kind: policy.PermissionSet, Name: "Ops"},
			grant(func(*policy.Grant) {}),
			document(discoverS1, startOfRole, ownTagOfRole, channelOfRole),
		},
		"a group's members are users": {
			policy.Principal{Kind: policy.Group, Name: "ops"},
			grant(func(*policy.Grant) {}),
			document(discoverS1, startS1, ownS1, channelS1),
		},
		"a user with scope OwnerTag": {
			user01,
			grant(func(g *policy.Grant) { g.OwnSessions = policy.OwnerTag }),
			document(discoverS1, startS1, ownTag, channelAll),
		},
		"a data channel for the whole account": {
			user01,
			grant(func(g *policy.Grant) { g.DataChannel = policy.DataChannelAccount }),
			document(discoverS1, startS1, ownS1, channelAll),
		},
		"the EC2 console reads one thing more": {
			user01,
			grant(func(g *policy.Grant) { g.Clients = []policy.Client{policy.EC2Console} }),
			document(`{"Sid":"Discover","Effect":"Allow","Action":["ec2:DescribeInstances","ssm:DescribeInstanceInformation","ssm:DescribeInstanceProperties","ssm:DescribeSessions","ssm:GetConnectionStatus"],"Resource":"*"}`, startS1, ownS1, channelS1),
		},
		"the CLI alone": {
			user01,
			grant(func(g *policy.Grant) { g.Clients = []policy.Client{policy.CLI} }),
			document(discoverCLI+`}`, startS1, ownS1, channelS1),
		},
		"tags are a condition that documents do not share": {
			user01,
			grant(func(g *policy.Grant) {
				g.Targets = []policy.Target{{Tags: map[string]string{"Role": "web", "Env": "stg"}}}
			}),
			document(discoverS1, startDoc,
				`{"Sid":"Start2","Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:ap-northeast-1:488821267897:instance/*","arn:aws:ssm:ap-northeast-1:488821267897:managed-instance/*"],"Condition":{`+docCheck+`,"StringEquals":{"ssm:resourceTag/Env":"stg","ssm:resourceTag/Role":"web"}}}`,
				ownS1, channelS1),
		},
		"the nodes of an activation are no instances, and of its region alone": {
			user01,
			grant(func(g *policy.Grant) {
				g.Targets = []policy.Target{{Tags: map[string]string{"ssm-access.dev/activation": "0a1b"}, HybridIn: "ap-northeast-1"}}
				g.Regions = []string{"ap-northeast-1", "us-east-1"}
			}),
			document(discoverS1,
				`{"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ssm:ap-northeast-1:488821267897:document/SSM-SessionManagerRunShell","arn:aws:ssm:us-east-1:488821267897:document/SSM-SessionManagerRunShell"],"Condition":{`+docCheck+`}}`,
				`{"Sid":"Start2","Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ssm:ap-northeast-1:488821267897:managed-instance/*","Condition":{`+docCheck+`,"StringEquals":{"ssm:resourceTag/ssm-access.dev/activation":"0a1b"}}}`,
				ownS1, channelS1),
		},
		"ids with tags must have both": {
			user01,
			grant(func(g *policy.Grant) {
				g.Targets = []policy.Target{{InstanceIDs: []string{"mi-0123456789abcdef0"}, Tags: map[string]string{"Env": "stg"}}}
			}),
			document(discoverS1, startDoc,
				`{"Sid":"Start2","Effect":"Allow","Action":"ssm:StartSession","Resource":"arn:aws:ssm:ap-northeast-1:488821267897:managed-instance/mi-0123456789abcdef0","Condition":{`+docCheck+`,"StringEquals":{"ssm:resourceTag/Env":"stg"}}}`,
				ownS1, channelS1),
		},
		"AWS's documents have no account, keys go with their documents": {
			user01,
			grant(func(g *policy.Grant) {
				g.Documents = []policy.Document{
					{Name: "AWS-StartSSHSession"},
					{Name: "audited", KMSKeyARN: "arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555"},
					{Name: "audited", KMSKeyARN: "arn:aws:kms:us-east-1:488821267897:key/99999999-2222-3333-4444-555555555555"},
				}
			}),
			document(discoverS1,
				`{"Sid":"Start","Effect":"Allow","Action":"ssm:StartSession","Resource":["arn:aws:ec2:ap-northeast-1:488821267897:instance/i-051cac51072605f39","arn:aws:ssm:ap-northeast-1:488821267897:document/audited","arn:aws:ssm:ap-northeast-1::document/AWS-StartSSHSession"],"Condition":{`+docCheck+`}}`,
				ownS1, channelS1,
				`{"Sid":"SessionKey","Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555","Condition":{`+namedUser+`}}`),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := one(t, tc.principal, tc.grant); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestEveryStatementCarriesTheConditionsOfItsGrant(t *testing.T) {
	g := onInstances("a", "i-051cac51072605f39")
	g.Clients = []policy.Client{policy.CLI}
	g.RequireMFA = true
	g.NotBefore = time.Date(2026, 12, 1, 9, 0, 0, 1, time.FixedZone("JST", 9*3600))
	g.NotAfter = time.Date(2027, 1, 1, 0, 0, 0, 999, time.UTC)
	g.SourceCIDRs = []string{"203.0.113.77/24", "2001:DB8::/32", "198.51.100.0/24", "203.0.113.0/24"}
	const (
		before = `"Bool":{"aws:MultiFactorAuthPresent":"true"}`
		after  = `"DateGreaterThan":{"aws:CurrentTime":"2026-12-01T00:00:01Z"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"},"IpAddress":{"aws:SourceIp":["198.51.100.0/24","2001:db8::/32","203.0.113.0/24"]}`
		plain  = `,"Condition":{` + before + `,` + after + `}}`
		user   = `,"Condition":{` + before + `,` + after + `,` + namedUser + `}}`
	)
	want := document(
		`{"Sid":"Discover","Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"`+plain,
		strings.Replace(startS1, `"Condition":{"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"},`+namedUser+`}}`,
			`"Condition":{`+before+`,"BoolIfExists":{"ssm:SessionDocumentAccessCheck":"true"},`+after+`,`+namedUser+`}}`, 1),
		strings.Replace(ownS1, `,"Condition":{`+namedUser+`}}`, user, 1),
		strings.Replace(channelS1, `,"Condition":{`+namedUser+`}}`, user, 1),
	)
	if got := one(t, user01, g); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGrantsWithEqualConditionsShareStatements(t *testing.T) {
	a, b, c := onInstances("a", "i-051cac51072605f39"), onInstances("b", "i-051cac51072605f39"), onInstances("c", "i-0ee187d8794b12114")
	c.NotAfter = noon.Add(time.Hour)
	docs := one(t, user01, a, b, c)
	for sid, n := range map[string]int{`"Discover"`: 1, `"Discover2"`: 1, `"Start"`: 1, `"Start2"`: 1, `"Start3"`: 0, `"OwnSessions2"`: 1, `"DataChannel2"`: 1} {
		if got := strings.Count(docs, `"Sid":`+sid); got != n {
			t.Errorf("%d statements %s, want %d", got, sid, n)
		}
	}
	if got := strings.Count(docs, "i-051cac51072605f39"); got != 1 {
		t.Errorf("an instance of two grants stands %d times, want once", got)
	}
}

func TestExpiredGrantIsLeftOutAndFutureOneStays(t *testing.T) {
	past, future := onInstances("past", "i-051cac51072605f39"), onInstances("future", "i-0ee187d8794b12114")
	past.NotAfter = noon
	future.NotBefore = noon.Add(time.Hour)
	doc := one(t, user01, past, future)
	if strings.Contains(doc, "i-051cac51072605f39") || !strings.Contains(doc, "i-0ee187d8794b12114") {
		t.Errorf("unexpected document %s", doc)
	}
	if !strings.Contains(doc, `"aws:CurrentTime":"2026-11-22T13:00:00Z"`) {
		t.Errorf("the beginning is not a condition: %s", doc)
	}
	plan, err := policy.Compile(account, user01, []policy.Grant{past}, []string{doc}, quotas, noon)
	if err != nil || !slices.Equal(plan.Documents, []string{""}) || !slices.Equal(plan.Writes, []policy.Write{{Shard: 1, Narrows: true}}) {
		t.Errorf("the last policy is not deleted: %+v, %v", plan, err)
	}
}

func TestInvalidGrantIsLeftOutAndTheOthersAreCompiled(t *testing.T) {
	good, bad := onInstances("good", "i-051cac51072605f39"), onInstances("bad", "i-*")
	plan, err := policy.Compile(account, user01, []policy.Grant{bad, good}, nil, quotas, noon)
	var invalid *policy.InvalidError
	if !errors.As(err, &invalid) || invalid.Grant != "bad" || invalid.Value != "i-*" {
		t.Fatalf("error is %v", err)
	}
	if want := one(t, user01, good); !slices.Equal(plan.Documents, []string{want}) {
		t.Errorf("got %q, want %q", plan.Documents, want)
	}
	if !slices.Equal(plan.Incomplete, []string{"bad"}) {
		t.Errorf("incomplete are %q", plan.Incomplete)
	}
}

func TestNothingGrantedIsNoPolicy(t *testing.T) {
	plan, err := policy.Compile(account, user01, nil, nil, quotas, noon)
	if err != nil || len(plan.Documents) != 0 || len(plan.Writes) != 0 {
		t.Errorf("got %+v, %v", plan, err)
	}
}
