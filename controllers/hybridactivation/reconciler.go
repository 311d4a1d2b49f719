// Package hybridactivation reconciles HybridActivation: it creates an activation in AWS,
// keeps its code in a Secret and nowhere else, replaces it in time, and deletes it when the
// object is deleted.
package hybridactivation

import (
	"context"
	"sync"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// replenishInterval is how often the operator checks whether the registrations of an
// activation with replenishment are used up.
const replenishInterval = time.Minute

// Reconciler converges one HybridActivation at a time. It is a reconcile.Kind.
type Reconciler struct {
	reconcile.Options
	Activations *ActivationCache
	// OwnerID is in the tags of our activations.
	OwnerID string

	// started is when this process reconciled first. Another one may have led until
	// then, and have done what this one does not know.
	started time.Time
	begin   sync.Once
	roles   roleRetry
	names   names
	turns   turns
}

// frameScope is what the frame keeps of one reconcile.
type frameScope = reconcile.Scope[*v1alpha1.HybridActivation]

// scope is one reconcile of one HybridActivation.
type scope struct {
	*Reconciler
	*frameScope
	account accounts.Entry
	desired desired
	// isObserving: nothing is written to AWS, nor the Secret.
	isObserving bool
	// isSuspended: only what is not declared or allowed any more is withdrawn.
	isSuspended bool
	secrets     secrets
	// bound is the rule that bounds the machines of the object; nil when none does.
	bound *v1alpha1.Guardrail
	// registered is how many machines there are, where they are bounded.
	registered int32
	// allowed is what the account allows, for the messages.
	allowed admission.AccountAccess
}

func (r *Reconciler) scope(frame *frameScope) *scope {
	r.begin.Do(func() { r.started = r.Clock.Now() })
	return &scope{Reconciler: r, frameScope: frame}
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=hybridactivations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=hybridactivations/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one HybridActivation a step further: it converges to the spec, or
// withdraws what is not allowed any more.
func (r *Reconciler) Reconcile(ctx context.Context, frame *frameScope) (reconcile.Result, error) {
	return r.reconcile(ctx, r.scope(frame))
}

// Narrow withdraws activations that allow what is not declared or allowed any more.
func (r *Reconciler) Narrow(ctx context.Context, frame *frameScope) (reconcile.Result, error) {
	s := r.scope(frame)
	s.isSuspended = true
	return r.reconcile(ctx, s)
}

func (r *Reconciler) reconcile(ctx context.Context, s *scope) (reconcile.Result, error) {
	allowed, err := s.Access(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	a := s.Object
	if denial := allowed.Check([]v1alpha1.Region{a.Spec.Region}); denial != nil {
		s.desired = desire(a, r.OwnerID, nil)
		if denial.Waiting && !s.desired.exceededBy(&a.Status, r.Clock.Now()) {
			return reconcile.Denied(denial), nil
		}
		return s.withdrawDenied(ctx, reconcile.Denied(denial))
	}
	tags, denial := allowed.CheckHybridActivation(a)
	if denial != nil {
		return s.withdrawDenied(ctx, reconcile.Denied(denial))
	}
	account, notReady := r.VerifiedAccount(allowed.Account)
	switch record := a.Status.Record; {
	case notReady != nil:
		return *notReady, nil
	case record != nil && record.AccountID != account.AccountID:
		return accountMoved(a, account.AccountID), nil
	case allowed.Namespace == nil || !allowed.Namespace.DeletionTimestamp.IsZero():
		return namespaceTerminating(a), nil
	}
	s.account, s.allowed, s.desired = account, allowed, desire(a, r.OwnerID, tags)
	s.isObserving = account.Mode == v1alpha1.ModeObserve
	if s.bound = allowed.MaxRegistrations(); s.bound != nil {
		s.desired.most = *s.bound.Activations.MaxRegistrations
	}
	return s.converge(ctx)
}
