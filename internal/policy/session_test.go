package policy_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestSessionsThatAGrantCovers(t *testing.T) {
	const node = "i-051cac51072605f39"
	grant := onInstances("a", node)
	tagGrant := onInstances("b")
	tagGrant.Targets[0].Tags = map[string]string{"Env": "stg", "Role": "web"}
	both := onInstances("c", node)
	both.Targets[0].Tags = map[string]string{"Env": "stg"}
	ssh := onInstances("d", node)
	ssh.Documents = []policy.Document{{Name: "AWS-StartSSHSession"}}
	nothing := onInstances("e")
	except := onInstances("g", node)
	except.Excluded = []policy.ExcludedTag{{Key: "Tier", Values: []string{"bastion", "payment"}}}
	site := onInstances("f")
	site.Targets[0] = policy.Target{Tags: map[string]string{"Env": "stg"}, HybridIn: "ap-northeast-1"}
	onSite := func(id, region string) func(s *policy.Session) {
		return func(s *policy.Session) { s.Target, s.Region, s.Tags = id, region, map[string]string{"Env": "stg"} }
	}
	wideSite := site
	wideSite.Regions = []string{"ap-northeast-1", "us-east-1"}
	users := []policy.Principal{user01, {Kind: policy.Group, Name: "ops"}, {Kind: policy.Role, Name: "Deploy"}, {Kind: policy.PermissionSet, Name: "Ops"}}
	session := func(change func(s *policy.Session)) policy.Session {
		s := policy.Session{Owner: "arn:aws:iam::488821267897:user/user01", Target: node, Region: "ap-northeast-1"}
		change(&s)
		return s
	}
	for name, tc := range map[string]struct {
		grant  policy.Grant
		change func(s *policy.Session)
		want   bool
	}{
		"on a node of the activation":              {site, onSite("mi-0a1b2c3d4e5f60718", "ap-northeast-1"), true},
		"on an instance with the activation's tag": {site, onSite(node, "ap-northeast-1"), false},
		"on such a node of another region":         {wideSite, onSite("mi-0a1b2c3d4e5f60718", "us-east-1"), false},
		"the user's own":                           {grant, func(*policy.Session) {}, true},
		"a name in another case":                   {grant, func(s *policy.Session) { s.Owner = "arn:aws:iam::488821267897:user/x/USER01" }, true},
		"another user's":                           {grant, func(s *policy.Session) { s.Owner = "arn:aws:iam::488821267897:user/user011" }, false},
		"a group member's": {grant, func(s *policy.Session) {
			s.Owner, s.OwnerGroups = "arn:aws:iam::488821267897:user/user02", []string{"dev", "Ops"}
		}, true},
		"another group's member's": {grant, func(s *policy.Session) {
			s.Owner, s.OwnerGroups = "arn:aws:iam::488821267897:user/user02", []string{"dev"}
		}, false},
		"a role named like the user": {grant, func(s *policy.Session) { s.Owner = "arn:aws:sts::488821267897:assumed-role/user01/user01" }, false},
		"the role's":                 {grant, func(s *policy.Session) { s.Owner = "arn:aws:sts::488821267897:assumed-role/deploy/user09" }, true},
		"a role's, with a group's name": {grant, func(s *policy.Session) {
			s.Owner, s.OwnerGroups = "arn:aws:sts::488821267897:assumed-role/x/y", []string{"ops"}
		}, false},
		"the permission set's": {grant, func(s *policy.Session) {
			s.Owner = "arn:aws:sts::488821267897:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/al"
		}, true},
		"another account's":         {grant, func(s *policy.Session) { s.Owner = "arn:aws:iam::000000000001:user/user01" }, false},
		"root's":                    {grant, func(s *policy.Session) { s.Owner = "arn:aws:iam::488821267897:root" }, false},
		"on another node":           {grant, func(s *policy.Session) { s.Target = "i-0ee187d8794b12114" }, false},
		"in another region":         {grant, func(s *policy.Session) { s.Region = "us-east-1" }, false},
		"with the document by name": {grant, func(s *policy.Session) { s.Document = "SSM-SessionManagerRunShell" }, true},
		"with the document by ARN": {grant, func(s *policy.Session) {
			s.Document = "arn:aws:ssm:ap-northeast-1:488821267897:document/SSM-SessionManagerRunShell"
		}, true},
		"with another account's document": {grant, func(s *policy.Session) {
			s.Document = "arn:aws:ssm:ap-northeast-1:000000000001:document/SSM-SessionManagerRunShell"
		}, false},
		"with another document":              {grant, func(s *policy.Session) { s.Document = "AWS-StartSSHSession" }, false},
		"with AWS's document":                {ssh, func(s *policy.Session) { s.Document = "AWS-StartSSHSession" }, true},
		"with AWS's document by ARN":         {ssh, func(s *policy.Session) { s.Document = "arn:aws:ssm:ap-northeast-1::document/AWS-StartSSHSession" }, true},
		"with no document where one is":      {ssh, func(*policy.Session) {}, false},
		"on a node with all tags":            {tagGrant, func(s *policy.Session) { s.Tags = map[string]string{"env": "stg", "Role": "web", "X": "y"} }, true},
		"on a node with one of two tags":     {tagGrant, func(s *policy.Session) { s.Tags = map[string]string{"Env": "stg"} }, false},
		"on a node with another value":       {tagGrant, func(s *policy.Session) { s.Tags = map[string]string{"Env": "STG", "Role": "web"} }, false},
		"on a node with the id and tags":     {both, func(s *policy.Session) { s.Tags = map[string]string{"Env": "stg"} }, true},
		"on a node with the id, untagged":    {both, func(*policy.Session) {}, false},
		"on another node, tagged the same":   {both, func(s *policy.Session) { s.Target, s.Tags = "i-12345678", map[string]string{"Env": "stg"} }, false},
		"on a node without the excluded tag": {except, func(s *policy.Session) { s.Tags = map[string]string{"Env": "stg"} }, true},
		"on a node with another value of it": {except, func(s *policy.Session) { s.Tags = map[string]string{"Tier": "web"} }, true},
		"on a node with an excluded value":   {except, func(s *policy.Session) { s.Tags = map[string]string{"Tier": "payment"} }, false},
		"on a node with it in another case":  {except, func(s *policy.Session) { s.Tags = map[string]string{"tier": "bastion"} }, false},
		"of a grant on nothing":              {nothing, func(*policy.Session) {}, false},
	} {
		if got := policy.Covers(account, tc.grant, users, session(tc.change)); got != tc.want {
			t.Errorf("a session %s: covered %t, want %t", name, got, tc.want)
		}
	}
}
