package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

type tierScope = reconcile.Scope[*v1alpha1.AccountTier]

// kind is a Kind that does what a test says.
type kind struct {
	reconcile, narrow, cleanup func(context.Context, *tierScope) (reconcile.Result, error)
	calls                      []string
}

func (k *kind) Reconcile(ctx context.Context, s *tierScope) (reconcile.Result, error) {
	k.calls = append(k.calls, "reconcile")
	return k.reconcile(ctx, s)
}

func (k *kind) Narrow(ctx context.Context, s *tierScope) (reconcile.Result, error) {
	k.calls = append(k.calls, "narrow")
	return k.narrow(ctx, s)
}

func (k *kind) Cleanup(ctx context.Context, s *tierScope) (reconcile.Result, error) {
	k.calls = append(k.calls, "clean up")
	return k.cleanup(ctx, s)
}

// framed is a frame with a kind, on a cluster that counts the patches.
type framed struct {
	t *testing.T
	client.Client
	frame    *reconcile.Frame[*v1alpha1.AccountTier]
	recorder *events.FakeRecorder
	kind     kind
	// patches of metadata and of the status.
	patches, statusPatches int
	// reject is asked about each patch of the status first.
	reject func(client.Patch) error
}

func newFramed(t *testing.T, change func(*reconcile.Options), objects ...client.Object) *framed {
	t.Helper()
	f := &framed{t: t, recorder: events.NewFakeRecorder(10)}
	scheme := runtime.NewScheme()
	f.must(v1alpha1.AddToScheme(scheme))
	f.Client = interceptor.NewClient(
		fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&v1alpha1.AccountTier{}).Build(),
		interceptor.Funcs{
			Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
				f.patches++
				return c.Patch(ctx, obj, patch, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, name string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
				f.statusPatches++
				if f.reject != nil {
					if err := f.reject(patch); err != nil {
						return err
					}
				}
				return c.SubResource(name).Patch(ctx, obj, patch, opts...)
			},
		},
	)
	options := reconcile.Options{Client: f, Reader: f, Recorder: f.recorder, Accounts: accounts.NewRegistry()}
	if change != nil {
		change(&options)
	}
	f.frame = reconcile.NewFrame(options, &f.kind)
	return f
}

func (f *framed) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *framed) reconcile() ctrl.Result {
	f.t.Helper()
	result, err := f.frame.Reconcile(f.t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: "tier"}})
	f.must(err)
	return result
}

func (f *framed) tier(ctx context.Context) *v1alpha1.AccountTier {
	f.t.Helper()
	tier := &v1alpha1.AccountTier{}
	f.must(f.Get(ctx, client.ObjectKey{Name: "tier"}, tier))
	return tier
}

func (f *framed) counted(patches, statusPatches int) {
	f.t.Helper()
	if f.patches != patches || f.statusPatches != statusPatches {
		f.t.Errorf("%d patches and %d of the status, want %d and %d", f.patches, f.statusPatches, patches, statusPatches)
	}
}

func (f *framed) called(calls ...string) {
	f.t.Helper()
	if !slices.Equal(f.kind.calls, calls) {
		f.t.Errorf("the kind was called to %q, want %q", f.kind.calls, calls)
	}
}

func tier(account string) *v1alpha1.AccountTier {
	return &v1alpha1.AccountTier{
		ObjectMeta: metav1.ObjectMeta{Name: "tier", UID: "1", Generation: 3, Finalizers: []string{v1alpha1.Finalizer}},
		Spec:       v1alpha1.AccountTierSpec{AccountRef: v1alpha1.AccountReference{Name: account}, Tier: v1alpha1.TierAdvanced},
	}
}

