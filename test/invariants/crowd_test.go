package invariants_test

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A tenant who creates thousands of objects makes a backlog, which a neighbour's
// revocation overtakes: it is among the next writes, whatever is in line.
func TestARevocationIsNotHeldUpByACrowdOfObjects(t *testing.T) {
	// The limiter is slow, so that hardly anything of the crowd is written meanwhile.
	const rate, burst, ahead = 10, 10, 50
	crowd := 1_000
	if *whole {
		crowd = 10_000
	}
	h := attacked(t, rate, burst)
	mine := invariants.Access(invariants.Namespace, "mine", grant(people(user("user01")), pc01))
	if err := declare(t.Context(), h, mine); err != nil {
		t.Fatal(err)
	}
	rest(t, h)

	attack(t, h, 0, crowd/2)
	seen := h.LastCall()
	if err := h.Delete(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	attack(t, h, crowd/2, crowd)
	revoked, err := h.WaitCall(t.Context(), seen, func(c calls.Call) bool { return c.Operation == "DetachUserPolicy" })
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for _, call := range h.Emulator.CallLog(seen) {
		if call.Write && call.N < revoked.N {
			before++
		}
	}
	made := h.Emulator.Calls().ByAction["iam:CreatePolicy"]
	t.Logf("%d writes were between the deletion and what it revokes; %d policies were made for %d objects by then", before, made, crowd)
	if made > crowd/2 {
		t.Fatalf("%d policies were made for %d objects: there was no backlog", made, crowd)
	}
	if before > ahead {
		t.Errorf("%d writes came before the revocation, want at most %d", before, ahead)
	}
	if _, err := testenv.WaitFor(t.Context(), h.Client, mine, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Revocation != nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.Observer.Holds(); err != nil {
		t.Error(err)
	}
}

// attack makes a neighbour create objects that need a policy each.
func attack(t *testing.T, h *invariants.Harness, from, to int) {
	t.Helper()
	fast := unlimited(t, h)
	var creating errgroup.Group
	creating.SetLimit(16)
	for i := from; i < to; i++ {
		name := fmt.Sprintf("crowd-%05d", i)
		access := invariants.Access(invariants.Neighbour, name, grant(people(v1alpha1.Principal{Kind: v1alpha1.PrincipalPermissionSet, Name: name}), pc01))
		creating.Go(func() error { return fast.Create(t.Context(), access) })
	}
	if err := creating.Wait(); err != nil {
		t.Fatal(err)
	}
}
