// Package sessiondocument reconciles SessionDocument: it keeps the document that
// each one declares in AWS, region by region, and cleans up after it.
package sessiondocument

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Delays. AWS sends no events: the operator has to poll for results.
const (
	// followDelay is how soon the operator reads a document again that AWS is making,
	// changing or deleting. It mostly takes seconds.
	followDelay = 2 * time.Second
	// settleDelay is how soon the operator reads again what AWS did not show yet.
	settleDelay = 5 * time.Second
	// deepInterval is how often a document is read whole though nothing about it
	// seems to have changed: a list shows neither its shares nor its state.
	deepInterval = time.Hour
	// unwellInterval is the same where condition LoggingReady is not True: a user who
	// repairs a bucket, a log group or a key wants to see it.
	unwellInterval = 10 * time.Minute
)

// Reconciler converges one SessionDocument at a time. It is a reconcile.Kind.
type Reconciler struct {
	reconcile.Options
	// OwnerID of this installation, in a tag of every document.
	OwnerID string
	Memory  *Memory
}

// frameScope is what the frame keeps of one reconcile.
type frameScope = reconcile.Scope[*v1alpha1.SessionDocument]

// scope is one reconcile of one SessionDocument.
type scope struct {
	*frameScope
	account accounts.Entry
	desired desired
	// rival is an older object that declares the document, where AWS shows that
	// this one had it before a restore.
	rival *v1alpha1.SessionDocument
	// yields: the object never had the document, and leaves it to one that has it.
	yields bool
}

// isObserving reports whether nothing may be written to AWS.
func (s *scope) isObserving() bool { return s.account.Mode == v1alpha1.ModeObserve }

// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessiondocuments,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessiondocuments/status,verbs=patch

// Reconcile brings one SessionDocument a step further.
func (r *Reconciler) Reconcile(ctx context.Context, frame *frameScope) (reconcile.Result, error) {
	return r.reconcile(ctx, frame, r.convergeClaimed)
}

// Narrow removes shares and cleans up in regions, where they are not declared any more.
func (r *Reconciler) Narrow(ctx context.Context, frame *frameScope) (reconcile.Result, error) {
	return r.reconcile(ctx, frame, func(ctx context.Context, s *scope) (reconcile.Result, error) {
		r.Memory.forget(s.Object.UID)
		return r.narrow(ctx, s, inPlace(s)), nil
	})
}

// reconcile checks what the object is allowed, and then converges in its mode.
func (r *Reconciler) reconcile(ctx context.Context, frame *frameScope, converge func(context.Context, *scope) (reconcile.Result, error)) (reconcile.Result, error) {
	s := &scope{frameScope: frame}
	access, err := s.Access(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	var refused *refusal
	if s.desired, refused = planFor(access, s.Object, r.OwnerID); refused != nil {
		r.Memory.forget(s.Object.UID)
		return s.shown(r.refuse(ctx, s, refused)), nil
	}
	var notReady *reconcile.Result
	if s.account, notReady = r.VerifiedAccount(access.Account); notReady != nil {
		return s.shown(s.unlessReady(*notReady)), nil
	}
	result, err := converge(ctx, s)
	return s.shown(result), err
}

// convergeClaimed converges unless an older object has the document, or nothing is to do.
func (r *Reconciler) convergeClaimed(ctx context.Context, s *scope) (reconcile.Result, error) {
	rival, err := r.olderClaim(ctx, s)
	if err != nil {
		return reconcile.Result{}, err
	}
	if rival != nil && !r.hadBefore(ctx, s) {
		r.Memory.forget(s.Object.UID)
		return claimedBy(s.desired.name, rival), nil
	}
	s.rival, s.yields = rival, yields(s.Object)
	if r.steady(ctx, s) {
		return reconcile.Result{}, nil
	}
	return r.converge(ctx, s)
}

// unlessReady is a result for an object that is not Ready. One that is keeps that
// condition: after a start every account is read first.
func (s *scope) unlessReady(result reconcile.Result) reconcile.Result {
	ready := meta.FindStatusCondition(s.Object.Status.Conditions, v1alpha1.ConditionReady)
	if ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == s.Object.Generation {
		return reconcile.Result{}
	}
	return result
}
