package queue

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Requests lists the objects of a kind that an event concerns: those in the cache that opts
// select and, where it is not nil, pick. list is an empty list of the kind, and O its
// items. pick must not change an object.
func Requests[O client.Object](ctx context.Context, c client.Reader, list client.ObjectList, pick func(O) bool, opts ...client.ListOption) []reconcile.Request {
	found := list.DeepCopyObject().(client.ObjectList)
	if err := c.List(ctx, found, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		// A list from the cache fails only while the manager stops.
		log.FromContext(ctx).Error(err, "Listing the objects that an event concerns")
		return nil
	}
	requests := make([]reconcile.Request, 0, meta.LenList(found))
	// The function never fails, so neither does this.
	_ = meta.EachListItem(found, func(item runtime.Object) error {
		if obj := item.(O); pick == nil || pick(obj) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
		return nil
	})
	return requests
}

// NamingAccount maps an AWSAccount to the objects of a kind that name it.
func NamingAccount(c client.Reader, list client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, account client.Object) []reconcile.Request {
		return Requests[client.Object](ctx, c, list, nil, OfAccountName(account.GetName()))
	}
}

// InNamespace maps a namespace, whose labels decide, to the objects of a kind in it.
func InNamespace(c client.Reader, list client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, namespace client.Object) []reconcile.Request {
		return Requests[client.Object](ctx, c, list, nil, client.InNamespace(namespace.GetName()))
	}
}
