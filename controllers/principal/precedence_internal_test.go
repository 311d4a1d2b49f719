package principal

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
)

func TestGrantsWaitUntilEveryRevocationOfTheirAccountWasTried(t *testing.T) {
	t.Parallel()
	key := func(account, name string) outcome.Key {
		return outcome.KeyOf(account, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: name})
	}
	const here, there = "111111111111", "222222222222"
	a, b, grant := key(here, "a"), key(here, "b"), key(here, "c")
	var p precedence
	if p.hold(grant) {
		t.Error("a grant waits, and nothing is to be revoked")
	}
	p.expect(a, b)
	if p.hold(key(there, "c")) {
		t.Error("a grant waits for the revocations of another account")
	}
	for range 2 { // It is returned once, however often it comes.
		if !p.hold(grant) {
			t.Error("a grant does not wait")
		}
	}
	if free := p.tried(a); len(free) != 0 || !p.hold(grant) {
		t.Errorf("%v go while a revocation is still to be tried", free)
	}
	if free := p.tried(b); !slices.Equal(free, []outcome.Key{grant}) {
		t.Errorf("%v go when all were tried, want %v", free, grant)
	}
	if p.hold(grant) || len(p.tried(b)) != 0 {
		t.Error("a grant waits although all were tried")
	}
}
