package objectcache

import (
	"context"
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// lagging returns an old state of an object until the test has it catch up.
type lagging struct {
	client.WithWatch
	was *v1alpha1.SessionAccess
}

func (l *lagging) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if l.was == nil {
		return l.WithWatch.Get(ctx, key, obj, opts...)
	}
	l.was.DeepCopyInto(obj.(*v1alpha1.SessionAccess))
	return nil
}

type bench struct {
	*testing.T
	cache  *lagging
	client *Client
	key    client.ObjectKey
}

func newBench(t *testing.T) bench {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	one := &v1alpha1.SessionAccess{}
	one.Namespace, one.Name, one.Finalizers = "team", "one", []string{v1alpha1.Finalizer}
	api := fake.NewClientBuilder().WithScheme(scheme).WithObjects(one).WithStatusSubresource(one).Build()
	b := bench{t, &lagging{WithWatch: api}, nil, client.ObjectKeyFromObject(one)}
	b.client = NewClient(b.cache, api)
	b.cache.was = b.get()
	return b
}

func (b bench) get() *v1alpha1.SessionAccess {
	b.Helper()
	got := &v1alpha1.SessionAccess{}
	if err := b.client.Get(b.Context(), b.key, got); err != nil {
		b.Fatal(err)
	}
	return got
}

// patchStatus writes a status as the operator does.
func (b bench) patchStatus(generation int64) {
	b.Helper()
	data, err := json.Marshal(map[string]any{"status": map[string]any{"observedGeneration": generation}})
	if err != nil {
		b.Fatal(err)
	}
	obj := &v1alpha1.SessionAccess{}
	obj.Namespace, obj.Name = b.key.Namespace, b.key.Name
	if err := b.client.Status().Patch(b.Context(), obj, client.RawPatch(types.MergePatchType, data)); err != nil {
		b.Fatal(err)
	}
}

func TestAReadIsNoOlderThanTheLastPatch(t *testing.T) {
	b := newBench(t)
	b.patchStatus(1)
	b.patchStatus(2)
	if got := b.get().Status.ObservedGeneration; got != 2 {
		t.Errorf("generation %d is read after 2 was written", got)
	}
}

func TestWhatTheCacheShowsIsRememberedNoLonger(t *testing.T) {
	b := newBench(t)
	b.patchStatus(1)
	b.cache.was = nil
	b.get()
	if n := len(b.client.patched); n != 0 {
		t.Errorf("%d patches are remembered that the cache shows", n)
	}
}

func TestAnObjectThatIsGoneIsRememberedNoLonger(t *testing.T) {
	b := newBench(t)
	b.cache.was = nil
	if err := b.client.Delete(b.Context(), b.get()); err != nil {
		t.Fatal(err)
	}
	b.patchStatus(1)
	obj := b.get()
	obj.Finalizers = nil
	if err := b.client.Patch(b.Context(), obj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
		t.Fatal(err)
	}
	if n := len(b.client.patched); n != 0 {
		t.Errorf("%d patches are remembered of an object that they let go", n)
	}
	if err := b.client.Get(t.Context(), b.key, &v1alpha1.SessionAccess{}); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("reading what is gone gives %v", err)
	}
}

// A tenant can create and delete any number of objects.
func TestAnObjectThatIsGoneIsForgotten(t *testing.T) {
	for name, tell := range map[string]func(*v1alpha1.SessionAccess) any{
		"deleted":           func(a *v1alpha1.SessionAccess) any { return a },
		"deleted unwatched": func(a *v1alpha1.SessionAccess) any { return toolscache.DeletedFinalStateUnknown{Obj: a} },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if err := b.client.Status().Patch(t.Context(), b.get(), client.RawPatch(types.MergePatchType, []byte(`{"status":{"observedGeneration":1}}`))); err != nil {
				t.Fatal(err)
			}
			if len(b.client.patched) != 1 {
				t.Fatalf("%d patches are remembered", len(b.client.patched))
			}
			earlier := b.cache.was.DeepCopy()
			earlier.UID = "another"
			if b.client.deleted(tell(earlier)); len(b.client.patched) != 1 {
				t.Error("an earlier object of the name is taken for this one")
			}
			b.client.deleted(tell(b.cache.was))
			if n := len(b.client.patched); n != 0 {
				t.Errorf("%d patches of objects that are gone are remembered", n)
			}
		})
	}
}