func TestTheStatusIsPatchedOnceWithTheResult(t *testing.T) {
	t.Parallel()
	f := newFramed(t, nil, tier("none"))
	f.kind.reconcile = func(_ context.Context, s *tierScope) (reconcile.Result, error) {
		s.Object.Status.Regions = []v1alpha1.RegionTier{{Region: "r", Tier: v1alpha1.TierAdvanced}}
		r := reconcile.Stalledf(v1alpha1.ReasonInvalid, "message")
		r.RequeueAfter = time.Minute
		return r, nil
	}
	if after := f.reconcile().RequeueAfter; after != time.Minute {
		t.Errorf("requeued after %s", after)
	}
	got := f.tier(t.Context())
	ready := meta.FindStatusCondition(got.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Reason != v1alpha1.ReasonInvalid || ready.ObservedGeneration != 3 || got.Status.ObservedGeneration != 3 || len(got.Status.Regions) != 1 {
		t.Errorf("the status is %+v", got.Status)
	}
	if !meta.IsStatusConditionTrue(got.Status.Conditions, v1alpha1.ConditionStalled) || len(f.recorder.Events) != 1 {
		t.Errorf("%d events, and the conditions are %+v", len(f.recorder.Events), got.Status.Conditions)
	}
	f.counted(0, 1)
	f.reconcile()
	f.counted(0, 1)
}

func TestARecordIsStoredBeforeTheResult(t *testing.T) {
	t.Parallel()
	without := tier("none")
	without.Finalizers = nil
	f := newFramed(t, nil, without)
	f.kind.reconcile = func(ctx context.Context, s *tierScope) (reconcile.Result, error) {
		s.Object.Status.Regions = []v1alpha1.RegionTier{{Region: "recorded"}}
		if err := s.Record(ctx, reconcile.Result{}); err != nil {
			return reconcile.Result{}, err
		}
		if stored := f.tier(ctx); len(stored.Status.Regions) != 1 || len(stored.Finalizers) != 1 {
			t.Errorf("what is stored before the write is %+v", stored)
		}
		return reconcile.Readyf(v1alpha1.ReasonTierInForce, "message"), nil
	}
	f.reconcile()
	f.counted(1, 2)
	if !meta.IsStatusConditionTrue(f.tier(t.Context()).Status.Conditions, v1alpha1.ConditionReady) {
		t.Error("the object is not Ready")
	}
}

func TestAFailureThatIsShownIsRetriedAndAnErrorPatchesNothing(t *testing.T) {
	t.Parallel()
	failure := errors.New("failure")
	f := newFramed(t, nil, tier("none"))
	request := ctrl.Request{NamespacedName: client.ObjectKey{Name: "tier"}}
	f.kind.reconcile = func(context.Context, *tierScope) (reconcile.Result, error) {
		return reconcile.Result{Reason: v1alpha1.ReasonInvalid}, failure
	}
	if _, err := f.frame.Reconcile(t.Context(), request); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.counted(0, 0)
	f.kind.reconcile = func(context.Context, *tierScope) (reconcile.Result, error) {
		return reconcile.Result{Phase: reconcile.Retrying, Reason: v1alpha1.ReasonAWSUnavailable, Retry: failure}, nil
	}
	if _, err := f.frame.Reconcile(t.Context(), request); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	f.counted(0, 1)
}

func TestASuspendedObjectIsNarrowed(t *testing.T) {
	t.Parallel()
	suspended := tier("none")
	suspended.Spec.Suspend = true
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "suspended"}, Spec: v1alpha1.AWSAccountSpec{Suspend: true}}
	for name, obj := range map[string]*v1alpha1.AccountTier{"by itself": suspended, "by its account": tier(account.Name)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFramed(t, nil, obj, account.DeepCopy())
			f.kind.narrow = func(context.Context, *tierScope) (reconcile.Result, error) {
				return reconcile.Readyf(v1alpha1.ReasonTierInForce, "message"), nil
			}
			f.reconcile()
			f.called("narrow")
			ready := meta.FindStatusCondition(f.tier(t.Context()).Status.Conditions, v1alpha1.ConditionReady)
			if ready == nil || ready.Status != metav1.ConditionFalse || ready.Reason != v1alpha1.ReasonSuspended {
				t.Errorf("Ready is %+v", ready)
			}
			f.kind.narrow = func(context.Context, *tierScope) (reconcile.Result, error) {
				return reconcile.Stalledf(v1alpha1.ReasonAccessDenied, "message"), nil
			}
			f.reconcile()
			if ready := meta.FindStatusCondition(f.tier(t.Context()).Status.Conditions, v1alpha1.ConditionReady); ready.Reason != v1alpha1.ReasonAccessDenied {
				t.Errorf("a failure is hidden: %+v", ready)
			}
		})
	}
}

