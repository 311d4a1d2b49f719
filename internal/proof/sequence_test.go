package proof_test

import (
	"context"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/proof"
)

// act is one step of a generated sequence.
type act struct {
	kind string
	// name and namespace of the SessionAccess that it is about.
	namespace, name string
	spec            func(now time.Time) v1alpha1.SessionAccessSpec
	text            string
}

// String tells what is done, for the list that a failure shrinks to.
func (a act) String() string {
	return fmt.Sprintf("%s %s/%s %s", a.kind, a.namespace, a.name, a.text)
}

const (
	setAccess    = "set"
	deleteAccess = "delete"
	restAll      = "rest"
	openAll      = "open sessions"
	restart      = "restart"
	passTime     = "let an hour pass"
)

func acts() *rapid.Generator[act] {
	return rapid.Custom(func(t *rapid.T) act {
		a := act{
			kind:      rapid.SampledFrom([]string{setAccess, setAccess, setAccess, setAccess, deleteAccess, deleteAccess, restAll, openAll, restart, passTime}).Draw(t, "act"),
			namespace: rapid.SampledFrom([]string{proof.Namespace, proof.Namespace, proof.Namespace, proof.OtherNamespace}).Draw(t, "namespace"),
			name:      rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"),
		}
		if a.kind == setAccess {
			a.spec, a.text = specs(t)
		}
		return a
	})
}

// play carries out a sequence on a bed with a manager that is restarted when the
// sequence says so, and rests at its end and whenever it says so.
func play(ctx context.Context, b *proof.Bed, sequence []act) error {
	if err := declare(ctx, b, b.Account()); err != nil {
		return err
	}
	keeper := b.Keep(ctx, &proof.Cut{})
	defer func() { _ = keeper.Stop() }() // What went wrong shows in what it did.
	for _, a := range append(sequence, act{kind: restAll}) {
		if a.kind == restart {
			if err := keeper.Stop(); err != nil {
				return fmt.Errorf("stop the manager: %w", err)
			}
			keeper = b.Keep(ctx, &proof.Cut{})
		}
		if err := perform(ctx, b, a); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
		if err := b.Observer.Holds(); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		for _, namespace := range []string{proof.Namespace, proof.OtherNamespace} {
			if err := b.Delete(ctx, proof.Access(namespace, name, v1alpha1.SessionAccessSpec{})); err != nil {
				return err
			}
		}
	}
	if err := b.Rest(ctx); err != nil {
		return fmt.Errorf("after all was deleted: %w", err)
	}
	return nil
}

func perform(ctx context.Context, b *proof.Bed, a act) error {
	switch a.kind {
	case setAccess:
		access := proof.Access(a.namespace, a.name, a.spec(b.Clock.Now().Truncate(time.Second)))
		if b.Leaving(access) {
			if err := b.Rest(ctx); err != nil {
				return err
			}
		}
		_, err := b.Apply(ctx, access)
		return err
	case deleteAccess:
		return b.Delete(ctx, proof.Access(a.namespace, a.name, v1alpha1.SessionAccessSpec{}))
	case restAll:
		return b.Rest(ctx)
	case openAll:
		if err := b.Rest(ctx); err != nil {
			return err
		}
		return openSessions(b)
	case passTime:
		b.Emulator.Advance(time.Hour)
	}
	return nil
}
