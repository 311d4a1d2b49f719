package hybridactivation

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

func (s *scope) place() place { return place{s.account.AccountID, s.desired.region} }

// converge observes, plans, and applies.
func (s *scope) converge(ctx context.Context) (reconcile.Result, error) {
	var err error
	if s.secrets, err = s.readSecrets(ctx, s.Object); err != nil {
		return reconcile.Result{}, err
	}
	now, status := s.Clock.Now(), &s.Object.Status
	seen, err := s.Listings.of(ctx, s.account, s.desired.region, s.Object.UID, freshness(now, s.started, status.Record, s.secrets.stored))
	if err != nil {
		return failed(err)
	}
	d, err := s.plan(ctx, observed{
		now: now, started: s.started, desired: s.desired, record: status.Record, reported: status.ActivationID,
		stored: s.secrets.stored, seen: seen,
	})
	if err != nil {
		return failed(err)
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
	if err := s.showNodes(ctx); err != nil {
		return failed(err)
	}
	return s.wouldDo(d), nil
}

// apply does what is planned: first what takes something away.
func (s *scope) apply(ctx context.Context, d plan, now time.Time) (reconcile.Result, error) {
	d.closeNarrowed()
	if err := s.removeAll(ctx, d.remove); err != nil {
		return failed(err)
	}
	s.recordStrays(d)
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
	if d.full && d.stored == nil {
		if err := s.dropSecrets(ctx, s.secrets); err != nil {
			return reconcile.Result{}, err
		}
	}
	s.note(d)
	if err := s.showNodes(ctx); err != nil {
		return failed(err)
	}
	return requeued(s.result(d), s.after(d, now)), nil
}

// narrow does of what is planned what takes something away. An activation that is deleted
// takes its code along.
func (s *scope) narrow(ctx context.Context, d plan, now time.Time) (reconcile.Result, error) {
	d.closeNarrowed()
	if err := s.removeAll(ctx, d.remove); err != nil {
		return failed(err)
	}
	s.recordStrays(d)
	if d.stored == nil {
		if err := s.dropSecrets(ctx, s.secrets); err != nil {
			return reconcile.Result{}, err
		}
	}
	s.note(d)
	return requeued(s.result(d), s.after(d, now)), nil
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
	log.FromContext(ctx).Info("Writing the Secret anew", "secret", s.Object.SecretName())
	return redact(s.store(ctx, s.Object, s.secrets, *d.stored), d.stored.Code)
}

// note puts into the status what was decided on.
func (s *scope) note(d plan) {
	status := &s.Object.Status
	if d.stored == nil {
		status.ActivationID, status.ExpiresAt, status.Registered = "", nil, ""
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
func (s *scope) show(a cloud.Activation) {
	status := &s.Object.Status
	status.ActivationID = a.ID
	expires := metav1.NewTime(a.Expires.UTC().Truncate(time.Second))
	status.ExpiresAt = &expires
	status.Registered = fmt.Sprintf("%d/%d", a.Registered, a.Limit)
}

// after is when to look again without being asked.
func (s *scope) after(d plan, now time.Time) time.Duration {
	var after time.Duration
	if !d.wake.IsZero() {
		after = max(d.wake.Sub(now), time.Second)
	}
	if s.names.unfinished(s.Object.UID) && (after == 0 || after > nextNodes) {
		after = nextNodes
	}
	if s.desired.replenish && (after == 0 || after > replenishInterval) {
		after = replenishInterval
	}
	return after
}
