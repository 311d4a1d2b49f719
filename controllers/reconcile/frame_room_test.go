package reconcile_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// trimming is a kind that can do with fewer regions in its status: two, and at last one.
type trimming struct{ kind }

func (*trimming) Trim(tier *v1alpha1.AccountTier) []*v1alpha1.AccountTier {
	two, one := tier.DeepCopy(), tier.DeepCopy()
	two.Status.Regions, one.Status.Regions = two.Status.Regions[:2], one.Status.Regions[:1]
	return []*v1alpha1.AccountTier{two, one}
}

// rejecting is an API server that has room for so many regions.
func rejecting(t *testing.T, room int) (f *framed, k *trimming) {
	t.Helper()
	f, k = newFramed(t, nil, tier("none")), &trimming{}
	f.reject = func(patch client.Patch) error {
		data, err := patch.Data(nil)
		f.must(err)
		if bytes.Count(data, []byte(`"region"`)) > room {
			return apierrors.NewRequestEntityTooLargeError("limit is 0")
		}
		return nil
	}
	k.reconcile = func(_ context.Context, s *tierScope) (reconcile.Result, error) {
		s.Object.Status.Regions = []v1alpha1.RegionTier{{Region: "a"}, {Region: "b"}, {Region: "c"}}
		return reconcile.Readyf(v1alpha1.ReasonTierInForce, "message"), nil
	}
	f.frame = reconcile.NewFrame(f.frame.Options, k)
	return f, k
}

func TestAStatusThatIsRejectedIsTrimmedUntilThereIsRoomForIt(t *testing.T) {
	t.Parallel()
	for _, room := range []int{3, 2, 1} {
		f, _ := rejecting(t, room)
		f.reconcile()
		if got := len(f.tier(t.Context()).Status.Regions); got != room {
			t.Errorf("%d regions are stored, and there is room for %d", got, room)
		}
		f.counted(0, 4-room)
	}
}

func TestWhatMustNotWaitForTheStatusIsDoneWhereItIsRejected(t *testing.T) {
	t.Parallel()
	for room, want := range map[int]time.Duration{0: time.Minute, 1: time.Hour} {
		f, k := rejecting(t, room)
		inner, done := k.reconcile, 0
		k.reconcile = func(ctx context.Context, s *tierScope) (reconcile.Result, error) {
			r, err := inner(ctx, s)
			r.RequeueAfter = time.Hour
			r.Unstored = func(context.Context) time.Duration { done++; return time.Minute }
			r.AfterPatch = func() { done += 10 }
			return r, err
		}
		after := f.reconcile().RequeueAfter
		if wantDone := map[int]int{0: 1, 1: 10}[room]; after != want || done != wantDone {
			t.Errorf("with room for %d: requeued after %s, and %d was done", room, after, done)
		}
	}
}

func TestOnlyTheReconcileThatRemovesTheFinalizerRecordsIt(t *testing.T) {
	t.Parallel()
	f := newFramed(t, nil, tier("none"))
	f.must(f.Delete(t.Context(), tier("none")))
	stale := f.tier(t.Context())
	done := 0
	f.kind.cleanup = func(ctx context.Context, s *tierScope) (reconcile.Result, error) {
		released := reconcile.Released()
		released.AfterPatch = func() { done++ }
		return released, nil
	}
	f.reconcile()
	if done != 1 {
		t.Fatalf("it was recorded %d times", done)
	}
	// Another process, or a cache that is behind, sees the object still.
	options := f.frame.Options
	options.Client = behind{f.Client, stale}
	if _, err := reconcile.NewFrame(options, &f.kind).Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(stale)}); err != nil || done != 1 {
		t.Errorf("got %v, and it was recorded %d times", err, done)
	}
}

// behind is a client whose cache still shows an object.
type behind struct {
	client.Client
	stale *v1alpha1.AccountTier
}

func (b behind) Get(_ context.Context, _ client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	b.stale.DeepCopyInto(obj.(*v1alpha1.AccountTier))
	return nil
}