func TestConditionsOfAnEarlierVersionGetTheirPresentNames(t *testing.T) {
	t.Parallel()
	earlier := tier("none")
	earlier.Status.Conditions = []metav1.Condition{
		{Type: "SessionListing", Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonListingLost},
		{Type: "PolicyQuota", Status: metav1.ConditionTrue, Reason: "Old"},
		{Type: v1alpha1.ConditionPolicyQuotaNearlyExhausted, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonNearQuota},
	}
	f := newFramed(t, nil, earlier)
	f.kind.reconcile = func(_ context.Context, s *tierScope) (reconcile.Result, error) {
		if c := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionSessionsListable); c == nil || c.Reason != v1alpha1.ReasonListingLost {
			t.Errorf("the kind sees %+v", s.Object.Status.Conditions)
		}
		return reconcile.Result{}, nil
	}
	f.reconcile()
	f.counted(0, 1)
	var stored []string
	for _, c := range f.tier(t.Context()).Status.Conditions {
		stored = append(stored, c.Type+" "+c.Reason)
	}
	if want := []string{"SessionsListable ListingLost", "PolicyQuotaNearlyExhausted NearQuota"}; !slices.Equal(stored, want) {
		t.Errorf("stored is %v, want %v", stored, want)
	}
	f.reconcile()
	f.counted(0, 1)
}

func TestAReleasedObjectIsGone(t *testing.T) {
	t.Parallel()
	f := newFramed(t, nil, tier("none"))
	f.must(f.Delete(t.Context(), tier("none")))
	f.kind.cleanup = func(context.Context, *tierScope) (reconcile.Result, error) { return reconcile.Released(), nil }
	f.reconcile()
	f.counted(1, 0)
	if err := f.Get(t.Context(), client.ObjectKey{Name: "tier"}, &v1alpha1.AccountTier{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("got %v", err)
	}
	f.called("clean up")
}

// The API server removes an object at once that is deleted in the moment in which it gets
// its first finalizer.
func TestAnObjectThatWasRemovedInSpiteOfItsFinalizerIsCleanedUp(t *testing.T) {
	t.Parallel()
	successor := tier("none")
	successor.UID = "2"
	f := newFramed(t, nil, successor)
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	defer queue.ShutDown()
	f.frame.Removals().Delete(t.Context(), event.DeleteEvent{Object: tier("none")}, queue)
	if queue.Len() != 1 {
		t.Errorf("%d objects are enqueued", queue.Len())
	}
	f.kind.cleanup = func(_ context.Context, s *tierScope) (reconcile.Result, error) {
		if s.Object.UID != "1" || !s.Deleting() {
			t.Errorf("cleaning up after %+v", s.Object.ObjectMeta)
		}
		if s.Object.Status.Regions != nil {
			return reconcile.Released(), nil
		}
		s.Object.Status.Regions = []v1alpha1.RegionTier{{Region: "remembered"}}
		return reconcile.Reconcilingf(v1alpha1.ReasonTierChanging, "message"), nil
	}
	if after := f.reconcile().RequeueAfter; after == 0 {
		t.Error("no event triggers the next cleanup, and none is scheduled")
	}
	f.called("clean up")
	f.kind.reconcile = func(_ context.Context, s *tierScope) (reconcile.Result, error) { return reconcile.Result{}, nil }
	f.reconcile()
	f.reconcile()
	f.called("clean up", "clean up", "reconcile", "reconcile")
	f.counted(0, 0)
	if len(f.recorder.Events) != 0 {
		t.Errorf("there are %d events for an object that is gone", len(f.recorder.Events))
	}
}

func TestAnObjectOfAnotherManagerIsLeftAlone(t *testing.T) {
	t.Parallel()
	account := &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "other", Labels: map[string]string{"shard": "b"}}}
	mine := labels.SelectorFromSet(labels.Set{"shard": "a"})
	f := newFramed(t, func(o *reconcile.Options) { o.Shard = accounts.Shard{Selector: mine} }, account, tier("other"))
	f.reconcile()
	f.called()
	f.counted(0, 0)
}

func TestOnlyAnotherControllersFinalizerKeepsAReleasedObject(t *testing.T) {
	t.Parallel()
	kept := tier("none")
	kept.Finalizers = []string{"example.com/other"}
	f := newFramed(t, nil, kept)
	f.must(f.Delete(t.Context(), kept))
	f.reconcile()
	f.called()
	f.counted(0, 0)
}
