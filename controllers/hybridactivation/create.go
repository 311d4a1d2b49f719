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
func (w *work) replace(ctx context.Context, d decision) (time.Duration, error) {
	if err := reconcile.EnsureFinalizer(ctx, w.Client, w.activation); err != nil {
		return 0, err
	}
	w.before = w.activation.DeepCopy()
	if err := w.rehearse(ctx, w.activation, w.secrets); err != nil {
		return 0, w.notWritable(ctx, err)
	}
	w.want.limit = d.limit
	request := w.want.ask(rand.Text(), w.Clock.Now())
	if err := w.recordRequest(ctx, d, request); err != nil {
		return 0, err
	}
	w.before = w.activation.DeepCopy()
	log.FromContext(ctx).Info("Creating an activation", "because", d.create, "nonce", request.Nonce)
	id, code, err := w.account.Cloud.CreateActivation(ctx, w.want.region, w.want.input(request))
	if err != nil {
		return w.notCreated(ctx, d, err)
	}
	w.Listings.made(w.place(), w.want.made(id, request))
	w.roles.forget(w.activation.UID)
	if err := w.store(ctx, w.activation, w.secrets, content{registration{ID: id, Code: code}, request}); err != nil {
		return 0, w.notStored(ctx, d, id, redact(err, code))
	}
	log.FromContext(ctx).Info("Stored the code of an activation", "activation", id, "secret", w.activation.SecretName())
	return w.replaced(ctx, d, id, request)
}

// notWritable reports that the code could not be stored if there were one.
func (w *work) notWritable(ctx context.Context, err error) error {
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return err // Another client wrote it in between; the next reconcile checks it.
	}
	return errors.Join(w.report(ctx, w.before, w.activation, w.secretNotWritable(err)), err)
}

// recordRequest writes the request into the record before the operator sends it. The
// write fails when the object was changed since the operator read it.
func (w *work) recordRequest(ctx context.Context, d decision, request v1alpha1.ActivationRequest) error {
	status := &w.activation.Status
	if d.stored == nil {
		status.ActivationID, status.ExpiresAt, status.Registered = "", nil, ""
	}
	record := d.replaced(request, w.Clock.Now())
	record.AccountID = w.account.AccountID
	if record.SecretName == "" {
		record.SecretName = w.activation.SecretName()
	}
	status.Record = &record
	// What the conditions say of this generation stays true until AWS answers,
	// unless it is that there is an activation, and there is none.
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.ObservedGeneration != w.activation.Generation || (d.current == nil && ready.Status == metav1.ConditionTrue) {
		status.ObservedGeneration = w.activation.Generation
		creating(d).Apply(&status.Conditions, w.activation.Generation)
	}
	written, err := reconcile.WriteStatus(ctx, w.Client, w.before, w.activation)
	if err == nil && !written {
		err = fmt.Errorf("record a request for an activation: the object is gone")
	}
	return err
}

// replaced ends a replacement: it deletes the previous activation, unless that has a
// grace period.
func (w *work) replaced(ctx context.Context, d decision, id string, request v1alpha1.ActivationRequest) (time.Duration, error) {
	made := w.want.made(id, request)
	record := w.activation.Status.Record
	record.Pending, record.SecretName = nil, w.activation.SecretName()
	w.show(made)
	if d.current != nil && !d.graceful {
		if err := w.removeAll(ctx, []string{d.current.ID}); err != nil {
			// The code is stored: that much is certain, and the next look deletes it.
			return 0, errors.Join(w.report(ctx, w.before, w.activation, creating(d)), err)
		}
	}
	if w.before.Status.ActivationID != "" || d.create != firstTime {
		reconcile.Announce(w.Recorder, w.activation, reconcile.Verdict{
			Reason:  v1alpha1.ReasonRotated,
			Message: fmt.Sprintf("Activation %s replaced the one before, because %s; Secret %q has its code.", id, d.create, w.activation.SecretName()),
		})
	}
	next := decide(facts{
		now: w.Clock.Now(), started: w.started, want: w.want, record: record, reported: id,
		stored: &content{registration{ID: id}, request},
		seen:   sighting{activations: withPrevious(made, d, record)},
	})
	if err := w.showNodes(ctx); err != nil {
		return 0, w.fail(ctx, w.before, w.activation, err)
	}
	return w.after(next, w.Clock.Now()), w.report(ctx, w.before, w.activation, w.verdict(next))
}

// withPrevious is what there is after a replacement.
func withPrevious(made cloud.Activation, d decision, record *v1alpha1.ActivationRecord) map[string]cloud.Activation {
	all := map[string]cloud.Activation{made.ID: made}
	if d.current != nil && slices.ContainsFunc(record.Previous, func(p v1alpha1.PreviousActivation) bool { return p.ID == d.current.ID }) {
		all[d.current.ID] = *d.current
	}
	return all
}

// notCreated reports why there is no activation, or that its existence is unknown.
func (w *work) notCreated(ctx context.Context, d decision, err error) (time.Duration, error) {
	record := w.activation.Status.Record
	if _, unanswered := errors.AsType[*cloud.UnansweredError](err); unanswered {
		// It may have been sent long after it was recorded.
		record.Pending.RequestedAt = metav1.NewTime(w.Clock.Now().UTC().Truncate(time.Second).Add(time.Second))
		log.FromContext(ctx).Info("A request for an activation was not answered", "nonce", record.Pending.Nonce, "error", err.Error())
		wait := settled(record.Pending.RequestedAt.Time).Sub(w.Clock.Now())
		return wait, w.report(ctx, w.before, w.activation, settling())
	}
	// AWS answered that it made none.
	record.Pending = nil
	record.Previous = d.record.Previous
	if _, unusable := errors.AsType[*cloud.RoleNotUsableError](err); unusable {
		after, patient := w.roles.wait(w.activation.UID, w.want.role, w.Clock.Now())
		return after, w.report(ctx, w.before, w.activation, roleNotUsable(err, patient))
	}
	if cloud.Classify(err) == cloud.Refused {
		return 0, w.report(ctx, w.before, w.activation, w.createRefused(err))
	}
	if _, shown := reconcile.Failure(err); shown {
		return 0, w.fail(ctx, w.before, w.activation, err)
	}
	// It heals by itself. The record must still say that nothing was sent.
	if _, written := reconcile.WriteStatus(ctx, w.Client, w.before, w.activation); written != nil {
		return 0, written
	}
	return 0, err
}

// notStored deletes an activation whose code could not be stored: it can never be
// used. Until the deletion is done, the record lists the activation.
func (w *work) notStored(ctx context.Context, d decision, id string, err error) error {
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	if gone := w.removeAll(detached, []string{id}); gone != nil {
		return fmt.Errorf("store the code of activation %s: %w", id, errors.Join(err, gone))
	}
	w.activation.Status.Record.Pending, w.activation.Status.Record.Previous = nil, d.record.Previous
	err = fmt.Errorf("store the code of activation %s, which was deleted again: %w", id, err)
	if d.current != nil || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		// An activation is left, or another client wrote the Secret in between.
		_, written := reconcile.WriteStatus(detached, w.Client, w.before, w.activation)
		return errors.Join(written, err)
	}
	return errors.Join(w.report(detached, w.before, w.activation, w.secretNotWritable(err)), err)
}
