package principal

import (
	"context"
	"errors"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
)

// An old version of a policy that allows more than the default version could be
// made the default again with iam:SetDefaultPolicyVersion. The operator deletes it, but
// after all narrowing: by separate workers, whose calls new revocations overtake. It finds
// the versions that are left in what IAM holds, so a restart loses nothing.

// versions deletes the old versions of one principal's policies at a time.
type versions struct{ *Reconciler }

// SetupVersions registers the controller.
func (r *Reconciler) SetupVersions(mgr ctrl.Manager) error {
	items := NewQueue()
	return builder.TypedControllerManagedBy[grants.PrincipalKey](mgr).
		Named("principal-versions").
		WithOptions(items.Options()).
		WatchesRawSource(&r.old).
		Complete(items.Serving(versions{r}))
}

// leaveVersions wakes the worker where a policy that is as it should be has old
// versions that allow more.
func (w *work) leaveVersions(plan policy.Plan) {
	for _, view := range w.views() {
		parsed, ok := policy.ParseName(view.Name)
		wanted := ok && parsed.Shard <= len(plan.Documents) && plan.Documents[parsed.Shard-1] == view.Document
		// What is left of a permission set's policy has no place in the plan.
		if (wanted || view.Document == policy.Nothing) && len(exceeding(view)) > 0 {
			w.old.Add(queue.PriorityResync, w.key)
			return
		}
	}
}

// exceeding lists the old versions of a policy that allow more than its default
// version, as far as it is known what they say.
func exceeding(view iam.PolicyView) []string {
	if view.Presence != iam.Present || view.Document == "" {
		return nil
	}
	var ids []string
	for _, v := range view.Versions {
		if !v.Default && v.Document != "" && !policy.Within(v.Document, view.Document) {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// Reconcile implements reconcile.TypedReconciler.
func (v versions) Reconcile(ctx context.Context, key grants.PrincipalKey) (ctrl.Result, error) {
	account, verified := v.Accounts.Get(key.AccountID)
	if !verified || account.Mode == v1alpha1.ModeObserve {
		return ctrl.Result{}, nil // The principal finds them again.
	}
	// A narrowing of the same policy waits for a deletion that is under way, so the
	// deletion waits for nothing but revocations.
	ctx = awsclient.WithPriority(ctx, awsclient.RetriedRevocation)
	prefix := policy.Prefix(v.OwnerID, policy.Principal{Kind: policy.Kind(key.Kind), Name: key.Name})
	views, _ := account.IAM.Cache().PoliciesWithPrefix(prefix)
	var failure error // One that cannot be deleted keeps no other.
	for _, view := range views {
		for _, id := range exceeding(view) {
			log.FromContext(ctx).Info("Deleting an old version that allows more than the policy", "policy", view.Name, "version", id)
			err := account.IAM.DeleteVersion(ctx, view.Name, id)
			if awserr.Classify(err) == awserr.Conflict {
				continue // It is the default: the next read of IAM finds that.
			}
			if err != nil {
				log.FromContext(ctx).Info("The old version could not be deleted", "policy", view.Name, "version", id, "error", err.Error())
				failure = errors.Join(failure, quiet(err))
			}
		}
	}
	if failure != nil {
		return reconcile.Requeue(queue.PriorityResync, 0, failure)
	}
	return ctrl.Result{}, nil
}
