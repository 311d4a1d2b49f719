// Package principal holds the reconciler of one IAM principal's policies: it converges
// them to the union of all SessionAccesses that name the principal. A principal, not an
// object, is the unit: a user in thirty SessionAccesses holds one policy, and a change is
// one write.
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
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awsclient"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/iam"
	"github.com/ssm-access-operator/ssm-access-operator/internal/policy"
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
	old queue.Trigger[grants.PrincipalKey]

	// Recorder of events on SessionAccesses.
	Recorder clientevents.EventRecorder

	firsts firsts
	// declared records which grants are older than a read of IAM.
	declared declarations
}

// serving reconciles the principals of a queue.
type serving struct {
	*Reconciler
	// items know for whom and at which priority a principal is worked on.
	items Queue
}

// handoverRecheck is how soon a pending revocation that waits is tried again.
const handoverRecheck = time.Second

// Reconcile implements reconcile.TypedReconciler.
func (s serving) Reconcile(ctx context.Context, key grants.PrincipalKey) (ctrl.Result, error) {
	_, priority := s.items.TurnOf(key)
	turn, again := turnAt(priority)
	_, verified := s.Accounts.Get(key.AccountID)
	switch {
	case !verified:
		return ctrl.Result{}, nil // The registry wakes every principal once it is.
	case turn != revocationTurn && s.items.Holds(key.AccountID):
		s.items.add("", again, key) // It was verified a moment after this item was served.
		return ctrl.Result{}, nil
	}
	after, lookUp, err := s.converge(awsclient.WithPriority(ctx, queue.CallPriority(priority)), key, turn)
	if lookUp {
		s.items.add("", queue.PriorityLookup, key) // For all tenants for which it is worked on.
	}
	return reconcile.Requeue(again, after, err)
}

// turnAt is what a principal is worked on for at a priority of the queue, and the priority
// at which it is requeued.
func turnAt(priority int) (t turn, again int) {
	switch {
	case queue.IsRevocation(priority):
		return revocationTurn, queue.PriorityRetriedRevocation
	case priority <= queue.PriorityLookup:
		return lookupTurn, queue.PriorityGrant
	default:
		return grantTurn, queue.PriorityGrant
	}
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
	w := &work{Reconciler: r, account: account, key: key, turn: turn, claims: claimsOf(key, records, account.Mode, r.Clock.Now())}
	w.accesses = accesses.Items
	result, err := w.run(ctx)
	if awserr.Classify(err) == awserr.Canceled {
		return 0, false, nil
	}
	if result != nil {
		r.Outcomes.Put(key, *result)
	}
	if len(w.claims.observed) == 0 {
		r.firsts.forget(key) // No object names it: tenants can invent any number of names.
	}
	if after = w.settlesIn(); waits {
		after = handoverRecheck
	}
	return after, w.lookUp, err
}

// principalOf is the principal in IAM; nil for a permission set.
func principalOf(key grants.PrincipalKey, name string) *iam.Principal {
	if key.Kind == v1alpha1.PrincipalPermissionSet {
		return nil
	}
	return &iam.Principal{Kind: iam.PrincipalKind(key.Kind), Name: name}
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
func execute(ctx context.Context, account *iam.Account, steps []step, narrowOnly bool, describe func(step) iam.NewPolicy) execution {
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

func do(ctx context.Context, account *iam.Account, s step, describe func(step) iam.NewPolicy) error {
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
		return account.Remove(ctx, s.policy, policy.Nothing)
	}
}

// turn is what a principal is worked on for.
type turn int

const (
	// grantTurn gives access, or compares what IAM holds at a resync.
	grantTurn turn = iota
	// lookupTurn is a grantTurn that may ask AWS for the principal alone.
	lookupTurn
	// revocationTurn ends access.
	revocationTurn
)

// find looks the principal up in the IAM cache. Where the cache does not show it, and was
// read before the last declaration, the principal may have been created since. The
// operator then reads it from IAM, in a turn behind the resyncs; w.lookUp requests such a
// turn.
func (w *work) find(ctx context.Context) error {
	p := principalOf(w.key, w.claims.name)
	if p == nil {
		w.view = iam.PrincipalView{Presence: iam.Present}
		return nil
	}
	w.view = w.account.IAM.Cache().Principal(*p)
	if w.view.Presence == iam.Present || len(w.claims.grants) == 0 || w.absent(*p) {
		return nil
	}
	switch {
	case w.turn == lookupTurn:
		ctx = awsclient.WithPriority(ctx, awsclient.Lookup)
	case w.turn == grantTurn, len(w.views()) == 0:
		// A revocation does not wait for a lookup that can save nothing.
		w.lookUp = true
		return nil
	}
	view, err := w.account.IAM.LookUpPrincipal(ctx, *p)
	w.view = view
	return err
}

// absent reports whether the principal is known not to exist: a read shows that which
// began after all its grants were declared. So names of principals that do not exist cost
// no call at a resync. Where IAM holds a policy, the principal had access, and the operator
// reads IAM once more before that ends.
func (w *work) absent(p iam.Principal) bool {
	since, known := w.account.IAM.Cache().AbsentAsOf(p)
	if !known || len(w.views()) > 0 {
		return false
	}
	for uid, observed := range w.claims.observed {
		if observed.Included && !w.declared.before(uid, observed.Serial, since) {
			return false
		}
	}
	return true
}

// A revocation that AWS acknowledged is proven, with one exception: when the answer to an
// earlier write was lost, that write may still take effect. Then only a read after the
// consistency window proves anything.

// prove reads the policies whose state only a read can prove, once it can.
func (w *work) prove(ctx context.Context) error {
	if !w.claims.revoking {
		return nil
	}
	for _, view := range w.views() {
		if view.SettlesAt.IsZero() || w.Clock.Now().Before(view.SettlesAt) || w.gone(view) {
			continue
		}
		if _, err := w.account.IAM.LookUpPolicy(ctx, view.Name); err != nil {
			return fmt.Errorf("read policy %s to prove a revocation: %w", view.Name, err)
		}
	}
	return nil
}

// proven reports whether what is not declared is proven gone from every policy of
// the principal.
func (w *work) proven(plan policy.Plan) bool {
	w.unproven = nil
	for _, view := range w.views() {
		parsed, ok := policy.ParseName(view.Name)
		wanted := ok && parsed.Shard <= len(plan.Documents) && plan.Documents[parsed.Shard-1] != ""
		if w.gone(view) || (wanted && view.DocumentProven) {
			continue
		}
		w.unproven = append(w.unproven, view)
	}
	return len(w.unproven) == 0
}

// gone reports whether a policy cannot grant anything any more.
func (w *work) gone(view iam.PolicyView) bool {
	return view.Gone() || (view.Document == policy.Nothing && view.DocumentProven)
}

func (w *work) views() []iam.PolicyView {
	views, _ := w.account.IAM.Cache().PoliciesWithPrefix(policy.Prefix(w.OwnerID, w.compiled()))
	return views
}

// settlesIn is how long until a read can prove what is not proven; zero when
// nothing waits for it.
func (w *work) settlesIn() time.Duration {
	var soonest time.Duration
	for _, view := range w.unproven {
		if view.SettlesAt.IsZero() {
			continue
		}
		// At least a moment, so that a proof that does not come is no busy loop.
		if in := max(view.SettlesAt.Sub(w.Clock.Now()), time.Second); soonest == 0 || in < soonest {
			soonest = in
		}
	}
	return soonest
}
