package invariants_test

import (
	"slices"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
)

// byReference grants user01 the document and the nodes that are declared with it.
func byReference() *v1alpha1.SessionAccess {
	spec := grant(people(user("user01")))
	spec.Targets = []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}}
	spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "proof-shell"}}}
	return invariants.Access(invariants.Namespace, "a", spec)
}

// Targets of references are judged like anything else: the questions include
// machines that register, with the document that is declared.
func TestAccessByReferenceIsAskedAbout(t *testing.T) {
	h := attacked(t, 0, 0)
	site, doc := invariants.Activation(invariants.Namespace, "site", 2), invariants.Document("proof-shell", "date")
	if err := declare(t.Context(), h, byReference()); err != nil {
		t.Fatal(err)
	}
	rest(t, h) // It waits.
	if err := declare(t.Context(), h, site, doc); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := register(t.Context(), h, site); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	registered := func(q invariants.Question) bool { return q.Node.Of != "" && q.Document == "proof-shell" }
	if openable := h.Observer.Openable(); !slices.ContainsFunc(openable, registered) {
		t.Fatalf("of the machine that has registered and the document nobody asks: %v", openable)
	}
	if err := openSessions(h); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.Delete(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
		rest(t, h)
		if err := declare(t.Context(), h, invariants.Document("proof-shell", "id")); err != nil {
			t.Fatal(err)
		}
		rest(t, h)
	}
	if err := remove(t.Context(), h, site); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := declare(t.Context(), h, invariants.Activation(invariants.Namespace, "site", 3)); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
}

// In mode Observe nothing is written, whatever is declared, and all of it is once
// the account is in mode Enforce again.
func TestNothingIsWrittenInModeObserve(t *testing.T) {
	h := attacked(t, 0, 0)
	if err := declare(t.Context(), h, invariants.Access(invariants.Namespace, "b", grant(people(user("user02")), pc01))); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	observing := h.Account()
	observing.Spec.Mode = v1alpha1.ModeObserve
	if err := declare(t.Context(), h, observing); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := declare(t.Context(), h, byReference(), invariants.Activation(invariants.Namespace, "site", 2), invariants.Document("proof-shell", "date"),
		invariants.Access(invariants.Namespace, "b", grant(people(user("user01")), pc02)), invariants.Tier(v1alpha1.TierAdvanced)); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	if err := declare(t.Context(), h, h.Account()); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
}
