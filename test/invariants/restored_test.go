package invariants_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// restoreAll loses all objects and creates them again.
const restoreAll = "restore the cluster"

// restoreWindow is longer than an account counts as restored.
const restoreWindow = time.Hour + time.Minute

// restores draws where the objects come from, in which order, and how many of them are
// there before a manager runs.
func restores(t *rapid.T) act {
	from, backwards := drawn(t, "from", invariants.Git, invariants.WithoutStatus, invariants.WithStatus), rapid.Bool().Draw(t, "backwards")
	meanwhile := rapid.Bool().Draw(t, "meanwhile")
	a := act{kind: restoreAll, text: fmt.Sprintf("from %s, backwards: %t, while a manager runs: %t", from, backwards, meanwhile)}
	a.down = func(ctx context.Context, h *invariants.Harness) error {
		if err := h.Lose(ctx); err != nil {
			return err
		}
		n := h.Lost()
		if meanwhile {
			n /= 2
		}
		h.Observer.Restored(from, meanwhile)
		return h.Restore(ctx, from, n, backwards)
	}
	a.do = func(ctx context.Context, h *invariants.Harness) error {
		if h.Observer.Leaders() > 1 {
			return nil // One of them has run all the time.
		}
		happened.count(fmt.Sprintf("%s from %s", restoreAll, from))
		if err := h.Resync(ctx); err != nil {
			return err
		}
		if err := h.Restore(ctx, from, h.Lost(), false); err != nil {
			return err
		}
		if err := h.AwaitQuiescence(ctx); err != nil {
			return err
		}
		h.Emulator.Advance(restoreWindow)
		if err := h.Resync(ctx); err != nil {
			return err
		}
		return h.AwaitQuiescence(ctx)
	}
	return a
}

// A session that is older than the restored object ends with it, however it was
// restored, and a restore by itself ends none.
func TestARestoreLosesNoSession(t *testing.T) {
	for _, from := range []invariants.Source{invariants.Git, invariants.WithoutStatus, invariants.WithStatus} {
		t.Run(string(from), func(t *testing.T) {
			h, err := harness(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			mine := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01))
			restarter := h.Keep(t.Context(), &invariants.CrashPoint{})
			lose := func(ctx context.Context, h *invariants.Harness) error {
				h.Emulator.Advance(10 * time.Minute)
				if err := h.Lose(ctx); err != nil {
					return err
				}
				h.Observer.Restored(from, false)
				return h.Restore(ctx, from, h.Lost(), true)
			}
			err = declare(t.Context(), h, h.Account(), mine, byReferenceOf("b"), invariants.Activation(invariants.Namespace, "site", 2), invariants.Document("proof-shell", "date"), invariants.Tier(v1alpha1.TierAdvanced))
			if err == nil {
				err = perform(t.Context(), h, act{kind: registerOne})
			}
			if err == nil {
				err = whileDown(t.Context(), h, restarter, lose)
			}
			if err != nil {
				t.Fatal(err)
			}
			restarter = h.Keep(t.Context(), &invariants.CrashPoint{})
			if err := h.Resync(t.Context()); err != nil { // A restored status says that all is in place.
				t.Fatal(err)
			}
			rest(t, h)
			if err := h.Delete(t.Context(), mine); err != nil {
				t.Fatal(err)
			}
			rest(t, h)
			if err := leaveNothing(t.Context(), h); err != nil {
				t.Error(err)
			}
			if err := h.Close(restarter); err != nil {
				t.Error(err)
			}
		})
	}
}

// byReferenceOf is byReference under a name.
func byReferenceOf(name string) *v1alpha1.SessionAccess {
	a := byReference()
	a.Name = name
	return a
}

// The namespace of the objects is no longer allowed when they are restored.
func TestWhatAnObjectHadBeforeARestoreIsLeftWhereItsNamespaceIsRefused(t *testing.T) {
	h, err := harness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	document, site := invariants.Document("proof-shell", "date"), invariants.Activation(invariants.Namespace, "site", 2)
	restarter := h.Keep(t.Context(), &invariants.CrashPoint{})
	err = declare(t.Context(), h, h.Account(), site, document)
	if err == nil {
		err = perform(t.Context(), h, act{kind: registerOne})
	}
	if err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	closed := h.Account()
	closed.Spec.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesNone}
	if err := declare(t.Context(), h, closed); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := whileDown(t.Context(), h, restarter, func(ctx context.Context, h *invariants.Harness) error {
		if err := h.Lose(ctx); err != nil {
			return err
		}
		h.Observer.Restored(invariants.WithoutStatus, false)
		return h.Restore(ctx, invariants.WithoutStatus, h.Lost(), false)
	}); err != nil {
		t.Fatal(err)
	}
	restarter = h.Keep(t.Context(), &invariants.CrashPoint{})
	if err := h.Resync(t.Context()); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := leaveNothing(t.Context(), h); err != nil {
		t.Error(err)
	}
	if err := h.Close(restarter); err != nil {
		t.Error(err)
	}
}
