package policy_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestOfAGrantThatIsHeldOnlyNothingIsAdded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	account, user := policy.Account{ID: "488821267897", Partition: "aws"}, policy.Principal{Kind: policy.User, Name: "user01"}
	quotas := policy.Quotas{PolicySize: 6144, Policies: 10}
	grant := func(id string, heldOnly bool, nodes ...string) policy.Grant {
		return policy.Grant{
			ID: id, HeldOnly: heldOnly, Regions: []string{"ap-northeast-1"},
			Targets: []policy.Target{{InstanceIDs: nodes}}, Documents: []policy.Document{{Name: policy.DefaultDocument}},
		}
	}
	compile := func(held []string, grants ...policy.Grant) policy.Plan {
		t.Helper()
		plan, err := policy.Compile(account, user, grants, held, quotas, now)
		if err != nil {
			t.Fatal(err)
		}
		return plan
	}
	const one, two, three = "i-0aaaaaaaaaaaaaaa1", "i-0aaaaaaaaaaaaaaa2", "i-0aaaaaaaaaaaaaaa3"
	documents := func(grants ...policy.Grant) []string { return compile(nil, grants...).Documents }
	for name, c := range map[string]struct {
		held   []string
		grants []policy.Grant
		want   []string
	}{
		"nothing is held":          {nil, []policy.Grant{grant("a", true, one)}, nil},
		"all of it is held":        {documents(grant("a", false, one)), []policy.Grant{grant("a", true, one)}, documents(grant("a", false, one))},
		"a part of it is held":     {documents(grant("a", false, one)), []policy.Grant{grant("a", true, one, two)}, documents(grant("a", false, one))},
		"more is held":             {documents(grant("a", false, one, three)), []policy.Grant{grant("a", true, one, two)}, documents(grant("a", false, one))},
		"beside one that is given": {documents(grant("a", false, one)), []policy.Grant{grant("a", true, one, two), grant("b", false, three)}, documents(grant("a", false, one, three))},
		"what another one gives":   {nil, []policy.Grant{grant("a", true, one, two), grant("b", false, two)}, documents(grant("b", false, two))},
		"something else is held":   {documents(grant("b", false, three)), []policy.Grant{grant("a", true, one), grant("b", false, three)}, documents(grant("b", false, three))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := compile(c.held, c.grants...)
			if len(got.Documents) != len(c.want) || len(c.want) > 0 && got.Documents[0] != c.want[0] {
				t.Errorf("got  %v\nwant %v", got.Documents, c.want)
			}
		})
	}
}
