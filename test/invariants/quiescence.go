package invariants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// quiet is how long nothing happens before the clock is moved on.
const quiet = 300 * time.Millisecond

// needTime are reasons of an object that proceeds when time has passed, and not
// before.
var needTime = []string{
	v1alpha1.ReasonEndingSessions, v1alpha1.ReasonTierChanging, v1alpha1.ReasonSettling, v1alpha1.ReasonWithdrawing, v1alpha1.ReasonDeregistering,
}

// AwaitQuiescence waits until every object says what the model expects of it and those that
// were deleted are gone, and judges AWS then. Whenever nothing happens any more,
// or all that is unsettled waits for the consistency window, it advances the clock
// and triggers a reconcile of every object, as a resync would.
func (h *Harness) AwaitQuiescence(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, testenv.Patience)
	defer cancel()
	if err := h.heal(ctx); err != nil {
		return err
	}
	if err := h.reread(ctx); err != nil {
		return err
	}
	h.jumps, h.waited = 0, 0
	begun := h.Clock.Now()
	err := h.settle(ctx)
	if err == nil && h.Observer.Leaders() > 1 {
		err = h.calm(ctx)
	}
	if err != nil {
		return errors.Join(err, h.Observer.Holds())
	}
	if err := h.inTime(h.Clock.Since(begun)); err != nil {
		return err
	}
	for id, w := range h.written {
		if w.deleted {
			delete(h.written, id)
		}
	}
	if err := h.searchCluster(ctx); err != nil {
		return err
	}
	stored, err := h.stored(ctx)
	if err != nil {
		return err
	}
	return h.Observer.Judge(stored)
}

// How much of AWS's time may pass from the last change to the desired state.
const (
	// Waited is what objects may wait for by what they say, under any faults:
	// sessions that end, a tier that changes, an answer that was lost. Apart from
	// that, only resyncs need AWS's time.
	Waited = 12 * window
	// Settled is the time in all where AWS answers.
	Settled = 20 * window
	// UnderFaults is the time in all where answers or watches are lost or two lead.
	// Pauses between attempts run on the machine's clock, and AWS's jumps over a window
	// whenever nothing happens: so a pause of a second counts as minutes. That is why it
	// is many windows.
	UnderFaults = 60 * window
)

// inTime checks how long AWS took to reach the desired state.
func (h *Harness) inTime(took time.Duration) error {
	h.slowest, h.longestWait = max(h.slowest, took), max(h.longestWait, h.waited)
	if !h.Untimed && (h.waited > Waited || h.Within > 0 && took > h.Within) {
		return fmt.Errorf("AWS was as declared after %s of its time; for %s of that, objects waited by what they say; at most %s and %s are right",
			took.Round(time.Second), h.waited, h.Within, Waited)
	}
	return nil
}

// Slowest is the most of AWS's time that a rest has taken, and that objects have
// waited for by what they say.
func (h *Harness) Slowest() (took, waited time.Duration) { return h.slowest, h.longestWait }

