package invariants_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// fillRecord changes a SessionAccess of the largest size again and again, while what it
// granted before is still being revoked.
const fillRecord = "fill a record"

// large is the SessionAccess that does. Its principal has no other access, because
// what fits into IAM's quotas depends on all of a principal's.
const large = "large"

// The sizes of a spec.
const (
	smallSpec = "small"
	// fittingSpec takes several policies.
	fittingSpec = "many ids"
	// idsSpec and tagsSpec are as large as the API server accepts them, and do not fit
	// into IAM's quotas.
	idsSpec  = "most ids"
	tagsSpec = "longest tags"
)

const (
	idsOfATarget, mostTargets = 300, 6
	tagsOfATarget, longTag    = 50, 150
)

// sized is a spec of a size, the n-th: each names other nodes.
func sized(size string, n int) v1alpha1.SessionAccessSpec {
	s := grant(people(user("user03")), []v1alpha1.InstanceID{pc01, pc02}[n%2])
	switch size {
	case fittingSpec:
		s.Targets = append(s.Targets, invented(n, 0))
	case idsSpec:
		for i := range mostTargets {
			s.Targets = append(s.Targets, invented(n, i))
		}
	case tagsSpec:
		tags := map[string]string{}
		for i := range tagsOfATarget {
			tags[fmt.Sprintf("k%d-%d", n, i)] = strings.Repeat("x", longTag)
		}
		s.Targets = append(s.Targets, v1alpha1.Target{Tags: tags})
	}
	return s
}

// invented are nodes that do not exist.
func invented(n, target int) v1alpha1.Target {
	var t v1alpha1.Target
	for i := range idsOfATarget {
		t.InstanceIDs = append(t.InstanceIDs, v1alpha1.InstanceID(fmt.Sprintf("i-%05x%04x%08x", n+1, target, i)))
	}
	return t
}

// fillings draws how large the specs are, how often they change, which is the last, and
// whether a session is held open meanwhile.
func fillings(t *rapid.T) act {
	size, last := drawn(t, "size", fittingSpec, idsSpec, tagsSpec), drawn(t, "last", smallSpec, fittingSpec, idsSpec, tagsSpec)
	times, holds := drawn(t, "times", 3, 10, 40), rapid.Bool().Draw(t, "holds")
	return act{
		kind: fillRecord, text: fmt.Sprintf("%d times with %s, then with %s; a session is held: %t", times, size, last, holds),
		do: func(ctx context.Context, h *invariants.Harness) error { return fill(ctx, h, size, last, times, holds) },
	}
}

func fill(ctx context.Context, h *invariants.Harness, size, last string, times int, holds bool) error {
	if err := declareAnew(ctx, h, invariants.Access(invariants.Namespace, large, sized(smallSpec, 0))); err != nil {
		return err
	}
	if err := perform(ctx, h, act{kind: openAll}); err != nil {
		return err
	}
	if holds {
		if _, err := h.HoldSession(0); err != nil {
			return err
		}
	}
	for n := range times {
		if err := declare(ctx, h, invariants.Access(invariants.Namespace, large, sized(size, n))); err != nil {
			return err
		}
	}
	happened.count(fillRecord + " with " + size)
	return declare(ctx, h, invariants.Access(invariants.Namespace, large, sized(last, times+1)))
}

// Whatever its former grants take, an access reaches its latest spec, and the
// sessions of the others end.
func TestAFullRecordHoldsUpNothing(t *testing.T) {
	times := 10
	if *whole {
		times = 60
	}
	for _, size := range []string{fittingSpec, idsSpec, tagsSpec} {
		t.Run(size, func(t *testing.T) {
			h := attacked(t, 0, 0)
			if err := fill(t.Context(), h, size, smallSpec, times, true); err != nil {
				t.Fatal(err)
			}
			// The session that is held keeps a former grant on record.
			got, err := testenv.WaitFor(t.Context(), h.Client, invariants.Access(invariants.Namespace, large, grant(nil)), func(a *v1alpha1.SessionAccess) bool {
				return a.Status.Applied != nil && len(a.Status.Applied.Revoking) > 0
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d former grants are on record", len(got.Status.Applied.Revoking))
			rest(t, h)
			if err := remove(t.Context(), h, invariants.Access(invariants.Namespace, large, grant(nil))); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
		})
	}
}
