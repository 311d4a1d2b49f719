// Package sessionaccess reconciles SessionAccess: it decides what each one grants,
// records that before it sends anything to AWS, and reports the result. Package principal
// reconciles the policies themselves.
package sessionaccess

import (
	"context"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/metrics"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// Reconciler decides, records and reports one SessionAccess at a time.
type Reconciler struct {
	Client client.Client
	// Reader reads past the cache.
	Reader   client.Reader
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Accounts *accounts.Registry
	Outcomes *grants.PrincipalStore
	Sessions *Listings
	// Displaced remembers the grants that others keep out.
	Displaced *Displacements
	Readings  *awscache.Caches
	// Scope says which objects are this manager's.
	Scope accounts.Shard
	// Metrics times revocations; it may be nil.
	Metrics *metrics.Metrics
	// Targets are what was found on the nodes.
	Targets *grants.ReachabilityStore

	rejected rejectedRecords
}

// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessionaccesses,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessionaccesses/status,verbs=patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=accounttiers;hybridactivations;sessiondocuments,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one SessionAccess a step further.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	access := &v1alpha1.SessionAccess{}
	if err := r.Client.Get(ctx, req.NamespacedName, access); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !access.DeletionTimestamp.IsZero() {
		r.Displaced.forget(access.UID)
		r.rejected.forget(access.UID)
		after, err := r.reconcileDeletion(ctx, access)
		return reconcile.Finish(ctx, r.Client, r.Recorder, access, reconcile.PriorityRevocation, after, err)
	}
	allowed, err := accounts.Gather(ctx, r.Client, access.Spec.AccountRef.Name, access.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	if objectcache.Is(access) && allowed.Open() {
		if whole, err := objectcache.Whole(ctx, r.Reader, access); err != nil || !whole {
			return ctrl.Result{}, err
		}
	}
	refs, err := r.gatherReferences(ctx, access)
	if err != nil {
		return ctrl.Result{}, err
	}
	after, err := r.reconcileSpec(ctx, access, judge(inputs{Inputs: allowed, access: access, references: refs}))
	priority := reconcile.PriorityGrant
	if ending(access) {
		priority = reconcile.PriorityRevocation
	}
	after = soonest(after, nextWake(access, r.Clock.Now()))
	return reconcile.Finish(ctx, r.Client, r.Recorder, access, priority, after, err)
}

// soonest is the smaller of two waits; zero means never.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// reconcileSpec records what the judgement changes. Without a change, it continues the
// revocation of what the record lost, and reports how far the principals are. Either way
// it writes the status once at most.
func (r *Reconciler) reconcileSpec(ctx context.Context, access *v1alpha1.SessionAccess, j judgement) (time.Duration, error) {
	record := access.Status.Applied
	before := access.DeepCopy()
	j.grant = carryIDs(j.grant, record)
	stored, short, err := r.recordNext(ctx, access, j)
	if stored || err != nil {
		return 0, err
	}
	switch taken, err := r.takeOver(ctx, access, j); {
	case err != nil:
		return 0, err
	case taken: // Where only revocations are left, no principal has any news.
		return recorded, nil
	}
	if record != nil { // It may have been restored without.
		if err := reconcile.EnsureFinalizer(ctx, r.Client, access); err != nil {
			return 0, err
		}
		record, before = access.Status.Applied, access.DeepCopy()
		access.Status.Applied = remembering(&access.Spec, record, &v1alpha1.AppliedAccess{PrincipalIDs: record.PrincipalIDs})
	}
	var p progress
	if record != nil && len(record.Revoking) > 0 {
		rev := grants.RevocationOf(access)
		if p, err = r.advance(ctx, &rev, unread{}); err != nil {
			return 0, err
		}
		access.Status.Revocation, access.Status.Applied.Granted = rev.Status, rev.Granted
		if p.done {
			access.Status.Applied = remembering(&access.Spec, settled(access.Status.Applied), record)
		}
	}
	if short != nil && j.problem == nil && (short.Progress == reconcile.Stuck || p.verdict.Reason == "") {
		j.problem = short
	}
	after := soonest(p.after, r.endDisplaced(ctx, access))
	err = r.report(ctx, before, access, j, p)
	if reconcile.Rejected(err) {
		after = endUnrecorded(ctx, p.unrecorded, after)
	}
	if p.done && short != nil {
		after = soonest(after, recorded) // Now there may be room for the rest.
	}
	if p.done && err == nil {
		r.announceRevoked(access)
		r.Metrics.RevocationDone(access.UID, record.Revoking[0].AccountID, r.Clock.Now())
	}
	return after, err
}

// recordGrant writes the record of a changed grant. The principals act on it
// once it is stored.
func (r *Reconciler) recordGrant(ctx context.Context, access *v1alpha1.SessionAccess, next *v1alpha1.AppliedAccess, problem *reconcile.Verdict, write writeFunc) error {
	if err := reconcile.EnsureFinalizer(ctx, r.Client, access); err != nil {
		return err
	}
	if len(next.Revoking) > 0 {
		r.Metrics.RevocationSeen(access.UID, r.Clock.Now())
	}
	before := access.DeepCopy()
	next.Granted = r.identified(next.Granted)
	access.Status.Applied = next
	r.beginRevocation(access)
	verdict := applying(next)
	switch {
	case problem != nil:
		verdict = *problem
	case !r.accountVerified(next):
		verdict = accountNotReady(access.AccountName())
	}
	log.FromContext(ctx).V(1).Info("Recording what is granted", "serial", next.Serial, "revoking", len(next.Revoking))
	return write(ctx, before, access, verdict)
}

// writeFunc writes a status with a verdict.
type writeFunc func(ctx context.Context, before, access *v1alpha1.SessionAccess, v reconcile.Verdict) error

// report writes how far the principals are, once every one of them is known.
func (r *Reconciler) report(ctx context.Context, before, access *v1alpha1.SessionAccess, j judgement, p progress) error {
	record := access.Status.Applied
	statuses, reasons, known := principalStatuses(record, access.UID, r.Outcomes.Get)
	switch {
	case known:
		access.Status.Principals = statuses
		access.Status.Applied = marked(access, seenIDs(record, access.UID, r.Outcomes.Get))
		if err := r.setFindings(ctx, access); err != nil {
			return err
		}
		return r.write(ctx, before, access, verdictOf(&access.Spec, j, statuses, reasons, p, r.Clock.Now()))
	case j.problem != nil:
		return r.write(ctx, before, access, *j.problem)
	// After a restart an object keeps its status until its principals are known,
	// which is after its account is.
	case !r.accountVerified(record):
		return r.writeIfNew(ctx, before, access, accountNotReady(access.AccountName()))
	default:
		return r.writeIfNew(ctx, before, access, applying(record))
	}
}

// accountVerified reports whether the account can be written to in this process.
func (r *Reconciler) accountVerified(record *v1alpha1.AppliedAccess) bool {
	for _, key := range grants.PrincipalKeysOf(record) {
		if _, ok := r.Accounts.Get(key.AccountID); !ok {
			return false
		}
	}
	return true
}
