package invariants_test

import (
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	restclient "k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/invariants"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// attacked is a harness with a manager and its account.
func attacked(t *testing.T, rate float64, burst int) *invariants.Harness {
	t.Helper()
	h, err := harness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	o := h.Options()
	o.Rate, o.Burst = rate, burst
	h.Manager(t, o)
	if err := declare(t.Context(), h, h.Account()); err != nil {
		t.Fatal(err)
	}
	return h
}

func rest(t *testing.T, h *invariants.Harness) {
	t.Helper()
	if err := h.AwaitQuiescence(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Names that IAM takes for the same are the same here too, and names that only
// begin alike are not.
func TestNamesThatDifferByCaseOrAreCutOffAlikeAreNotConfused(t *testing.T) {
	h := attacked(t, 0, 0)
	one := invariants.Access(invariants.Namespace, "one", grant(people(group(invariants.LongGroup+"1")), pc01))
	two := invariants.Access(invariants.Namespace, "two", grant(people(group(invariants.LongGroup+"2")), pc02))
	upper := invariants.Access(invariants.Namespace, "upper", grant(people(user("USER02")), pc01))
	lower := invariants.Access(invariants.Namespace, "lower", grant(people(user("user02")), pc02))
	if err := declare(t.Context(), h, one, two, upper, lower); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
	for _, gone := range []client.Object{two, upper} {
		if err := h.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		rest(t, h)
	}
}

// A namespace that the account does not allow gets nothing, whatever it names and
// however often it tries.
func TestAStrangersNamespaceGetsNothing(t *testing.T) {
	h := attacked(t, 0, 0)
	mine := invariants.Access(invariants.Namespace, "a", grant(people(user("user01")), pc01))
	if err := declare(t.Context(), h, mine); err != nil {
		t.Fatal(err)
	}
	theirs := grant(people(user("user01"), user("user02")), pc01, pc02)
	theirs.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: invariants.Namespace + "/shell"}}, {Name: "Shell"}}
	for i := range 5 {
		// The same name as the other namespace's, too.
		if err := declare(t.Context(), h, invariants.Access(invariants.OtherNamespace, []string{"a", "b", "c", "d", "e"}[i], theirs)); err != nil {
			t.Fatal(err)
		}
	}
	rest(t, h)
	if err := h.Delete(t.Context(), invariants.Access(invariants.OtherNamespace, "a", theirs)); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
}

// The other kinds are no way round: nothing is created in AWS for a namespace that
// the account does not allow, and no Secret is written.
func TestAStrangersDocumentsAndActivationsAreNotMade(t *testing.T) {
	n := neighbour{t, attacked(t, 0, 0)}
	before := n.Emulator.Calls().Writes
	document, activation := invariants.Document("theirs", "date"), invariants.Activation(invariants.OtherNamespace, "theirs", 2)
	document.Namespace = invariants.OtherNamespace
	n.create(document)
	n.create(activation)
	told(t.Context(), n, document, v1alpha1.ReasonNamespaceNotAllowed, func(d *v1alpha1.SessionDocument) []metav1.Condition { return d.Status.Conditions })
	told(t.Context(), n, activation, v1alpha1.ReasonNamespaceNotAllowed, func(a *v1alpha1.HybridActivation) []metav1.Condition { return a.Status.Conditions })
	rest(t, n.Harness)
	n.gone(document)
	n.gone(activation)
	rest(t, n.Harness)
	if written := n.Emulator.Calls().Writes - before; written != 0 {
		t.Errorf("%d writes to AWS for a namespace that the account does not allow", written)
	}
	var secrets corev1.SecretList
	if err := n.Client.List(t.Context(), &secrets, client.InNamespace(invariants.OtherNamespace)); err != nil {
		t.Fatal(err)
	}
	if len(secrets.Items) != 0 {
		t.Errorf("%d Secrets were written in a namespace that the account does not allow", len(secrets.Items))
	}
}

