// Package hybridactivation reconciles HybridActivation: it has AWS make an
// activation, keeps its code in a Secret and nowhere else, replaces it in time,
// and withdraws it when the object goes.
package hybridactivation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// replenishInterval is how often the operator checks whether the registrations of an
// activation with replenishment are used up.
const replenishInterval = time.Minute

// Reconciler converges one HybridActivation at a time.
type Reconciler struct {
	Client client.Client
	// Reader reads past the cache.
	Reader   client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Accounts *accounts.Registry
	Listings *Listings
	// Scope says which objects are this manager's.
	Scope accounts.Shard
	// OwnerID is in the tags of our activations.
	OwnerID string

	// started is when this process reconciled first. Another one may have led until
	// then, and have done what this one does not know.
	started time.Time
	begin   sync.Once
	roles   patience
	names   names
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=hybridactivations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=hybridactivations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one HybridActivation a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	r.begin.Do(func() { r.started = r.Clock.Now() })
	activation := &v1alpha1.HybridActivation{}
	if err := r.Client.Get(ctx, req.NamespacedName, activation); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !activation.DeletionTimestamp.IsZero() {
		after, err := r.reconcileDeletion(ctx, activation)
		return reconcile.Finish(ctx, r.Client, r.Recorder, activation, queue.PriorityRevocation, after, err)
	}
	allowed, err := accounts.Gather(ctx, r.Client, activation.Spec.AccountRef.Name, activation.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	if objectcache.Is(activation) && allowed.Open() {
		if whole, err := objectcache.Whole(ctx, r.Reader, activation); err != nil || !whole {
			return ctrl.Result{}, err
		}
	}
	after, err := r.reconcileSpec(ctx, activation, allowed)
	return reconcile.Finish(ctx, r.Client, r.Recorder, activation, queue.PriorityGrant, after, err)
}

// reconcileSpec judges the spec, and converges to it or withdraws what is not
// allowed any more.
func (r *Reconciler) reconcileSpec(ctx context.Context, a *v1alpha1.HybridActivation, allowed accounts.Inputs) (time.Duration, error) {
	if closed := allowed.Check([]v1alpha1.Region{a.Spec.Region}); closed != nil {
		if closed.Waiting {
			return 0, r.report(ctx, a.DeepCopy(), a, reconcile.VerdictOf(closed))
		}
		return 0, r.refuse(ctx, a, reconcile.VerdictOf(closed))
	}
	tags, problem := guard(allowed, a)
	if problem != nil {
		return 0, r.refuse(ctx, a, *problem)
	}
	account, ok := r.Accounts.Get(allowed.Account.Spec.AccountID)
	switch record := a.Status.Record; {
	case !ok || account.Name != allowed.Account.Name:
		return 0, r.report(ctx, a.DeepCopy(), a, accountNotReady(a))
	case record != nil && record.AccountID != account.AccountID:
		return 0, r.report(ctx, a.DeepCopy(), a, accountMoved(a, account.AccountID))
	case allowed.Namespace == nil || !allowed.Namespace.DeletionTimestamp.IsZero():
		return 0, r.report(ctx, a.DeepCopy(), a, namespaceTerminating(a))
	}
	w := &work{
		Reconciler: r, activation: a, account: account, want: desire(a, r.OwnerID, tags),
		observing: account.Mode == v1alpha1.ModeObserve, allowed: allowed,
	}
	if w.bound = boundOf(allowed.Rules()); w.bound != nil {
		w.want.most = *w.bound.Activations.MaxRegistrations
	}
	return w.converge(ctx)
}

// report writes a verdict into the status where that changes something.
func (r *Reconciler) report(ctx context.Context, before, a *v1alpha1.HybridActivation, v reconcile.Verdict) error {
	a.Status.ObservedGeneration, a.Status.UID = a.Generation, string(a.UID)
	return reconcile.Report(ctx, r.Client, r.Recorder, before, a, &a.Status.Conditions, v)
}

// fail reports an error of AWS, and returns the error to back off with. It returns
// other errors as they are.
func (r *Reconciler) fail(ctx context.Context, before, a *v1alpha1.HybridActivation, err error) error {
	if _, ofAWS := errors.AsType[*cloud.Error](err); !ofAWS {
		return err
	}
	v, shown := reconcile.Failure(err)
	if !shown {
		return err
	}
	if written := r.report(ctx, before, a, v); written != nil {
		return written
	}
	return reconcile.Retry(err)
}

func accountNotReady(a *v1alpha1.HybridActivation) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonAccountNotReady,
		Message: fmt.Sprintf("AWSAccount %q is not ready, so nothing is written to AWS; its own condition Ready tells why.", a.Spec.AccountRef.Name),
	}
}

func accountMoved(a *v1alpha1.HybridActivation, to string) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Stuck, Reason: v1alpha1.ReasonConflict,
		Message: fmt.Sprintf("AWSAccount %q declares account %s now, and the activation lies in account %s; declare an AWSAccount for that one, delete this object, and create it anew.", a.Spec.AccountRef.Name, to, a.Status.Record.AccountID),
	}
}

func namespaceTerminating(a *v1alpha1.HybridActivation) reconcile.Verdict {
	return reconcile.Verdict{
		Progress: reconcile.Working, Reason: v1alpha1.ReasonNamespaceTerminating,
		Message: fmt.Sprintf("Namespace %q is being deleted, so nothing is created in it.", a.Namespace),
	}
}
