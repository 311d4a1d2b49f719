package hybridactivation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

func (s *scope) place() place { return place{s.account.AccountID, s.desired.region} }

// converge observes, plans, and applies.
func (s *scope) converge(ctx context.Context) (reconcile.Result, error) {
	var err error
	if s.secrets, err = s.readSecrets(ctx, s.Object); err != nil {
		return reconcile.Result{}, err
	}
	now, status := s.Clock.Now(), &s.Object.Status
	seen, err := s.Activations.of(ctx, s.account, s.desired.region, s.identity(), freshness(now, s.started, status.Record, s.secrets.stored))
	if err != nil {
		return s.unlisted(ctx, err)
	}
	d, err := s.plan(ctx, observed{
		now: now, started: s.started, desired: s.desired, record: status.Record, reported: status.ActivationID,
		stored: s.secrets.stored, seen: seen,
	})
	if err != nil && s.isObserving {
		return failed(err)
	}
	if err != nil { // What is not declared any more is deleted all the same.
		return failed(errors.Join(err, s.takeAway(ctx, &d)))
	}
	switch {
	case s.isObserving:
		return s.observe(ctx, d)
	case s.isSuspended:
		return s.narrow(ctx, d, now)
	default:
		return s.apply(ctx, d, now)
	}
}

// observe reports, and writes only the status.
func (s *scope) observe(ctx context.Context, d plan) (reconcile.Result, error) {
	if d.current != nil {
		s.show(*d.current)
	}
	if _, err := s.showNodes(ctx); err != nil {
		return failed(err)
	}
	return s.wouldDo(d), nil
}

// apply does what is planned: first what takes something away. What fails keeps no node from
// its tags.
func (s *scope) apply(ctx context.Context, d plan, now time.Time) (reconcile.Result, error) {
	if err := s.takeAway(ctx, &d); err != nil {
		return s.failedBefore(ctx, err)
	}
	result, err := s.provide(ctx, d, now)
	if err != nil {
		return reconcile.Result{}, err
	}
	return s.withNodes(ctx, result)
}

// provide makes the activation that is needed, and has its code in the Secret.
func (s *scope) provide(ctx context.Context, d plan, now time.Time) (reconcile.Result, error) {
	if s.secrets.target.state == secretForeign {
		s.note(d)
		return requeued(s.secretConflict(), s.after(d, now)), nil
	}
	if d.create != "" {
		return s.replace(ctx, d)
	}
	if err := s.repairSecret(ctx, d); err != nil {
		return reconcile.Result{}, err
	}
	if (d.full || len(d.unclear) > 0) && d.stored == nil {
		if err := s.dropSecrets(ctx, s.secrets); err != nil {
			return reconcile.Result{}, err
		}
	}
	s.note(d)
	return requeued(s.result(d), s.after(d, now)), nil
}

// withNodes ends a reconcile with the nodes. The object is not Ready while some of them are
// not reached. What fails keeps neither others from their turn nor a replacement from its
// time.
func (s *scope) withNodes(ctx context.Context, result reconcile.Result) (reconcile.Result, error) {
	nodes, err := s.showNodes(ctx)
	if next := result.RequeueAfter; (nodes.more || err == nil && nodes.left > 0) && (next == 0 || next > nextNodes) {
		result.RequeueAfter = nextNodes
	}
	switch {
	case result.Phase != reconcile.Ready || result.Retry != nil:
		if result.Retry == nil && !nodes.more {
			result.Retry = reconcile.Retry(err)
		}
	case err != nil:
		failure, err := failed(err)
		if nodes.more {
			failure.Retry = nil // The others come first.
		}
		return requeued(failure, result.RequeueAfter), err
	case nodes.left > 0:
		return requeued(s.tagging(nodes.left), result.RequeueAfter), nil
	}
	return result, nil
}

// narrow does of what is planned what takes something away. An activation that is deleted
// takes its code along.
func (s *scope) narrow(ctx context.Context, d plan, now time.Time) (reconcile.Result, error) {
	if err := s.takeAway(ctx, &d); err != nil {
		return failed(err)
	}
	if d.stored == nil {
		if err := s.dropSecrets(ctx, s.secrets); err != nil {
			return reconcile.Result{}, err
		}
	}
	s.note(d)
	return requeued(s.result(d), s.after(d, now)), nil
}

// takeAway deletes what is not declared any more. The code of an activation that is closed
// to machines goes although the activation cannot be deleted.
func (s *scope) takeAway(ctx context.Context, d *plan) error {
	isClosed := d.narrowed && d.current != nil
	d.closeNarrowed()
	if err := s.removeAll(ctx, d.remove); err != nil {
		if isClosed {
			err = errors.Join(err, s.dropSecrets(ctx, s.secrets))
		}
		return err
	}
	s.recordStrays(*d)
	return nil
}

