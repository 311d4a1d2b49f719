package invariants_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// renameAccess renames a SessionAccess, which means to declare another one and to
// delete the first.
const renameAccess = "rename an access"

// names are those that SessionAccesses may have.
var names = []string{"a", "b", "c", "d", "e"}

// renaming is in which order the two steps of it come.
type renaming struct {
	number                     int
	opens, deletesFirst, rests bool
}

func renames(t *rapid.T) act {
	r := renaming{evenly(t, "which", 8), rapid.Bool().Draw(t, "opens"), rapid.Bool().Draw(t, "deletes first"), rapid.Bool().Draw(t, "rests")}
	return act{
		kind: renameAccess, text: fmt.Sprintf("number %d, sessions opened before: %t, deleted first: %t, rest in between: %t", r.number, r.opens, r.deletesFirst, r.rests),
		do: r.perform,
	}
}

func (r renaming) perform(ctx context.Context, h *invariants.Harness) error {
	if err := enforce(ctx, h); err != nil {
		return err
	}
	if r.opens {
		if err := perform(ctx, h, act{kind: openAll}); err != nil {
			return err
		}
	}
	all := h.Accesses()
	if len(all) == 0 {
		return nil
	}
	before := all[r.number%len(all)]
	free := slices.IndexFunc(names, func(name string) bool { return !h.Knows(invariants.Access(before.Namespace, name, before.Spec)) })
	if free < 0 {
		return nil
	}
	happened.count(renameAccess)
	steps := []func() error{
		func() error {
			return declareAnew(ctx, h, invariants.Access(before.Namespace, names[free], before.Spec))
		},
		func() error {
			if r.rests {
				return h.AwaitQuiescence(ctx)
			}
			return nil
		},
		func() error { return h.Delete(ctx, before) },
	}
	if r.deletesFirst {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// A session outlives the renaming of its access where the new one is there first, and
// it ends with the last of the names.
func TestASessionEndsWithTheLastNameOfItsAccess(t *testing.T) {
	for _, r := range []renaming{{deletesFirst: true}, {deletesFirst: true, rests: true}, {}, {rests: true}} {
		t.Run(fmt.Sprintf("deleted first %t, rest in between %t", r.deletesFirst, r.rests), func(t *testing.T) {
			h := attacked(t, 0, 0)
			if err := declare(t.Context(), h, invariants.Access(invariants.Namespace, "a", grant(people(user("user01"), group("operators")), pc01))); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
			if err := openSessions(h); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				h.Emulator.Advance(time.Hour)
				if err := r.perform(t.Context(), h); err != nil {
					t.Fatal(err)
				}
				rest(t, h)
			}
			for _, access := range h.Accesses() {
				if err := h.Delete(t.Context(), client.Object(access)); err != nil {
					t.Fatal(err)
				}
			}
			rest(t, h)
		})
	}
}