// The limiter of the account bounds the writes that a constantly changing
// SessionAccess can cause, and another user is granted access meanwhile.
func TestAnAccessThatFlipsIsWrittenAtTheRateOfTheLimiterAndHoldsUpNobody(t *testing.T) {
	const perSecond, atLeast, rate, burst = 100, 300, 20, 20
	h := attacked(t, rate, burst)
	f := &flipper{Harness: h, pause: time.Second / perSecond}
	if err := declare(t.Context(), h, f.access(0), f.access(1)); err != nil {
		t.Fatal(err)
	}
	before, begun := h.LastCall(), time.Now()
	stop, flipping := f.start(t)
	other := invariants.Access(invariants.Namespace, "other", grant(people(user("user02")), pc01))
	f.await(t, atLeast/2)
	if err := declare(t.Context(), h, other); err != nil {
		t.Fatal(err)
	}
	if _, err := testenv.WaitFor(t.Context(), h.Client, other, func(a *v1alpha1.SessionAccess) bool {
		return meta.IsStatusConditionTrue(a.Status.Conditions, v1alpha1.ConditionReady)
	}); err != nil {
		t.Fatalf("nobody else is granted access while one flips: %v", err)
	}
	whenGranted := f.done.Load()
	f.await(t, max(atLeast, whenGranted+1)) // It went on after that.
	sent := float64(f.sent.Load()) / time.Since(begun).Seconds()
	close(stop)
	if err := flipping.Wait(); err != nil {
		t.Fatal(err)
	}
	// The end of the time is taken after that of the calls, and its begin before.
	log, took := h.Emulator.CallLog(before), time.Since(begun)
	t.Logf("%d flips in %s, sent at %.0f a second; somebody else was granted access after %d of them", f.done.Load(), took.Round(time.Millisecond), sent, whenGranted)
	if sent <= rate {
		t.Errorf("%.0f flips a second were sent, which the limiter admits without skipping any", sent)
	}
	f.bounded(t, log, burst+int(took.Seconds()*rate)+1)
	if err := declare(t.Context(), h, f.access(0)); err != nil {
		t.Fatal(err)
	}
	rest(t, h)
}

// flipper changes one SessionAccess to and fro.
type flipper struct {
	*invariants.Harness
	pause time.Duration
	// sent counts the changes, done those that the API server has answered.
	sent, done atomic.Int64
}

func (f *flipper) access(i int) *v1alpha1.SessionAccess {
	return invariants.Access(invariants.Namespace, "flip", grant(people(user("user01")), []v1alpha1.InstanceID{pc01, pc02}[i%2]))
}

// inFlight bounds the changes that wait for an answer: more than the API server
// takes would pile up there, and be an attack on it.
const inFlight = 4

// start gives the object one spec after another until stop is closed. Changes that
// are late are made up for.
func (f *flipper) start(t *testing.T) (stop chan struct{}, flipping *errgroup.Group) {
	t.Helper()
	fast := unlimited(t, f.Harness)
	var bodies [2]client.Patch
	for i := range bodies {
		body, err := json.Marshal(map[string]any{"spec": map[string]any{"targets": f.access(i).Spec.Targets}})
		if err != nil {
			t.Fatal(err)
		}
		bodies[i] = client.RawPatch(types.MergePatchType, body)
	}
	stop, flipping = make(chan struct{}), &errgroup.Group{}
	flipping.SetLimit(inFlight + 1) // And the one that sends.
	begun := time.Now()
	flipping.Go(func() error {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return nil
			case <-t.Context().Done():
				return t.Context().Err()
			case <-time.After(time.Until(begun.Add(time.Duration(i) * f.pause))):
			}
			f.sent.Add(1)
			flipping.Go(func() error {
				err := fast.Patch(t.Context(), f.access(i), bodies[i%2])
				f.done.Add(1)
				return err
			})
		}
	})
	return stop, flipping
}

// await waits until a number of changes were answered.
func (f *flipper) await(t *testing.T, n int64) {
	t.Helper()
	if _, err := testenv.WaitFor(t.Context(), f.Client, f.access(0), func(*v1alpha1.SessionAccess) bool { return f.done.Load() >= n }); err != nil {
		t.Fatal(err)
	}
}

// bounded checks that no more calls were written than the limiter of IAM admits,
// and that most changes were overtaken before they were written.
func (f *flipper) bounded(t *testing.T, log []calls.Call, most int) {
	t.Helper()
	var written int
	for _, call := range log {
		if call.Write {
			written++
		}
		if call.Write && call.Service != "iam" {
			t.Errorf("%s is written for an access that flips", call.Action())
		}
	}
	flips := int(f.done.Load())
	t.Logf("%d writes to AWS for %d flips; the limiter admits %d calls", written, flips, most)
	if written > most {
		t.Errorf("%d writes, and the limiter admits %d", written, most)
	}
	if written >= flips/2 {
		t.Errorf("%d writes for %d flips: what was overtaken was written still", written, flips)
	}
}

// unlimited is a client of the API server that waits for nothing.
func unlimited(t *testing.T, h *invariants.Harness) client.Client {
	t.Helper()
	config := restclient.CopyConfig(h.Config)
	config.QPS = -1
	fast, err := client.New(config, client.Options{Scheme: h.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	return fast
}
