// Package sessionaccess reconciles SessionAccess: it decides what each one grants,
// records that before it sends anything to AWS, and reports the result. Package principal
// reconciles the policies themselves.
package sessionaccess

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/awscache"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/grants"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/metrics"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/queue"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

// Reconciler decides, records and reports one SessionAccess at a time. It is a
// reconcile.Kind.
type Reconciler struct {
	reconcile.Options
	Outcomes *grants.PrincipalStore
	Sessions *SessionCache
	// Superseded remembers the grants that others keep out.
	Superseded *Supersessions
	Caches     *awscache.Caches
	// Metrics times revocations; it may be nil.
	Metrics *metrics.Metrics
	// Targets are what was found on the nodes.
	Targets *grants.ReachabilityStore
	// Effects are what IAM's policy simulator answered about the grants.
	Effects *grants.EffectStore

	rejected rejectedRecords
}

// frameScope is what the frame keeps of one reconcile.
type frameScope = reconcile.Scope[*v1alpha1.SessionAccess]

// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessionaccesses,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=sessionaccesses/status,verbs=patch
// +kubebuilder:rbac:groups=ssm-access.dev,resources=accounttiers;hybridactivations;sessiondocuments,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile decides what an object grants, and records it. Once it is recorded, it
// continues the revocation of what the record lost, and reports how far the principals
// are.
func (r *Reconciler) Reconcile(ctx context.Context, s *frameScope) (reconcile.Result, error) {
	allowed, err := s.Access(ctx)
	if err != nil {
		return reconcile.Result{}, err
	}
	refs, err := r.gatherReferences(ctx, s.Object)
	if err != nil {
		return reconcile.Result{}, err
	}
	until := restoringUntil(s.Object, allowed.Account, r.Clock.Now())
	refs.Restoring = !until.IsZero()
	decided := admission.SessionAccess{AccountAccess: allowed, References: refs, Object: s.Object}.Decide()
	if len(refs.Keys.Read) > 0 || decided.Grant == nil { // Else the documents were not read yet.
		reconcile.SetConditionWhile(&s.Object.Status.Conditions, s.Object.Generation, v1alpha1.ConditionSessionKeyNotGranted, v1alpha1.ReasonKeyNeeded, decided.UngrantedKey)
	}
	d := decisionOf(decided)
	if d.unwritten, err = r.judgeUngranted(ctx, s.Object, d.grant); err != nil {
		return reconcile.Result{}, err
	}
	result, err := r.converge(ctx, s, d)
	if ending(s.Object) {
		s.Priority = queue.PriorityRevocation
	}
	now := r.Clock.Now()
	wake := nextWake(s.Object, now)
	if refs.Restoring { // What it waited for is lost then.
		wake = soonest(wake, max(until.Sub(now), time.Second))
	}
	return wakeBy(result, wake), err
}

// wakeBy has an object reconciled again after a time at the latest, whether its status can
// be stored or not.
func wakeBy(result reconcile.Result, wake time.Duration) reconcile.Result {
	result.RequeueAfter = soonest(result.RequeueAfter, wake)
	if unstored := result.Unstored; unstored != nil {
		result.Unstored = func(ctx context.Context) time.Duration { return soonest(unstored(ctx), wake) }
	}
	return result
}

// Narrow is Reconcile: the decision adds nothing for an object that is suspended.
func (r *Reconciler) Narrow(ctx context.Context, s *frameScope) (reconcile.Result, error) {
	return r.Reconcile(ctx, s)
}

// decision is an admission.Decision, with the result that reports its problem.
type decision struct {
	grant   *v1alpha1.ResolvedGrant
	waiting bool
	problem *reconcile.Result
	// unwritten: nothing is written to the account now, so that what is recorded is not
	// granted.
	unwritten bool
}

func decisionOf(d admission.Decision) decision {
	out := decision{grant: d.Grant, waiting: d.Waiting}
	if d.Problem != nil {
		out.problem = new(reconcile.Denied(d.Problem))
	}
	return out
}

// soonest is the smaller of two waits; zero means never.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// converge records what the decision changes; the principals act on it once it is stored.
// Where it changes nothing, converge continues the revocation and reports.
func (r *Reconciler) converge(ctx context.Context, s *frameScope, d decision) (reconcile.Result, error) {
	record := s.Object.Status.Applied
	d.grant = carryIDs(d.grant, record)
	next, short, err := r.recordNext(ctx, s, d)
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case next != nil:
		return *next, nil
	}
	switch taken, err := r.takeOver(ctx, s, d); {
	case err != nil:
		return reconcile.Result{}, err
	case taken: // Where only revocations are left, no principal has any news.
		return reconcile.Result{RequeueAfter: afterRecording}, nil
	}
	if record != nil { // It may have been restored without.
		if err := s.EnsureFinalizer(ctx); err != nil {
			return reconcile.Result{}, err
		}
		s.Object.Status.Applied = remembering(&s.Object.Spec, record, &v1alpha1.AppliedAccess{PrincipalIDs: record.PrincipalIDs})
	}
	p, err := r.continueRevocation(ctx, s.Object, record)
	if err != nil {
		return reconcile.Result{}, err
	}
	if short != nil && d.problem == nil && (short.Phase == reconcile.Stalled || p.result.Reason == "") {
		d.problem = short
	}
	after := soonest(p.requeueAfter, r.endSuperseded(ctx, s.Object))
	result, err := r.report(ctx, s, d, p)
	if err != nil {
		return reconcile.Result{}, err
	}
	result.Unstored = func(ctx context.Context) time.Duration { return endUnrecorded(ctx, p.unrecorded, after) }
	if p.done {
		result.AfterPatch = r.afterRevocation(s, record.Revoking[0].AccountID)
	}
	if result.RequeueAfter = after; p.done && short != nil {
		result.RequeueAfter = soonest(after, afterRecording) // Now there may be room for the rest.
	}
	return result, nil
}

