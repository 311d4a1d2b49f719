// Package principal converges the policies of one IAM principal to the union of
// all SessionAccesses that name it. A principal, not an object, is the unit: a
// user in thirty SessionAccesses holds one policy, and a change is one write.
package principal

import (
	"context"
	"fmt"
	"time"

	clientevents "k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/contention"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Reconciler converges one principal at a time.
type Reconciler struct {
	Client   client.Client
	Clock    clock.PassiveClock
	OwnerID  string
	Accounts *accounts.Registry
	Outcomes *grants.PrincipalStore
	// PoliciesChanged is called with the name of the AWSAccount whose policies were created
	// or deleted. It must not block.
	PoliciesChanged func(account string)

	// Contention knows the policies that something else changes again and again.
	Contention *contention.Tracker

	// old wakes the deletion of old versions.
	old reconcile.Trigger[grants.PrincipalKey]

	// Recorder of events on SessionAccesses.
	Recorder clientevents.EventRecorder

	firsts firsts
	// locks keep the two lanes off the same principal.
	locks locks
	// declared records which grants are older than a read of IAM.
	declared declarations
}

// lane is one of the two controllers that share a Reconciler.
type lane struct {
	*Reconciler
	wake *Triggers
	// items of the lane, which know for whom a principal is worked on.
	items *queue.Queue[grants.PrincipalKey]
	// revokes: this lane serves deletions and narrowings.
	revokes bool
}

const (
	// openingDelay is how long a grant waits for the revocations of an account that
	// was just verified to be queued.
	openingDelay = 50 * time.Millisecond
	// heldRecheck is how long a grant waits that precedence holds. It is woken when
	// the last revocation was tried; this only bounds what a lost wake-up would cost.
	heldRecheck = 10 * time.Minute
	// handoverRecheck is how soon a pending revocation that waits is tried again.
	handoverRecheck = time.Second
)

// Reconcile implements reconcile.TypedReconciler.
func (l lane) Reconcile(ctx context.Context, key grants.PrincipalKey) (ctrl.Result, error) {
	_, verified := l.Accounts.Get(key.AccountID)
	switch {
	case !verified:
		return ctrl.Result{}, nil // The registry wakes every principal once it is.
	case l.revokes:
		defer func() { l.wake.Grants.Add(reconcile.PriorityGrant, l.wake.first.tried(key)...) }()
	case !l.Accounts.Open(key.AccountID):
		return reconcile.Requeue(reconcile.PriorityGrant, openingDelay, nil)
	case l.wake.first.hold(key):
		return reconcile.Requeue(reconcile.PriorityGrant, heldRecheck, nil)
	}
	unlock, err := l.locks.lock(ctx, key)
	if err != nil {
		return ctrl.Result{}, nil // The manager stops.
	}
	defer unlock()
	tenant, priority := l.items.TurnOf(key)
	after, lookUp, err := l.converge(cloud.WithPriority(ctx, l.calls(priority)), key, l.turn(priority))
	switch {
	case lookUp && l.revokes:
		l.wake.Grants.AddFor(tenant, reconcile.PriorityLookup, key)
	case lookUp:
		l.wake.Grants.Add(reconcile.PriorityLookup, key) // For all tenants for which it is worked on.
	}
	return reconcile.Requeue(l.requeue(), after, err)
}

// calls is the priority of calls to AWS at a priority of the queue.
func (l lane) calls(priority int) cloud.Priority {
	switch {
	case !l.revokes:
		return cloud.Grant
	case priority >= reconcile.PriorityRevocation:
		return cloud.Revocation
	default:
		return cloud.RetriedRevocation
	}
}

// turn is what a principal is worked on for at a priority of the queue.
func (l lane) turn(priority int) turn {
	switch {
	case l.revokes:
		return revocationTurn
	case priority <= reconcile.PriorityLookup:
		return lookupTurn
	default:
		return grantTurn
	}
}

func (l lane) requeue() int {
	if l.revokes {
		return reconcile.PriorityRetriedRevocation
	}
	return reconcile.PriorityGrant
}

// converge brings what IAM holds for a principal to what is declared, and
// stores the outcome. An account that is not verified is left alone. lookUp says
// that a lookupTurn is needed. after is when to look again for the proof of a
// revocation.
func (r *Reconciler) converge(ctx context.Context, key grants.PrincipalKey, turn turn) (after time.Duration, lookUp bool, err error) {
	account, ok := r.Accounts.Get(key.AccountID)
	if !ok {
		return 0, false, nil
	}
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, queue.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
		return 0, false, fmt.Errorf("list the SessionAccesses of %s: %w", key, err)
	}
	pending, err := grants.PendingOfPrincipal(ctx, r.Client, key)
	if err != nil {
		return 0, false, err
	}
	waits := false
	if len(pending) > 0 {
		if waits, err = accounts.TakesOver(ctx, r.Client, account, key, r.Clock.Now()); err != nil {
			return 0, false, err
		}
	}
	if waits {
		pending = grants.Waiting(pending)
	}
	records := append(grants.RecordsOf(accesses.Items), pending...)
	w := &work{Reconciler: r, account: account, key: key, turn: turn, claims: claimsOf(key, records, r.Clock.Now())}
	w.accesses = accesses.Items
	result, err := w.run(ctx)
	if cloud.Classify(err) == cloud.Canceled {
		return 0, false, nil
	}
	if result != nil {
		r.Outcomes.Put(key, *result)
	}
	if len(w.claims.saw) == 0 {
		r.firsts.forget(key) // No object names it: tenants can invent any number of names.
	}
	if after = w.settlesIn(); waits {
		after = handoverRecheck
	}
	return after, w.lookUp, err
}

