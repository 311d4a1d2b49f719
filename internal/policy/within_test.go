package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

func TestADocumentIsWithinAnotherExactlyWhenItAllowsNothingMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawKind(t)
		q := policy.Quotas{PolicySize: 1 << 24, Policies: 1}
		document := func(grants []policy.Grant) string {
			plan, err := policy.Compile(account, p, grants, nil, q, noon)
			if err != nil || len(plan.Documents) == 0 {
				return policy.Nothing
			}
			return plan.Documents[0]
		}
		wide := drawGrants(t, 4)
		narrow := drawGrants(t, 3)
		if rapid.Bool().Draw(t, "less of the same") {
			narrow = narrower(t, wide)
		}
		inner, outer := document(narrow), document(wide)
		want := inner == policy.Nothing || subset(atomsOf(t, inner), atomsOf(t, outer))
		if got := policy.Within(inner, outer); got != want {
			t.Fatalf("within = %t, want %t:\n%s\n%s", got, want, inner, outer)
		}
	})
}

func TestADocumentOfAnotherFormIsWithinItselfAlone(t *testing.T) {
	ours := one(t, user01, onInstances("a", "i-051cac51072605f39"))
	for _, foreign := range []string{
		``, `{}`, `not JSON`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*"}]}`,
	} {
		if policy.Within(foreign, ours) || policy.Within(ours, foreign) {
			t.Errorf("%q and a document in our form are within one another", foreign)
		}
		if !policy.Within(foreign, foreign) {
			t.Errorf("%q is not within itself", foreign)
		}
	}
	if !policy.Within(policy.Nothing, ours) || policy.Within(ours, policy.Nothing) {
		t.Error("a document that allows nothing is not within every other, or bounds one")
	}
}
