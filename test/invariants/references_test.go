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
	b := attacked(t, 0, 0)
	site, doc := invariants.Activation(invariants.Namespace, "site", 2), invariants.Document("proof-shell", "date")
	if err := declare(t.Context(), b, byReference()); err != nil {
		t.Fatal(err)
	}
	rest(t, b) // It waits.
	if err := declare(t.Context(), b, site, doc); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	if err := register(t.Context(), b, site); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	registered := func(q invariants.Question) bool { return q.Node.Of != "" && q.Document == "proof-shell" }
	if openable := b.Observer.Openable(); !slices.ContainsFunc(openable, registered) {
		t.Fatalf("of the machine that has registered and the document nobody asks: %v", openable)
	}
	if err := openSessions(b); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Delete(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
		rest(t, b)
		if err := declare(t.Context(), b, invariants.Document("proof-shell", "id")); err != nil {
			t.Fatal(err)
		}
		rest(t, b)
	}
	if err := remove(t.Context(), b, site); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	if err := declare(t.Context(), b, invariants.Activation(invariants.Namespace, "site", 3)); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
}

// In mode Observe nothing is written, whatever is declared, and all of it is once
// the account is in mode Enforce again.
func TestNothingIsWrittenInModeObserve(t *testing.T) {
	b := attacked(t, 0, 0)
	if err := declare(t.Context(), b, invariants.Access(invariants.Namespace, "b", grant(people(user("user02")), pc01))); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	observing := b.Account()
	observing.Spec.Mode = v1alpha1.ModeObserve
	if err := declare(t.Context(), b, observing); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	if err := declare(t.Context(), b, byReference(), invariants.Activation(invariants.Namespace, "site", 2), invariants.Document("proof-shell", "date"),
		invariants.Access(invariants.Namespace, "b", grant(people(user("user01")), pc02)), invariants.Tier(v1alpha1.TierAdvanced)); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	if err := declare(t.Context(), b, b.Account()); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
}