// principalOf is the principal in IAM; nil for a permission set.
func principalOf(key grants.PrincipalKey, name string) *cloud.Principal {
	if key.Kind == v1alpha1.PrincipalPermissionSet {
		return nil
	}
	return &cloud.Principal{Kind: cloud.PrincipalKind(key.Kind), Name: name}
}

// execution is the result of the steps of one principal.
type execution struct {
	// failedNarrowing: access that should be gone may be left.
	failedNarrowing bool
	// heldBack: a step, or the part of one that gives access, was left out.
	heldBack bool
	// err is the first failure.
	err error
}

// unread records that an earlier read failed. proven reports whether the writes prove even
// so that nothing is left.
func (e *execution) unread(err error, proven bool) {
	e.failedNarrowing = e.failedNarrowing || !proven
	if e.err == nil {
		e.err = err
	}
}

// execute carries out steps. A failed step does not hold up what narrows; after
// it nothing is widened: of a step that does both, only the part that narrows is
// carried out. It is so from the start where narrowOnly is set.
func execute(ctx context.Context, account *cloud.Account, steps []step, narrowOnly bool, describe func(step) cloud.NewPolicy) execution {
	logger := log.FromContext(ctx)
	var done execution
	for _, s := range steps {
		if done.err != nil || narrowOnly {
			done.heldBack = done.heldBack || s.narrowing == nil || !s.same(*s.narrowing)
			if s.narrowing == nil {
				continue
			}
			s = *s.narrowing
		}
		logger.Info("Writing to IAM", "step", s.String(), "policy", s.policy)
		if failure := do(ctx, account, s, describe); failure != nil {
			done.failedNarrowing = done.failedNarrowing || s.narrows
			if done.err == nil {
				done.err = failure
			}
		}
	}
	return done
}

func do(ctx context.Context, account *cloud.Account, s step, describe func(step) cloud.NewPolicy) error {
	switch s.action {
	case createPolicy:
		return account.CreatePolicy(ctx, describe(s))
	case putDocument:
		return account.PutDocument(ctx, s.policy, s.document)
	case attachPolicy:
		return account.Attach(ctx, s.policy, s.entity)
	case detachPolicy:
		return account.Detach(ctx, s.policy, s.entity)
	default:
		return account.DeletePolicy(ctx, s.policy)
	}
}
