package invariants_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// act is one step of a generated sequence.
type act struct {
	kind string
	// object that is set or deleted, with times relative to its declaration.
	object func(now time.Time) client.Object
	// do is what the steps do that have files of their own.
	do func(context.Context, *invariants.Harness) error
	// down is what happens while no manager runs.
	down func(context.Context, *invariants.Harness) error
	text string
}

// String describes the step, for the list that a failure shrinks to.
func (a act) String() string { return a.kind + " " + a.text }

const (
	// idle does nothing. It is what the steps that do not matter shrink to.
	idle         = "idle"
	setObject    = "set"
	furnish      = "set what references name"
	deleteObject = "delete"
	restAll      = "rest"
	openAll      = "open sessions"
	registerOne  = "register a machine"
	restart      = "restart"
	passTime     = "let an hour pass"
)

// drawers draw an object of each kind that is set and deleted.
var drawers = []func(*rapid.T) (at func(time.Time) client.Object, text string){
	accesses, accesses, accesses, accesses, still(documentObjects), still(documentObjects), still(activationObjects), still(activationObjects), still(tierObjects),
}

func accesses(t *rapid.T) (func(time.Time) client.Object, string) {
	namespace, name := namespaces(t), drawn(t, "name", "a", "b", "c")
	at, text := specs(t)
	return func(now time.Time) client.Object { return invariants.Access(namespace, name, at(now)) }, fmt.Sprintf("SessionAccess %s/%s %s", namespace, name, text)
}

func namespaces(t *rapid.T) string {
	return drawn(t, "namespace", invariants.Namespace, invariants.Namespace, invariants.Namespace, invariants.OtherNamespace)
}

// still is for objects that have no times in them.
func still(draw func(*rapid.T) client.Object) func(*rapid.T) (func(time.Time) client.Object, string) {
	return func(t *rapid.T) (func(time.Time) client.Object, string) {
		obj := draw(t)
		body, err := json.Marshal(obj)
		if err != nil {
			body = []byte(err.Error())
		}
		return func(time.Time) client.Object { return obj.DeepCopyObject().(client.Object) }, fmt.Sprintf("%T %s", obj, body)
	}
}

// kinds are the kinds of steps, each as often as it should be drawn.
var kinds = []string{
	idle, furnish, setObject, setObject, setObject, setObject, setObject, setObject, deleteObject, deleteObject, restAll, openAll, registerOne, restart, passTime,
	failRegion, holdSession, openFederated, changeIAM, restoreAll, renameAccess, fillRecord,
}

func acts(account *v1alpha1.AWSAccount) *rapid.Generator[act] {
	return rapid.Custom(func(t *rapid.T) act {
		a := act{kind: drawn(t, "act", kinds...)}
		switch a.kind {
		case setObject:
			all := append(slices.Clip(drawers), still(func(t *rapid.T) client.Object { return accountObjects(t, account) }))
			a.object, a.text = drawn(t, "kind", all...)(t)
		case deleteObject:
			obj := drawn(t, "deleted", everything()...)
			a.object, a.text = func(time.Time) client.Object { return obj.DeepCopyObject().(client.Object) }, fmt.Sprintf("%T %s", obj, client.ObjectKeyFromObject(obj))
		case failRegion, holdSession:
			return failures(t, a.kind)
		case openFederated:
			return federations(t)
		case changeIAM:
			return principalChanges(t)
		case restoreAll:
			return restores(t)
		case renameAccess:
			return renames(t)
		case fillRecord:
			return fillings(t)
		}
		return a
	})
}

// everything is what a sequence may have declared, the account apart.
func everything() []client.Object {
	all := []client.Object{
		invariants.Document("proof-shell", ""), invariants.Document("named", ""), invariants.Tier(v1alpha1.TierStandard),
		invariants.Activation(invariants.Namespace, "site", 1), invariants.Activation(invariants.OtherNamespace, "site", 1),
	}
	other := invariants.Document("other-shell", "")
	other.Namespace = invariants.OtherNamespace
	all = append(all, other)
	for _, name := range append(slices.Clip(names), large) {
		for _, namespace := range []string{invariants.Namespace, invariants.OtherNamespace} {
			all = append(all, invariants.Access(namespace, name, v1alpha1.SessionAccessSpec{}))
		}
	}
	return all
}

// play carries out a sequence on a harness with a manager that is restarted when the
// sequence says so, and rests at its end and whenever it says so. Then everything
// is deleted, and nothing may be left.
func play(ctx context.Context, h *invariants.Harness, sequence []act) error {
	if err := declare(ctx, h, regional(h)); err != nil {
		return err
	}
	restarter := h.Keep(ctx, &invariants.CrashPoint{})
	defer func() { _ = restarter.Stop() }() // What went wrong shows in what it did.
	for _, a := range append(sequence, act{kind: restAll}) {
		if a.kind == restart || a.down != nil && h.Observer.Leaders() == 1 {
			if err := whileDown(ctx, h, restarter, a.down); err != nil {
				return fmt.Errorf("%s: %w", a, err)
			}
			restarter = h.Keep(ctx, &invariants.CrashPoint{})
		}
		if err := perform(ctx, h, a); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
		if err := h.Observer.Holds(); err != nil {
			return fmt.Errorf("%s: %w", a, err)
		}
	}
	if err := leaveNothing(ctx, h); err != nil {
		return err
	}
	if err := h.Delete(ctx, h.Account()); err != nil {
		return err
	}
	if err := h.AwaitQuiescence(ctx); err != nil {
		return fmt.Errorf("after the account was deleted: %w", err)
	}
	return nil
}

