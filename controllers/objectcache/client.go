package objectcache

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// Client is a client that remembers its patches. It is safe for concurrent use.
type Client struct {
	client.Client
	// live reads past the cache.
	live client.Reader

	mu sync.Mutex
	// patched are the versions that patches returned and that the cache is not known
	// to have reached.
	patched map[object]patched
}

// patched is the result of a patch.
type patched struct {
	uid     types.UID
	version string
}

type object struct {
	kind string
	key  client.ObjectKey
}

// NewClient returns a client that reads from live what cached does not show yet.
func NewClient(cached client.Client, live client.Reader) *Client {
	return &Client{Client: cached, live: live, patched: map[object]patched{}}
}

// Watch forgets the patches of objects that are gone, of every kind. An object without a
// finalizer is removed without a reconcile, and so without a read.
func (c *Client) Watch(ctx context.Context, informers cache.Informers) error {
	for _, kind := range v1alpha1.Kinds() {
		informer, err := informers.GetInformer(ctx, kind, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watch %Ts: %w", kind, err)
		}
		if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{DeleteFunc: c.deleted}); err != nil {
			return fmt.Errorf("watch %Ts: %w", kind, err)
		}
	}
	return nil
}

// deleted forgets the patches of an object that is gone, when an informer reports it. By then
// there may be another one of the name.
func (c *Client) deleted(gone any) {
	if unseen, ok := gone.(toolscache.DeletedFinalStateUnknown); ok {
		gone = unseen.Obj
	}
	obj, ok := gone.(client.Object)
	if !ok {
		return
	}
	id, err := c.id(client.ObjectKeyFromObject(obj), obj)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.patched[id].uid == obj.GetUID() {
		delete(c.patched, id)
	}
}

// Get implements client.Reader.
func (c *Client) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	id, err := c.id(key, obj)
	if err != nil {
		return err
	}
	if err := c.Client.Get(ctx, key, obj, opts...); err != nil {
		if apierrors.IsNotFound(err) {
			c.forget(id)
		}
		return err //nolint:wrapcheck // As the client would.
	}
	behind, err := c.behind(id, obj.GetResourceVersion())
	if err != nil || !behind {
		return err
	}
	// Not into the object from the cache: what is no longer there would stay in it.
	found, err := Read(ctx, c.live, key, obj, opts...)
	if err == nil {
		Replace(obj, found)
	}
	return err
}

// Patch implements client.Writer.
func (c *Client) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if err := c.Client.Patch(ctx, obj, patch, opts...); err != nil {
		return err //nolint:wrapcheck // As the client would.
	}
	return c.remember(obj)
}

// Status implements client.StatusClient.
func (c *Client) Status() client.SubResourceWriter {
	return status{c.Client.Status(), c}
}

type status struct {
	client.SubResourceWriter
	of *Client
}

// Patch implements client.SubResourceWriter.
func (s status) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	if err := s.SubResourceWriter.Patch(ctx, obj, patch, opts...); err != nil {
		return err //nolint:wrapcheck // As the client would.
	}
	return s.of.remember(obj)
}

// remember records the version that a patch returned. After a patch that released the
// object there is no version to read.
func (c *Client) remember(obj client.Object) error {
	id, err := c.id(client.ObjectKeyFromObject(obj), obj)
	if err != nil {
		return err
	}
	if !obj.GetDeletionTimestamp().IsZero() && len(obj.GetFinalizers()) == 0 {
		c.forget(id)
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.patched[id] = patched{obj.GetUID(), obj.GetResourceVersion()}
	return nil
}

// behind reports whether a version that the cache shows is older than the last patch
// of the object. It forgets a patch that the cache shows.
func (c *Client) behind(id object, shown string) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok := c.patched[id]
	if !ok {
		return false, nil
	}
	order, err := resourceversion.CompareResourceVersion(shown, last.version)
	if err != nil {
		return false, fmt.Errorf("compare the versions of %s %s: %w", id.kind, id.key, err)
	}
	if order >= 0 {
		delete(c.patched, id)
	}
	return order < 0, nil
}

func (c *Client) forget(id object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.patched, id)
}

func (c *Client) id(key client.ObjectKey, obj runtime.Object) (object, error) {
	gvk, err := apiutil.GVKForObject(obj, c.Scheme())
	if err != nil {
		return object{}, fmt.Errorf("find the kind of %T: %w", obj, err)
	}
	return object{gvk.Kind, key}, nil
}
