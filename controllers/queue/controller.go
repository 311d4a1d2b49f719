package queue

import (
	"context"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
)

// Options are those of the controller that the queue serves.
func (q *Queue[T]) Options() controller.TypedOptions[T] {
	return controller.TypedOptions[T]{MaxConcurrentReconciles: Workers, NewQueue: q.Start}
}

// Serving has the calls to AWS that a reconcile makes admitted as those of the
// tenant whose turn it is.
func (q *Queue[T]) Serving(next reconcile.TypedReconciler[T]) reconcile.TypedReconciler[T] {
	return reconcile.TypedFunc[T](func(ctx context.Context, item T) (reconcile.Result, error) {
		tenant, _ := q.TurnOf(item)
		return next.Reconcile(awsclient.WithTenant(ctx, tenant), item)
	})
}

// cacheTimeout bounds a read from the cache.
const cacheTimeout = time.Second

// ForObjects returns a queue of the objects of a kind, which are read from a
// cache. Their namespaces are the tenants.
func ForObjects[O v1alpha1.AccountUser](c client.Reader, empty func() O, limits Limits) *Queue[reconcile.Request] {
	return New(Options[reconcile.Request]{
		Limits: limits,
		Tenant: func(r reconcile.Request) string { return r.Namespace },
		Account: func(r reconcile.Request) string {
			// The cache answers at once, unless it is not filled yet and never will be.
			ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
			defer cancel()
			obj := empty()
			if c.Get(ctx, r.NamespacedName, obj, client.UnsafeDisableDeepCopy) != nil {
				return "" // It is gone.
			}
			return accountOf(ctx, c, obj)
		},
	})
}

// accountOf is the AWSAccount that an object names, with the ids of the accounts
// in its record where it has access in several: work that waits for one of them is
// not counted as the work of another. It is "" where no such AWSAccount exists: a
// tenant can invent any number of names, and each would have turns of its own.
func accountOf(ctx context.Context, c client.Reader, obj v1alpha1.AccountUser) string {
	var names []string
	if c.Get(ctx, client.ObjectKey{Name: obj.AccountName()}, &v1alpha1.AWSAccount{}, client.UnsafeDisableDeepCopy) == nil {
		names = append(names, obj.AccountName())
	}
	access, ok := any(obj).(*v1alpha1.SessionAccess)
	if !ok {
		return strings.Join(names, " ")
	}
	var ids []string
	for _, key := range grants.PrincipalKeysOf(access.Status.Applied) {
		if !slices.Contains(ids, key.AccountID) {
			ids = append(ids, key.AccountID)
		}
	}
	if len(ids) > 1 || len(names) == 0 {
		names = append(names, ids...)
	}
	return strings.Join(names, " ")
}

// ForAccounts returns a queue of AWSAccounts, each served by one worker.
func ForAccounts() *Queue[reconcile.Request] {
	return New(Options[reconcile.Request]{
		Limits:  Limits{Account: 1, Tenant: 1},
		Account: func(r reconcile.Request) string { return r.Name },
	})
}
