package policy_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestOwnerIsReadFromTheSessionsARN(t *testing.T) {
	for arn, want := range map[string]policy.Principal{
		"arn:aws:iam::488821267897:user/user01":                                                          {Kind: policy.User, Name: "user01"},
		"arn:aws:iam::488821267897:user/division/team/user01":                                            {Kind: policy.User, Name: "user01"},
		"arn:aws:iam::488821267897:user/a.b+c=d,e@f-g_h":                                                 {Kind: policy.User, Name: "a.b+c=d,e@f-g_h"},
		"arn:aws:sts::488821267897:assumed-role/ops/alice@example.com":                                   {Kind: policy.Role, Name: "ops"},
		"arn:aws:sts::488821267897:assumed-role/AWSReservedSSO_Ops_Team_0123456789abcdef/alice":          {Kind: policy.PermissionSet, Name: "Ops_Team"},
		"arn:aws:sts::488821267897:assumed-role/AWSReservedSSO_AdministratorAccess_fedcba9876543210/bob": {Kind: policy.PermissionSet, Name: "AdministratorAccess"},
		"arn:aws:sts::488821267897:assumed-role/AWSReservedSSO_Ops/alice":                                {Kind: policy.Role, Name: "AWSReservedSSO_Ops"},
	} {
		if got, ok := policy.OwnerOf(arn); !ok || got != (policy.Owner{Account: account, Principal: want}) {
			t.Errorf("%s is owned by %+v, %t", arn, got, ok)
		}
	}
	if got, ok := policy.OwnerOf("arn:aws-cn:iam::488821267897:user/user01"); !ok || got.Account.Partition != "aws-cn" {
		t.Errorf("got %+v, %t", got, ok)
	}
	for _, arn := range []string{
		"", "user01", "arn:aws:iam::488821267897:root", "arn:aws:iam::488821267897:role/ops", "arn:aws:iam::48882126789:user/user01",
		"arn:aws:sts::488821267897:assumed-role/ops", "arn:aws:sts::488821267897:federated-user/bob", "arn:aws:iam::488821267897:user/",
		"arn:aws:iam::488821267897:user/user01\n", "arn:aws:sts::488821267897:assumed-role/a/b/c",
	} {
		if got, ok := policy.OwnerOf(arn); ok {
			t.Errorf("%q is owned by %+v", arn, got)
		}
	}
}

func TestSessionPrefixOverlapsAreUsersNamedLikeTheUserAndMore(t *testing.T) {
	users := []string{"bob", "bob-smith", "bobby", "bo", "BOB-admin", "alice-bob-x", "bob-", "bob-smith"}
	if got, want := policy.SessionPrefixOverlaps("Bob", users), []string{"BOB-admin", "bob-", "bob-smith"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := policy.SessionPrefixOverlaps("bob-smith", users); len(got) != 0 {
		t.Errorf("got %q, want none", got)
	}
}

func FuzzOwnerOf(f *testing.F) {
	f.Add("arn:aws:iam::488821267897:user/a/user01")
	f.Add("arn:aws:sts::488821267897:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/alice")
	f.Fuzz(func(t *testing.T, arn string) {
		owner, ok := policy.OwnerOf(arn)
		if !ok {
			return
		}
		q := policy.Quotas{PolicySize: 6144, Policies: 1}
		if owner.Principal.Kind == policy.User && len(owner.Principal.Name) <= 64 {
			if _, err := policy.Compile(owner.Account, owner.Principal, nil, nil, q, noon); err != nil {
				t.Errorf("%q is owned by %+v, which is refused: %v", arn, owner, err)
			}
		}
	})
}
