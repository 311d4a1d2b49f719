package sessionaccess

import (
	"context"
	"fmt"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
)

// reconcileDeletion lets the object go once every principal of its record is
// proven to hold nothing of it. The principals take the deletion from the
// object itself: nothing needs to be recorded first.
func (r *Reconciler) reconcileDeletion(ctx context.Context, access *v1alpha1.SessionAccess) error {
	if !controllerutil.ContainsFinalizer(access, v1alpha1.Finalizer) {
		return nil
	}
	left := slices.DeleteFunc(outcome.KeysOf(access.Status.Applied), func(key outcome.Key) bool {
		return ended(access.Status.Applied, key, access.UID, true, r.Outcomes.Get)
	})
	if len(left) == 0 {
		log.FromContext(ctx).Info("Letting the object go: nothing of it is left in AWS")
		return lifecycle.RemoveFinalizer(ctx, r.Client, access)
	}
	before := access.DeepCopy()
	return r.write(ctx, before, access, r.held(access, left))
}

// held tells what keeps a deleted object: the first principal with a problem,
// or else that AWS is being told.
func (r *Reconciler) held(access *v1alpha1.SessionAccess, left []outcome.Key) lifecycle.Verdict {
	for _, key := range left {
		if _, ok := r.Accounts.Get(key.AccountID); !ok {
			return lifecycle.Verdict{Progress: lifecycle.Working, Reason: v1alpha1.ReasonAccountNotReady,
				Message: fmt.Sprintf("This object stays until its access is taken away, and account %s cannot be worked on now; mend the AWSAccount that declares it, or create it again.", key.AccountID)}
		}
		o, _ := r.Outcomes.Get(key)
		if saw, ok := o.Saw[access.UID]; ok && saw.Deleting && saw.Reason != "" {
			return lifecycle.Verdict{Progress: progressOf(saw.State), Reason: saw.Reason,
				Message: fmt.Sprintf("This object stays until the access of %s is taken away. %s", key, saw.Message)}
		}
	}
	return revoking(access.Status.Applied)
}
