package reconcile

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Phase says who has to act before an object is Ready.
type Phase int

const (
	// Ready: nobody has to act.
	Ready Phase = iota
	// Reconciling: the operator has to act.
	Reconciling
	// Stalled: a user has to act. The object is reconciled again at the next resync.
	Stalled
	// Retrying: AWS failed, and the operator tries again. It is not known who has to
	// act, so neither Reconciling nor Stalled would be true.
	Retrying
)

// Result is what one reconcile of an object came to: what the conditions Ready,
// Reconciling and Stalled say, and what happens next.
type Result struct {
	Phase Phase
	// Reason and Message of the conditions. Without a Reason the conditions stay as they
	// are. The message is a stable sentence: no request ids, no timestamps, no map order.
	Reason, Message string
	// Warns makes the event of a result in phase Reconciling a warning: a user may have to
	// act after all. The events of phases Stalled and Retrying are warnings anyway.
	Warns bool
	// RequeueAfter is when the object is reconciled again without an event; zero for
	// never.
	RequeueAfter time.Duration
	// Retry is a failure to retry with backoff once the status is patched; nil for none. In
	// phase Ready the conditions stay as they are, because what is retried is not done.
	Retry error
	// AfterPatch is called once the status is stored, or this reconcile has removed the
	// finalizer; nil for nothing.
	AfterPatch func()
	// Unstored is called where the API server rejects the status, whatever is left out of
	// it: it does what must not wait for that, and returns what RequeueAfter becomes. nil
	// for nothing.
	Unstored func(ctx context.Context) time.Duration
	// Released: nothing of the object is left in AWS. The frame removes the finalizer
	// and patches no status.
	Released bool
}

// Released is the result of a cleanup that left nothing in AWS.
func Released() Result { return Result{Released: true} }

// Readyf is a result in phase Ready.
func Readyf(reason, format string, args ...any) Result {
	return Result{Phase: Ready, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Reconcilingf is a result in phase Reconciling.
func Reconcilingf(reason, format string, args ...any) Result {
	return Result{Phase: Reconciling, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Stalledf is a result in phase Stalled.
func Stalledf(reason, format string, args ...any) Result {
	return Result{Phase: Stalled, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Denied is the result for an object that does not get what it declares. One that waits has
// nothing wrong with it.
func Denied(d *admission.Denial) Result {
	if d.Waiting {
		return Result{Phase: Reconciling, Reason: d.Reason, Message: d.Message}
	}
	return Result{Phase: Stalled, Reason: d.Reason, Message: d.Message}
}

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