// continueRevocation takes the revocation of what a record lost a step further.
func (r *Reconciler) continueRevocation(ctx context.Context, access *v1alpha1.SessionAccess, record *v1alpha1.AppliedAccess) (progress, error) {
	if record == nil || len(record.Revoking) == 0 {
		return progress{}, nil
	}
	rev := grants.RevocationOf(access)
	p, err := r.advance(ctx, &rev, unread{})
	if err != nil {
		return progress{}, err
	}
	access.Status.Revocation, access.Status.Applied.Granted = rev.Status, rev.Granted
	if p.done {
		access.Status.Applied = remembering(&access.Spec, settled(access.Status.Applied), record)
	}
	return p, nil
}

// propose puts the record of a changed grant into an object. It returns the result to
// store it with.
func (r *Reconciler) propose(ctx context.Context, access *v1alpha1.SessionAccess, next *v1alpha1.AppliedAccess, problem *reconcile.Result) reconcile.Result {
	if len(next.Revoking) > 0 {
		r.Metrics.RevocationSeen(access.UID, r.Clock.Now())
	}
	next.Granted = r.identified(next.Granted)
	access.Status.Applied = next
	r.beginRevocation(access)
	result := applying(next)
	switch {
	case problem != nil:
		result = *problem
	case !r.accountVerified(next):
		result = reconcile.AccountNotReady(access.AccountName())
	}
	log.FromContext(ctx).V(1).Info("Recording what is granted", "serial", next.Serial, "revoking", len(next.Revoking))
	return result
}

// report is how far the principals are, once every one of them is known.
func (r *Reconciler) report(ctx context.Context, s *frameScope, d decision, p progress) (reconcile.Result, error) {
	access, record := s.Object, s.Object.Status.Applied
	statuses, reasons, known := principalStatuses(record, access.UID, r.Outcomes.Get)
	switch {
	case known:
		access.Status.Principals = statuses
		access.Status.Applied = marked(access, seenIDs(record, access.UID, r.Outcomes.Get))
		if err := r.setFindings(ctx, access); err != nil {
			return reconcile.Result{}, err
		}
		return resultOf(access, d, statuses, reasons, p, r.Clock.Now()), nil
	case d.problem != nil:
		return *d.problem, nil
	// After a restart an object keeps its status until its principals are known,
	// which is after its account is.
	case isDecided(access) && !s.IsChanged():
		return reconcile.Result{}, nil
	case !r.accountVerified(record):
		return reconcile.AccountNotReady(access.AccountName()), nil
	default:
		return applying(record), nil
	}
}

// isDecided reports whether the condition Ready is about the present generation.
func isDecided(access *v1alpha1.SessionAccess) bool {
	ready := meta.FindStatusCondition(access.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.ObservedGeneration == access.Generation
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

// gatherReferences reads what the spec names.
func (r *Reconciler) gatherReferences(ctx context.Context, access *v1alpha1.SessionAccess) (admission.References, error) {
	refs := admission.References{Documents: map[string]*v1alpha1.SessionDocument{}, Activations: map[string]*v1alpha1.HybridActivation{}}
	if report, ok := r.Targets.Get(access.UID); ok {
		refs.Keys = report.Keys
	}
	for _, d := range access.Spec.Documents {
		if d.Ref != nil {
			if err := gather(ctx, r.Client, access.Namespace, d.Ref.Name, refs.Documents, &v1alpha1.SessionDocument{}); err != nil {
				return refs, err
			}
		}
	}
	for _, t := range access.Spec.Targets {
		if t.ActivationRef != nil {
			if err := gather(ctx, r.Client, access.Namespace, t.ActivationRef.Name, refs.Activations, &v1alpha1.HybridActivation{}); err != nil {
				return refs, err
			}
		}
	}
	return refs, nil
}

func gather[T client.Object](ctx context.Context, c client.Reader, namespace, name string, into map[string]T, empty T) error {
	switch err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, empty); {
	case err == nil:
		into[name] = empty
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("read %T %s/%s, which a SessionAccess names: %w", empty, namespace, name, err)
	}
	return nil
}
