package invariants_test

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

const (
	pc01 = "i-051cac51072605f39"
	pc02 = "i-0ee187d8794b12114"
)

func user(name string) v1alpha1.Principal {
	return v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: name}
}

func group(name string) v1alpha1.Principal {
	return v1alpha1.Principal{Kind: v1alpha1.PrincipalGroup, Name: name}
}

func people(list ...v1alpha1.Principal) []v1alpha1.Principal { return list }

func grant(to []v1alpha1.Principal, ids ...v1alpha1.InstanceID) v1alpha1.SessionAccessSpec {
	return v1alpha1.SessionAccessSpec{Principals: to, Targets: []v1alpha1.Target{{InstanceIDs: ids}}}
}

// compact is the scenario of the crash run: objects of all kinds that come, change
// and go, with open sessions and a machine that has registered, until nothing is
// left. It rests after each step.
func compact(ctx context.Context, h *invariants.Harness) error {
	a := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01, pc02))
	g := invariants.Access(invariants.Namespace, "g", grant(people(group("operators"), user("user01")), pc02))
	doc := invariants.Document("proof-shell", "date")
	tier := invariants.Tier(v1alpha1.TierAdvanced)
	site := invariants.Activation(invariants.Namespace, "site", 2)
	steps := []func() error{
		func() error { return declare(ctx, h, h.Account(), a, g, doc, tier, site) },
		func() error {
			if err := openSessions(h); err != nil {
				return err
			}
			if err := register(ctx, h, site); err != nil {
				return err
			}
			return declare(ctx, h, invariants.Access(invariants.Namespace, "a", grant(people(user("user02")), pc01)),
				invariants.Document("proof-shell", "id"), invariants.Activation(invariants.Namespace, "site", 3))
		},
		func() error { return remove(ctx, h, a, g, doc, tier, site) },
		func() error { return h.Delete(ctx, h.Account()) },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			return err
		}
		if err := h.AwaitQuiescence(ctx); err != nil {
			return fmt.Errorf("after step %d: %w", i+1, err)
		}
	}
	return nil
}

func remove(ctx context.Context, h *invariants.Harness, objects ...client.Object) error {
	for _, obj := range objects {
		if err := h.Delete(ctx, obj); err != nil {
			return err
		}
	}
	return nil
}

func declare(ctx context.Context, h *invariants.Harness, objects ...client.Object) error {
	for _, obj := range objects {
		accepted, err := h.Apply(ctx, obj)
		if err != nil {
			return err
		}
		if !accepted {
			return fmt.Errorf("the API server refuses %s", obj.GetName())
		}
	}
	return nil
}

// openSessions opens a session of every person on every node that they may use.
func openSessions(h *invariants.Harness) error {
	for _, q := range h.Observer.Openable() {
		if err := h.Observer.Open(q); err != nil {
			return err
		}
	}
	return nil
}

// register registers a machine with the code in the Secret of a HybridActivation.
func register(ctx context.Context, h *invariants.Harness, a *v1alpha1.HybridActivation) error {
	code, err := h.Stored(ctx, client.ObjectKey{Namespace: a.Namespace, Name: a.SecretName()})
	if err != nil {
		return err
	}
	return h.Observer.Register(a.Spec.Description, code)
}