// failedBefore is the result of a failure that keeps an activation from what it needs. It
// keeps no node from its tags.
func (s *scope) failedBefore(ctx context.Context, err error) (reconcile.Result, error) {
	if s.isObserving || s.isSuspended {
		return failed(err)
	}
	result, err := failed(err)
	if err != nil {
		return result, err
	}
	return s.withNodes(ctx, result)
}

// removeAll deletes activations. What is gone already is fine.
func (s *scope) removeAll(ctx context.Context, ids []string) error {
	return s.withdraw(ctx, s.account, s.desired.region, s.Object.UID, ids)
}

func (s *scope) recordStrays(d plan) {
	if len(d.stray) == 0 {
		return
	}
	reconcile.RecordEvent(s.Recorder, s.Object, reconcile.Readyf(v1alpha1.ReasonStrayRemoved,
		"Activation %s was deleted, because nobody holds its code: a request for it was broken off.", strings.Join(d.stray, ", ")))
}

// secretStale reports whether the Secret is not as the operator writes it although
// the code is not lost.
func (s *scope) secretStale(d plan) bool {
	return d.stored != nil && (s.secrets.target.content == nil || s.secrets.target.stale || s.secrets.former != nil)
}

// repairSecret rewrites the Secret where that is needed.
func (s *scope) repairSecret(ctx context.Context, d plan) error {
	if !s.secretStale(d) {
		return nil
	}
	log.FromContext(ctx).Info("Writing the Secret again", "secret", s.Object.SecretName())
	return redact(s.store(ctx, s.Object, s.secrets, *d.stored), d.stored.Code)
}

// note puts into the status what was decided on.
func (s *scope) note(d plan) {
	status := &s.Object.Status
	if d.stored == nil {
		hide(status)
	}
	if d.current != nil {
		s.show(*d.current)
	}
	if status.Record == nil && d.stored == nil && d.record.Pending == nil {
		return // The operator never sent anything to AWS.
	}
	record := d.record
	record.AccountID = s.account.AccountID
	if d.stored != nil && s.secrets.target.state != secretForeign {
		record.SecretName = s.Object.SecretName()
	}
	status.Record = &record
}

// show reports in the status the activation whose code is stored.
func (s *scope) show(a ssm.Activation) {
	status := &s.Object.Status
	status.ActivationID = a.ID
	expires := metav1.NewTime(a.Expires.UTC().Truncate(time.Second))
	status.ExpiresAt = &expires
	status.RegistrationCount, status.RegistrationLimit = new(a.Registered), new(a.Limit)
}

// hide removes from the status the activation whose code was stored.
func hide(status *v1alpha1.HybridActivationStatus) {
	status.ActivationID, status.ExpiresAt = "", nil
	status.RegistrationCount, status.RegistrationLimit = nil, nil
}

// after is when to look again without being asked.
func (s *scope) after(d plan, now time.Time) time.Duration {
	var after time.Duration
	if !d.wake.IsZero() {
		after = max(d.wake.Sub(now), time.Second)
	}
	if s.desired.replenish && (after == 0 || after > replenishInterval) {
		after = replenishInterval
	}
	return after
}

// cleanUpTimeout bounds how long the operator, when it is about to stop, tries to delete
// an activation whose code could not be stored.
const cleanUpTimeout = 5 * time.Second

// replace has AWS make an activation and stores its code. The order holds
// through a crash at any point: the request is recorded, then sent, then its code is
// stored, and only then the previous activation is deleted. The operator finds an
// activation without a stored code by its tags, and deletes it.
func (s *scope) replace(ctx context.Context, d plan) (reconcile.Result, error) {
	if err := s.EnsureFinalizer(ctx); err != nil {
		return reconcile.Result{}, err
	}
	if err := s.dryRunSecret(ctx, s.Object, s.secrets); err != nil {
		return s.notWritable(err)
	}
	s.desired.limit = d.limit
	request := s.desired.ask(rand.Text(), s.Clock.Now())
	if err := s.recordRequest(ctx, d, request); err != nil {
		return reconcile.Result{}, err
	}
	log.FromContext(ctx).Info("Creating an activation", "because", d.create, "nonce", request.Nonce)
	id, code, err := s.account.SSM(s.desired.region).CreateActivation(ctx, s.desired.input(request))
	if err != nil {
		return s.notCreated(ctx, d, err)
	}
	s.Activations.made(s.place(), s.desired.made(id, request))
	s.roles.forget(s.Object.UID)
	if err := s.store(ctx, s.Object, s.secrets, content{registration{ID: id, Code: code}, request}); err != nil {
		return reconcile.Result{}, s.notStored(ctx, d, id, redact(err, code))
	}
	log.FromContext(ctx).Info("Stored the code of an activation", "activation", id, "secret", s.Object.SecretName())
	return s.replaced(ctx, d, id, request)
}

