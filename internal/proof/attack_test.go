//go:build proof

package proof_test

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/proof"
)

// attacked is a bed with a manager and its account.
func attacked(t *testing.T, rate float64, burst int) *proof.Bed {
	t.Helper()
	b, err := bed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	o := proof.Options()
	o.Rate, o.Burst = rate, burst
	b.Manager(t, o)
	if err := declare(t.Context(), b, b.Account()); err != nil {
		t.Fatal(err)
	}
	return b
}

func rest(t *testing.T, b *proof.Bed) {
	t.Helper()
	if err := b.Rest(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Names that IAM takes for the same are the same here too, and names that only
// begin alike are not.
func TestNamesThatDifferByCaseOrAreCutOffAlikeAreNotConfused(t *testing.T) {
	b := attacked(t, 0, 0)
	one := proof.Access(proof.Namespace, "one", grant(people(group(proof.LongGroup+"1")), pc01))
	two := proof.Access(proof.Namespace, "two", grant(people(group(proof.LongGroup+"2")), pc02))
	upper := proof.Access(proof.Namespace, "upper", grant(people(user("USER02")), pc01))
	lower := proof.Access(proof.Namespace, "lower", grant(people(user("user02")), pc02))
	if err := declare(t.Context(), b, one, two, upper, lower); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
	for _, gone := range []client.Object{two, upper} {
		if err := b.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		rest(t, b)
	}
}

// A namespace that the account does not allow gets nothing, whatever it names and
// however often it tries.
func TestAStrangersNamespaceGetsNothing(t *testing.T) {
	b := attacked(t, 0, 0)
	mine := proof.Access(proof.Namespace, "a", grant(people(user("user01")), pc01))
	if err := declare(t.Context(), b, mine); err != nil {
		t.Fatal(err)
	}
	theirs := grant(people(user("user01"), user("user02")), pc01, pc02)
	theirs.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: proof.Namespace + "/shell"}}, {Name: "Shell"}}
	for i := range 5 {
		// The same name as the other namespace's, too.
		if err := declare(t.Context(), b, proof.Access(proof.OtherNamespace, []string{"a", "b", "c", "d", "e"}[i], theirs)); err != nil {
			t.Fatal(err)
		}
	}
	rest(t, b)
	if err := b.Delete(t.Context(), proof.Access(proof.OtherNamespace, "a", theirs)); err != nil {
		t.Fatal(err)
	}
	rest(t, b)
}

// The limiter of the account bounds what a SessionAccess that flips all the time
// can have written, and nobody else waits for it.
func TestAnAccessThatFlipsIsWrittenAtTheRateOfTheLimiter(t *testing.T) {
	const flips, rate, burst = 200, 20, 20
	b := attacked(t, rate, burst)
	rest(t, b)
	before, begun := b.Emulator.Calls().Writes, time.Now()
	for i := range flips {
		node := []v1alpha1.InstanceID{pc01, pc02}[i%2]
		if err := declare(t.Context(), b, proof.Access(proof.Namespace, "flip", grant(people(user("user01")), node))); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(begun)
	other := proof.Access(proof.Namespace, "other", grant(people(user("user02")), pc01))
	if err := declare(t.Context(), b, other); err != nil {
		t.Fatal(err)
	}
	written := b.Emulator.Calls().Writes - before
	rest(t, b)
	t.Logf("%d flips in %s: %d writes to AWS meanwhile, %d in all", flips, took.Round(time.Millisecond), written, b.Emulator.Calls().Writes-before)
	// SSM and IAM have a limiter each.
	if most := 2 * (burst + int(took.Seconds()*rate) + 1); written > most {
		t.Errorf("%d writes, and the limiter admits %d", written, most)
	}
}
