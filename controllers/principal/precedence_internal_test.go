package principal

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
)

const here, there = "111111111111", "222222222222"

func user(account, name string) grants.PrincipalKey {
	return grants.PrincipalKeyOf(account, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: name})
}

func TestGrantsWaitUntilEveryRevocationOfTheirAccountWasTried(t *testing.T) {
	t.Parallel()
	a, b, grant := user(here, "a"), user(here, "b"), user(here, "c")
	var p precedence
	if p.hold(grant) {
		t.Error("a grant waits, and nothing is to be revoked")
	}
	p.expect(here, []grants.PrincipalKey{a, b})
	if p.hold(user(there, "c")) {
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
	if free := p.tried(b); !slices.Equal(free, []grants.PrincipalKey{grant}) {
		t.Errorf("%v go when all were tried, want %v", free, grant)
	}
	if p.hold(grant) || len(p.tried(b)) != 0 {
		t.Error("a grant waits although all were tried")
	}
}

func TestARevocationThatIsGoneHoldsNoGrant(t *testing.T) {
	t.Parallel()
	var p precedence
	gone, grant := user(here, "gone"), user(here, "c")
	p.expect(here, []grants.PrincipalKey{gone})
	if !p.hold(grant) {
		t.Fatal("a grant does not wait")
	}
	// The account was lost before it was tried, and is verified again.
	if free := p.expect(here, nil); !slices.Equal(free, []grants.PrincipalKey{grant}) {
		t.Errorf("%v go when the revocation is gone, want %v", free, grant)
	}
	if p.hold(grant) {
		t.Error("a grant waits for a revocation that is gone")
	}
}

func TestARevocationInAFormerAccountHoldsNoGrantThere(t *testing.T) {
	t.Parallel()
	var p precedence
	p.expect(here, []grants.PrincipalKey{user(there, "a")})
	if p.hold(user(here, "c")) || p.hold(user(there, "c")) {
		t.Error("a grant waits for what another account's turn is")
	}
}
