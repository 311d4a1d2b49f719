package proof_test

import (
	"encoding/json"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	restclient "k8s.io/client-go/rest"
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
	o := b.Options()
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
	const flips, pause, rate, burst = 300, 10 * time.Millisecond, 20, 20
	b := attacked(t, rate, burst)
	flip := func(i int) *v1alpha1.SessionAccess {
		return proof.Access(proof.Namespace, "flip", grant(people(user("user01")), []v1alpha1.InstanceID{pc01, pc02}[i%2]))
	}
	if err := declare(t.Context(), b, flip(0), flip(1)); err != nil {
		t.Fatal(err)
	}
	before, begun := b.Emulator.Calls().Writes, time.Now()
	flipping(t, b, flips, pause, flip)
	took := time.Since(begun)
	other := proof.Access(proof.Namespace, "other", grant(people(user("user02")), pc01))
	if err := declare(t.Context(), b, other, flip(0)); err != nil {
		t.Fatal(err)
	}
	written := b.Emulator.Calls().Writes - before
	rest(t, b)
	t.Logf("%d flips in %s: %d writes to AWS meanwhile, %d in all", flips, took.Round(time.Millisecond), written, b.Emulator.Calls().Writes-before)
	// SSM and IAM have a limiter each.
	if most := 2 * (burst + int(time.Since(begun).Seconds()*rate) + 1); written > most {
		t.Errorf("%d writes, and the limiter admits %d", written, most)
	}
}

// flipping gives an object one spec after another, without waiting for the answers.
func flipping(t *testing.T, b *proof.Bed, flips int, pause time.Duration, flip func(int) *v1alpha1.SessionAccess) {
	t.Helper()
	config := restclient.CopyConfig(b.Config)
	config.QPS = -1
	fast, err := client.New(config, client.Options{Scheme: b.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	ticks := time.NewTicker(pause)
	defer ticks.Stop()
	for i := range flips {
		body, err := json.Marshal(map[string]any{"spec": map[string]any{"targets": flip(i).Spec.Targets}})
		if err != nil {
			t.Fatal(err)
		}
		<-ticks.C
		group.Go(func() error { return fast.Patch(t.Context(), flip(i), client.RawPatch(types.MergePatchType, body)) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}
