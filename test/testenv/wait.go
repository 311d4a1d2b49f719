package testenv

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/yaml"
)

// WaitFor watches the object that has obj's kind, namespace and name until done
// says so, and returns it as it was then. The object need not exist yet, and it
// can be deleted and created again meanwhile. obj itself stays as it is.
func WaitFor[T client.Object](ctx context.Context, c client.WithWatch, obj T, done func(T) bool) (T, error) {
	var last T
	seen := false
	err := follow(ctx, c, obj, only(obj), nil, func(event watch.Event) (bool, error) {
		// An event of another type leaves nothing seen.
		last, seen = event.Object.(T)
		return seen && event.Type != watch.Deleted && done(last), nil
	})
	if err != nil {
		return last, fmt.Errorf("wait for %T %s: %w; %s", obj, client.ObjectKeyFromObject(obj), err, describe(last, seen))
	}
	return last, nil
}

// WaitGone watches the object that has obj's kind, namespace and name until the
// API server has none.
func WaitGone(ctx context.Context, c client.WithWatch, obj client.Object) error {
	var last client.Object
	absent := func(store cache.Store) (bool, error) { return len(store.ListKeys()) == 0, nil }
	err := follow(ctx, c, obj, only(obj), absent, func(event watch.Event) (bool, error) {
		last, _ = event.Object.(client.Object)
		return event.Type == watch.Deleted, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %T %s is gone: %w; %s", obj, client.ObjectKeyFromObject(obj), err, describe(last, last != nil))
	}
	return nil
}

// WaitCount watches all objects of obj's kind that the options select until
// exactly n of them are done.
func WaitCount[T client.Object](ctx context.Context, c client.WithWatch, obj T, n int, done func(T) bool, opts ...client.ListOption) error {
	matching := map[client.ObjectKey]bool{}
	// The precondition is there for n == 0, when there may never be an event.
	before := func(store cache.Store) (bool, error) {
		count := 0
		for _, item := range store.List() {
			if typed, ok := item.(T); ok && done(typed) {
				count++
			}
		}
		return count == n, nil
	}
	err := follow(ctx, c, obj, opts, before, func(event watch.Event) (bool, error) {
		seen, ok := event.Object.(T)
		if !ok {
			return false, nil
		}
		key := client.ObjectKeyFromObject(seen)
		if delete(matching, key); event.Type != watch.Deleted && done(seen) {
			matching[key] = true
		}
		return len(matching) == n, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %d objects of type %T are as wanted: %w; there are %d", n, obj, err, len(matching))
	}
	return nil
}

// follow lists and watches the objects of obj's kind that the options select.
// It ends when before holds for the list, or on for an event: there is one for
// each listed object too.
func follow(ctx context.Context, c client.WithWatch, obj client.Object, opts []client.ListOption, before watchtools.PreconditionFunc, on watchtools.ConditionFunc) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	list, err := listOf(c, obj)
	if err != nil {
		return err
	}
	_, err = watchtools.UntilWithSync(ctx, &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, raw metav1.ListOptions) (runtime.Object, error) {
			fresh := list.DeepCopyObject().(client.ObjectList)
			return fresh, c.List(ctx, fresh, with(raw, opts)...)
		},
		WatchFuncWithContext: func(ctx context.Context, raw metav1.ListOptions) (watch.Interface, error) {
			fresh := list.DeepCopyObject().(client.ObjectList)
			return c.Watch(ctx, fresh, with(raw, opts)...)
		},
	}, obj, before, on)
	return err
}

// with puts the options on top of what the informer asks for.
func with(raw metav1.ListOptions, opts []client.ListOption) []client.ListOption {
	return append([]client.ListOption{&client.ListOptions{Raw: &raw}}, opts...)
}

// only selects the one object that has obj's namespace and name.
func only(obj client.Object) []client.ListOption {
	return []client.ListOption{
		client.InNamespace(obj.GetNamespace()),
		client.MatchingFields{metav1.ObjectNameField: obj.GetName()},
	}
}

// listOf is an empty list of obj's kind.
func listOf(c client.Client, obj client.Object) (client.ObjectList, error) {
	gvk, err := apiutil.GVKForObject(obj, c.Scheme())
	if err != nil {
		return nil, fmt.Errorf("find the kind of %T: %w", obj, err)
	}
	gvk.Kind += "List"
	if _, ok := obj.(*metav1.PartialObjectMetadata); ok {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(gvk)
		return list, nil
	}
	made, err := c.Scheme().New(gvk)
	if err != nil {
		return nil, fmt.Errorf("make a list of %T: %w", obj, err)
	}
	list, ok := made.(client.ObjectList)
	if !ok || !meta.IsListType(made) {
		return nil, fmt.Errorf("%s is no list", gvk.Kind)
	}
	return list, nil
}

// describe shows the state of an object that did not reach the state waited
// for.
func describe(obj client.Object, seen bool) string {
	if !seen {
		return "it was never there"
	}
	text, err := yaml.Marshal(obj)
	if err != nil {
		return err.Error()
	}
	return "it was last\n" + string(text)
}