// notWritable reports that the code could not be stored if there were one.
func (s *scope) notWritable(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return reconcile.Result{}, err // Another client wrote it in between; the next reconcile checks it.
	}
	return retried(s.secretNotWritable(err), err), nil
}

// recordRequest writes the request into the record before the operator sends it. The
// write fails when the object was changed since the operator read it.
func (s *scope) recordRequest(ctx context.Context, d plan, request v1alpha1.ActivationRequest) error {
	status := &s.Object.Status
	if d.stored == nil {
		hide(status)
	}
	record := d.replaced(request, s.Clock.Now())
	record.AccountID = s.account.AccountID
	if record.SecretName == "" {
		record.SecretName = s.Object.SecretName()
	}
	status.Record = &record
	// What the conditions say of this generation stays true until AWS answers,
	// unless it is that there is an activation, and there is none.
	var result reconcile.Result
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != s.Object.Generation || (d.current == nil && ready.Status == metav1.ConditionTrue) {
		result = creating(d)
	}
	return s.Record(ctx, result)
}

// replaced ends a replacement: it deletes the previous activation, unless that has a
// grace period.
func (s *scope) replaced(ctx context.Context, d plan, id string, request v1alpha1.ActivationRequest) (reconcile.Result, error) {
	made := s.desired.made(id, request)
	record := s.Object.Status.Record
	record.Pending, record.SecretName = nil, s.Object.SecretName()
	had := s.Object.Status.ActivationID != ""
	s.show(made)
	if d.current != nil && !d.graceful {
		if err := s.removeAll(ctx, []string{d.current.ID}); err != nil {
			// The code is stored: that much is certain, and the next look deletes it.
			return retried(creating(d), err), nil
		}
	}
	if had || d.create != firstTime {
		reconcile.RecordEvent(s.Recorder, s.Object, reconcile.Readyf(v1alpha1.ReasonRotated,
			"Activation %s replaced the one before, because %s; Secret %q has its code.", id, d.create, s.Object.SecretName()))
	}
	next := planFor(observed{
		now: s.Clock.Now(), started: s.started, desired: s.desired, record: record, reported: id,
		stored: &content{registration{ID: id}, request},
		seen:   observation{activations: withPrevious(made, d, record)},
	})
	return requeued(s.result(next), s.after(next, s.Clock.Now())), nil
}

// withPrevious is what there is after a replacement.
func withPrevious(made ssm.Activation, d plan, record *v1alpha1.ActivationRecord) map[string]ssm.Activation {
	all := map[string]ssm.Activation{made.ID: made}
	if d.current != nil && slices.ContainsFunc(record.Previous, func(p v1alpha1.PreviousActivation) bool { return p.ID == d.current.ID }) {
		all[d.current.ID] = *d.current
	}
	return all
}

// notCreated reports why there is no activation, or that its existence is unknown.
func (s *scope) notCreated(ctx context.Context, d plan, err error) (reconcile.Result, error) {
	record := s.Object.Status.Record
	if _, unanswered := errors.AsType[*ssm.UnansweredError](err); unanswered {
		// It may have been sent long after it was recorded.
		record.Pending.RequestedAt = metav1.NewTime(s.Clock.Now().UTC().Truncate(time.Second).Add(time.Second))
		log.FromContext(ctx).Info("A request for an activation was not answered", "nonce", record.Pending.Nonce, "error", err.Error())
		return requeued(settling(), settled(record.Pending.RequestedAt.Time).Sub(s.Clock.Now())), nil
	}
	// AWS answered that it made none.
	record.Pending = nil
	record.Previous = d.record.Previous
	if _, unusable := errors.AsType[*ssm.RoleNotUsableError](err); unusable {
		after, isRetried := s.roles.wait(s.Object.UID, s.desired.role, s.Clock.Now())
		return requeued(roleNotUsable(err, isRetried), after), nil
	}
	if awserr.Classify(err) == awserr.Refused {
		return s.createRefused(err), nil
	}
	if _, shown := reconcile.Failed(err); shown {
		return failed(err)
	}
	// It resolves itself. The record must still say that nothing was sent.
	return reconcile.Result{Retry: err}, nil
}

// notStored deletes an activation whose code could not be stored: it can never be
// used. Until the deletion is done, the record lists the activation. It records the
// result itself, because the operator may be about to stop.
func (s *scope) notStored(ctx context.Context, d plan, id string, err error) error {
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	if failure := s.removeAll(detached, []string{id}); failure != nil {
		return fmt.Errorf("store the code of activation %s: %w", id, errors.Join(err, failure))
	}
	s.Object.Status.Record.Pending, s.Object.Status.Record.Previous = nil, d.record.Previous
	err = fmt.Errorf("store the code of activation %s, which was deleted again: %w", id, err)
	var result reconcile.Result
	if d.current == nil && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
		// No activation is left, and no other client wrote the Secret in between.
		result = s.secretNotWritable(err)
	}
	return errors.Join(s.Record(detached, result), err)
}
