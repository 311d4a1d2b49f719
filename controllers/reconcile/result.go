package reconcile

import (
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
)

// ConflictDelay is how long to wait for the cache after another client changed or deleted
// an object first. It is no failure, and backs nothing off.
const ConflictDelay = 200 * time.Millisecond

// Requeue ends a reconcile at a priority: a requeue would otherwise keep the
// priority with which it came. A revocation that is requeued is a retried one.
func Requeue(priority int, after time.Duration, err error) (ctrl.Result, error) {
	if priority == queue.PriorityRevocation {
		priority = queue.PriorityRetriedRevocation
	}
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return ctrl.Result{RequeueAfter: ConflictDelay, Priority: &priority}, nil
	}
	return ctrl.Result{RequeueAfter: after, Priority: &priority}, err
}
