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
	"k8s.io/utils/keymutex"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/index"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/lifecycle"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/outcome"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/owed"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/registry"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// Reconciler converges one principal at a time.
type Reconciler struct {
	Client   client.Client
	Clock    clock.PassiveClock
	OwnerID  string
	Accounts *registry.Registry
	Outcomes *outcome.Store
	// PoliciesChanged is told the AWSAccount in which policies came or went. It
	// must not block.
	PoliciesChanged func(account string)

	// Recorder of events on SessionAccesses.
	Recorder clientevents.EventRecorder

	firsts firsts
	// locks keep the two lanes off the same principal.
	locks keymutex.KeyMutex
}

// lane is one of the two controllers that share a Reconciler.
type lane struct {
	*Reconciler
	wake  *Triggers
	calls cloud.Priority
	queue int
}

// openingDelay is how long a grant waits for the revocations of an account that
// was just verified to be queued.
const openingDelay = 50 * time.Millisecond

// Reconcile implements reconcile.TypedReconciler.
func (l lane) Reconcile(ctx context.Context, key outcome.Key) (ctrl.Result, error) {
	_, verified := l.Accounts.Get(key.AccountID)
	switch {
	case !verified:
		return ctrl.Result{}, nil // The registry wakes everybody once it is.
	case l.calls == cloud.Revocation:
		defer func() { l.wake.Grants.Add(lifecycle.PriorityGrant, l.wake.first.tried(key)...) }()
	case !l.Accounts.Open(key.AccountID):
		return lifecycle.Result(l.queue, openingDelay, nil)
	case l.wake.first.hold(key):
		return ctrl.Result{}, nil
	}
	l.locks.LockKey(key.String())
	defer func() { _ = l.locks.UnlockKey(key.String()) }() // It fails only for a key that is not locked.
	after, err := l.converge(cloud.WithPriority(ctx, l.calls), key)
	return lifecycle.Result(l.queue, after, err)
}

// converge brings what IAM holds for a principal to what is declared, and
// stores the outcome. An account that is not verified is left alone. after is
// when to look again for the proof of a revocation.
func (r *Reconciler) converge(ctx context.Context, key outcome.Key) (after time.Duration, err error) {
	account, ok := r.Accounts.Get(key.AccountID)
	if !ok {
		return 0, nil
	}
	var accesses v1alpha1.SessionAccessList
	if err := r.Client.List(ctx, &accesses, index.OfPrincipal(key), client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("list the SessionAccesses of %s: %w", key, err)
	}
	abandoned, err := owed.OfPrincipal(ctx, r.Client, key)
	if err != nil {
		return 0, err
	}
	w := &work{Reconciler: r, account: account, key: key, claims: claimsOf(key, append(accesses.Items, abandoned...), r.Clock.Now())}
	w.accesses = accesses.Items
	result, err := w.run(ctx)
	if cloud.Classify(err) == cloud.Canceled {
		return 0, nil
	}
	if result != nil {
		r.Outcomes.Put(key, *result)
	}
	return w.settlesIn(), err
}

// principalOf is the principal in IAM; nil for a permission set.
func principalOf(key outcome.Key, name string) *cloud.Principal {
	if key.Kind == v1alpha1.PrincipalPermissionSet {
		return nil
	}
	return &cloud.Principal{Kind: cloud.PrincipalKind(key.Kind), Name: name}
}

// execute carries out steps. A failed narrowing does not hold up the other
// narrowings; nothing that widens is done after a failure.
func execute(ctx context.Context, account *cloud.Account, steps []step, describe func(step) cloud.NewPolicy) (failedNarrowing bool, err error) {
	logger := log.FromContext(ctx)
	for _, s := range steps {
		if err != nil && !s.narrows {
			continue
		}
		logger.Info("Writing to IAM", "step", s.String(), "policy", s.policy)
		if failure := do(ctx, account, s, describe); failure != nil {
			failedNarrowing = failedNarrowing || s.narrows
			if err == nil {
				err = failure
			}
		}
	}
	return failedNarrowing, err
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
