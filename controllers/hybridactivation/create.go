package hybridactivation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

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
	id, code, err := s.account.Cloud.CreateActivation(ctx, s.desired.region, s.desired.input(request))
	if err != nil {
		return s.notCreated(ctx, d, err)
	}
	s.Listings.made(s.place(), s.desired.made(id, request))
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
		status.ActivationID, status.ExpiresAt, status.Registered = "", nil, ""
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
	if err := s.showNodes(ctx); err != nil {
		return failed(err)
	}
	return requeued(s.result(next), s.after(next, s.Clock.Now())), nil
}

// withPrevious is what there is after a replacement.
func withPrevious(made cloud.Activation, d plan, record *v1alpha1.ActivationRecord) map[string]cloud.Activation {
	all := map[string]cloud.Activation{made.ID: made}
	if d.current != nil && slices.ContainsFunc(record.Previous, func(p v1alpha1.PreviousActivation) bool { return p.ID == d.current.ID }) {
		all[d.current.ID] = *d.current
	}
	return all
}

// notCreated reports why there is no activation, or that its existence is unknown.
func (s *scope) notCreated(ctx context.Context, d plan, err error) (reconcile.Result, error) {
	record := s.Object.Status.Record
	if _, unanswered := errors.AsType[*cloud.UnansweredError](err); unanswered {
		// It may have been sent long after it was recorded.
		record.Pending.RequestedAt = metav1.NewTime(s.Clock.Now().UTC().Truncate(time.Second).Add(time.Second))
		log.FromContext(ctx).Info("A request for an activation was not answered", "nonce", record.Pending.Nonce, "error", err.Error())
		return requeued(settling(), settled(record.Pending.RequestedAt.Time).Sub(s.Clock.Now())), nil
	}
	// AWS answered that it made none.
	record.Pending = nil
	record.Previous = d.record.Previous
	if _, unusable := errors.AsType[*cloud.RoleNotUsableError](err); unusable {
		after, isRetried := s.roles.wait(s.Object.UID, s.desired.role, s.Clock.Now())
		return requeued(roleNotUsable(err, isRetried), after), nil
	}
	if cloud.Classify(err) == cloud.Refused {
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