// whileDown does something between the end of one manager and the start of the next,
// at rest where there is anything to do.
func whileDown(ctx context.Context, h *invariants.Harness, restarter *invariants.Restarter, do func(context.Context, *invariants.Harness) error) error {
	if do == nil {
		do = func(context.Context, *invariants.Harness) error { return nil }
	} else if err := perform(ctx, h, act{kind: openAll}); err != nil {
		return err
	}
	if err := restarter.Stop(); err != nil {
		return fmt.Errorf("stop the manager: %w", err)
	}
	return do(ctx, h)
}

// leaveNothing deletes what a sequence has declared, the account apart.
func leaveNothing(ctx context.Context, h *invariants.Harness) error {
	if err := enforce(ctx, h); err != nil {
		return err
	}
	if err := remove(ctx, h, everything()...); err != nil {
		return err
	}
	if err := h.AwaitQuiescence(ctx); err != nil {
		return fmt.Errorf("after all was deleted: %w", err)
	}
	return nil
}

// enforce ends mode Observe, in which what is deleted stays until it is over.
func enforce(ctx context.Context, h *invariants.Harness) error {
	if !h.Observer.Observes() {
		return nil
	}
	if err := declare(ctx, h, regional(h)); err != nil {
		return err
	}
	return h.AwaitQuiescence(ctx)
}

func perform(ctx context.Context, h *invariants.Harness, a act) error {
	switch a.kind {
	case setObject:
		return declareAnew(ctx, h, a.object(h.Clock.Now().Truncate(time.Second)))
	case furnish:
		for _, obj := range []client.Object{invariants.Document("proof-shell", "date"), invariants.Activation(invariants.Namespace, "site", 2)} {
			if err := declareAnew(ctx, h, obj); err != nil {
				return err
			}
		}
		return registerMachine(ctx, h)
	case deleteObject:
		if err := enforce(ctx, h); err != nil {
			return err
		}
		obj := a.object(h.Clock.Now())
		if _, ok := obj.(*v1alpha1.AccountTier); ok {
			return deleteTier(ctx, h, obj)
		}
		return h.Delete(ctx, obj)
	case restAll:
		return h.AwaitQuiescence(ctx)
	case openAll:
		if err := enforce(ctx, h); err != nil {
			return err
		}
		if err := h.AwaitQuiescence(ctx); err != nil {
			return err
		}
		return openSessions(h)
	case registerOne:
		return registerMachine(ctx, h)
	case passTime:
		h.Emulator.Advance(time.Hour)
	}
	if a.do != nil {
		return a.do(ctx, h)
	}
	return nil
}

// deleteTier deletes an AccountTier at rest, because what it leaves depends on whether
// it was in effect. Where access to hybrid nodes would keep it, it stays.
func deleteTier(ctx context.Context, h *invariants.Harness, obj client.Object) error {
	if err := h.AwaitQuiescence(ctx); err != nil || h.Observer.TierHeld() {
		return err
	}
	if err := h.Delete(ctx, obj); err != nil {
		return err
	}
	return h.AwaitQuiescence(ctx)
}

// declareAnew declares an object. One of the same name that is being deleted must be
// gone first, principals that have changed must be known, and everything that was in
// progress must be done before an account is only observed.
func declareAnew(ctx context.Context, h *invariants.Harness, obj client.Object) error {
	account, ok := obj.(*v1alpha1.AWSAccount)
	observes := ok && account.Spec.Mode == v1alpha1.ModeObserve
	_, names := obj.(*v1alpha1.SessionAccess)
	if observes || h.Leaving(obj) || names && h.Stirred {
		if err := h.AwaitQuiescence(ctx); err != nil {
			return err
		}
	}
	if _, err := h.Apply(ctx, obj); err != nil {
		return err
	}
	if observes {
		return h.AwaitQuiescence(ctx)
	}
	return nil
}

// registerMachine registers a machine where the model is certain that one can be,
// and one registration is left after it.
func registerMachine(ctx context.Context, h *invariants.Harness) error {
	if err := enforce(ctx, h); err != nil {
		return err
	}
	if err := h.AwaitQuiescence(ctx); err != nil {
		return err
	}
	site := invariants.Activation(invariants.Namespace, "site", 2)
	if !h.Observer.Registrable(site) {
		return nil
	}
	code, err := h.Code(ctx, site.Spec.Description)
	if err != nil {
		return err
	}
	return h.Observer.Register(site.Spec.Description, code)
}
