package accounttier

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Cleanup restores what was changed, in whatever region, or leaves it as spec.deletionPolicy
// says. An object for which nothing is to restore is released without AWS.
func (r *Reconciler) Cleanup(ctx context.Context, s *frameScope) (reconcile.Result, error) {
	s.Priority = queue.PriorityGrant // A tier gives access to nobody.
	in, err := r.gather(ctx, s)
	if err != nil {
		return reconcile.Result{}, err
	}
	account, denied := r.usable(in, nil)
	switch {
	case denied != nil && (s.Object.DeletionPolicy() == v1alpha1.DeletionKeep || !changedAny(&s.Object.Status)):
		return release(ctx, s), nil
	case denied != nil:
		return *denied, nil
	}
	result, err := r.converge(ctx, s, in, account, planFor)
	if err == nil && len(s.Object.Status.Regions) == 0 {
		return release(ctx, s), nil
	}
	return result, err
}

func release(ctx context.Context, s *frameScope) reconcile.Result {
	log.FromContext(ctx).Info("Releasing the object: the tiers are as its deletionPolicy says", "deletionPolicy", s.Object.DeletionPolicy())
	return reconcile.Released()
}
