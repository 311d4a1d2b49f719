package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestASharedDocumentIsAllowedInItsRegionAlone(t *testing.T) {
	const shared = "arn:aws:ssm:us-east-1:111122223333:document/Shared-Shell"
	g := onInstances("a", "i-051cac51072605f39")
	g.Regions, g.Documents = []string{"ap-northeast-1", "us-east-1"}, []policy.Document{{Name: shared}}
	for _, kind := range []policy.Kind{policy.User, policy.Group, policy.Role, policy.PermissionSet} {
		text := one(t, policy.Principal{Kind: kind, Name: "ops"}, g)
		if strings.Count(text, ":document/") != 1 || !strings.Contains(text, `"`+shared+`"`) {
			t.Errorf("%s: %s", kind, text)
		}
	}
	acct := policy.Account{ID: "488821267897", Partition: "aws"}
	session := policy.Session{Owner: "arn:aws:iam::488821267897:user/ops", Target: "i-051cac51072605f39", Region: "us-east-1", Document: shared}
	principals := []policy.Principal{{Kind: policy.User, Name: "ops"}}
	if !policy.Covers(acct, g, principals, session) {
		t.Error("a session with the document is not covered")
	}
	session.Document = "Shared-Shell"
	if policy.Covers(acct, g, principals, session) {
		t.Error("a session with the account's own document of that name is covered")
	}
	for _, name := range []string{"arn:aws:ssm:us-east-1:111122223333:document/*", "arn:aws-cn:ssm:us-east-1:111122223333:document/Shell", "arn:aws:ssm:us-east-1::document/Shell"} {
		g.Documents = []policy.Document{{Name: name}}
		if _, err := policy.Compile(acct, principals[0], []policy.Grant{g}, nil, policy.Quotas{PolicySize: 6144, Policies: 10}, time.Time{}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