// calm waits until every leader has come to rest, and not only the one that wrote
// the statuses last. The next resync finds what another leader still has in
// progress, or reverted because of an earlier read. Rest is a resync after which
// no leader had anything to write.
func (h *Harness) calm(ctx context.Context) error {
	for writes := -1; writes != h.Emulator.Calls().Writes; {
		writes = h.Emulator.Calls().Writes
		if err := h.resync(ctx); err != nil {
			return err
		}
		if err := h.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Resync triggers a reconcile of everything, and returns when no call to AWS
// follows any more.
func (h *Harness) Resync(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, testenv.Patience)
	defer cancel()
	return h.resync(ctx)
}

// resync triggers a reconcile of everything, accounts included, and waits until
// no call to AWS follows any more.
func (h *Harness) resync(ctx context.Context) error {
	for range resyncEvery {
		objects, _ := h.watcher.look()
		if err := h.jump(ctx, objects); err != nil {
			return err
		}
		for calls := -1; calls != h.Emulator.Calls().Total; {
			calls = h.Emulator.Calls().Total
			select {
			case <-time.After(quiet):
			case <-ctx.Done():
				return fmt.Errorf("the leaders do not come to rest: %w", ctx.Err())
			}
		}
	}
	return nil
}

func (h *Harness) settle(ctx context.Context) error {
	last := ""
	for {
		objects, changed := h.watcher.look()
		left := h.unsettled(objects)
		if len(left) == 0 {
			return nil
		}
		now := strings.Join(left, "\n  ")
		waiting := !slices.ContainsFunc(left, func(s string) bool {
			return !slices.ContainsFunc(needTime, func(reason string) bool { return strings.Contains(s, "/"+reason+" ") })
		})
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("no rest after %d jumps of the clock (%w):\n  %s\n%s", h.jumps, ctx.Err(), now, dump(objects))
		case waiting && now != last, !stirs(ctx, changed):
			if waiting && now != last {
				h.waited += window
			}
			last = now
			if err := h.jump(ctx, objects); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// stirs waits for a change, and reports whether there was one before it had been
// quiet for long enough.
func stirs(ctx context.Context, changed <-chan struct{}) bool {
	still := time.NewTimer(quiet)
	defer still.Stop()
	select {
	case <-changed:
	case <-ctx.Done():
	case <-still.C:
		return false
	}
	return true
}

// unsettled describes each object that is not what it should be.
func (h *Harness) unsettled(objects []*unstructured.Unstructured) []string {
	h.loosen() // Time may have passed.
	var left []string
	present := map[string]*unstructured.Unstructured{}
	for _, u := range objects {
		present[id(u)] = u
	}
	for id, w := range h.written {
		u := present[id]
		switch {
		case w.deleted && (u == nil || u.GetUID() != w.uid):
		case w.deleted:
			left = append(left, fmt.Sprintf("%s is still being deleted: %s", id, readyOf(u)))
		case u == nil || u.GetUID() != w.uid || u.GetGeneration() < w.generation:
			left = append(left, id+" has not been seen yet")
		default:
			problem := h.judge(u, w.loose)
			if problem == "" && w.restored && isOfLost(u) {
				problem = "has the status of the object that was lost"
			}
			if problem == "" && isRevoking(u) && !h.Observer.Observes() {
				problem = "has a revocation that is not complete"
			}
			if problem != "" {
				left = append(left, id+" "+problem)
			}
		}
	}
	slices.Sort(left)
	return left
}

// isOfLost reports whether a status came with a restore and the operator has not decided
// on the object since: it says whatever it said of the object that was lost.
func isOfLost(u *unstructured.Unstructured) bool {
	of, found, _ := unstructured.NestedString(u.Object, "status", "uid")
	if readyOf(u).reason == v1alpha1.ReasonGranted {
		of, found, _ = unstructured.NestedString(u.Object, "status", "applied", "uid")
	}
	return found && of != string(u.GetUID())
}

// isRevoking reports whether a revocation of an object is under way. Ready does not say so
// where the object is refused.
func isRevoking(u *unstructured.Unstructured) bool {
	revocation, found, _ := unstructured.NestedMap(u.Object, "status", "revocation")
	return found && revocation["completedAt"] == nil
}

// waits are the reasons of a rest in which the operator waits for something that comes
// without a change of the object.
var waits = []string{v1alpha1.ReasonAccountNotFound, v1alpha1.ReasonReferenceNotResolved, v1alpha1.ReasonPrincipalNotFound}

// judge says what is wrong with the status of an object; empty when nothing is.
// Where it is loose, every decision is right.
func (h *Harness) judge(u *unstructured.Unstructured, loose bool) string {
	want := map[string]string{
		"AWSAccount": v1alpha1.ReasonVerified, "SessionDocument": v1alpha1.ReasonInPlace, "AccountTier": v1alpha1.ReasonTierInForce,
		"HybridActivation": v1alpha1.ReasonActivated,
	}[u.GetKind()]
	if u.GetKind() == "SessionAccess" {
		want = h.Observer.expects(client.ObjectKeyFromObject(u), h.Clock.Now())
	}
	ready := readyOf(u)
	if loose {
		result, err := status.Compute(u)
		if err != nil || ready.generation != u.GetGeneration() || result.Status == status.InProgressStatus && !slices.Contains(waits, ready.reason) {
			return fmt.Sprintf("should come to a decision and says %s", ready)
		}
		return ""
	}
	if ready.generation != u.GetGeneration() || ready.reason != want {
		return fmt.Sprintf("should say %s and says %s", want, ready)
	}
	result, err := status.Compute(u)
	if err != nil {
		return err.Error()
	}
	expected := map[string]status.Status{
		v1alpha1.ReasonVerified: status.CurrentStatus, v1alpha1.ReasonGranted: status.CurrentStatus, v1alpha1.ReasonExpired: status.CurrentStatus,
		v1alpha1.ReasonInPlace: status.CurrentStatus, v1alpha1.ReasonTierInForce: status.CurrentStatus,
		v1alpha1.ReasonActivated:            status.CurrentStatus,
		v1alpha1.ReasonReferenceNotResolved: status.InProgressStatus, v1alpha1.ReasonAccountNotFound: status.InProgressStatus,
		v1alpha1.ReasonPrincipalNotFound: status.InProgressStatus,
	}[want]
	if expected == "" {
		expected = status.FailedStatus
	}
	if result.Status != expected {
		return fmt.Sprintf("says %s, which is %s to kstatus and should be %s", ready, result.Status, expected)
	}
	return ""
}

// resyncEvery is how often the clock jumps until accounts are reconciled too.
const resyncEvery = 3

// jump moves the clock over the consistency window and triggers a reconcile of
// every object. Every third time the accounts are among them, which makes a
// resync.
func (h *Harness) jump(ctx context.Context, objects []*unstructured.Unstructured) error {
	h.jumps++
	h.Emulator.Advance(window)
	for _, u := range objects {
		if u.GetKind() == "AWSAccount" && h.jumps%resyncEvery != 0 {
			continue
		}
		touched := u.DeepCopy()
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"proof/touched":%q}}}`, time.Now().Format(time.RFC3339Nano))
		if err := client.IgnoreNotFound(h.watcher.client.Patch(ctx, touched, client.RawPatch("application/merge-patch+json", patch))); err != nil {
			return fmt.Errorf("touch %s: %w", id(u), err)
		}
	}
	return nil
}

// ready is the condition of that name.
type ready struct {
	status, reason, message string
	generation              int64
	ending                  int
}

func (r ready) String() string {
	return fmt.Sprintf("%s/%s for generation %d, with %d sessions to end: %s", r.status, r.reason, r.generation, r.ending, r.message)
}

func readyOf(u *unstructured.Unstructured) ready {
	var r ready
	ending, _, _ := unstructured.NestedSlice(u.Object, "status", "revocation", "ending") // Absent is none.
	r.ending = len(ending)
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions") // The same.
	for _, c := range conditions {
		condition, ok := c.(map[string]any)
		if !ok || condition["type"] != v1alpha1.ConditionReady {
			continue
		}
		r.status, _ = condition["status"].(string)
		r.reason, _ = condition["reason"].(string)
		r.message, _ = condition["message"].(string)
		r.generation, _ = condition["observedGeneration"].(int64)
	}
	return r
}

// dump shows objects in full.
func dump(objects []*unstructured.Unstructured) string {
	var text strings.Builder
	for _, u := range objects {
		short := u.DeepCopy()
		short.SetManagedFields(nil)
		line, err := json.Marshal(short)
		if err != nil {
			line = []byte(err.Error())
		}
		text.Write(append(line, '\n'))
	}
	return text.String()
}
