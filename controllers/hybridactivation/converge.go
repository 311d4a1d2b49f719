package hybridactivation

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// work is one reconcile of an object that may use its account.
type work struct {
	*Reconciler
	activation *v1alpha1.HybridActivation
	before     *v1alpha1.HybridActivation
	account    accounts.Entry
	want       desired
	// observing: nothing is written to AWS, nor the Secret.
	observing bool
	secrets   secrets
	// bound is the rule that bounds the machines of the object; nil when none does.
	bound *v1alpha1.Guardrail
	// registered is how many machines there are, where they are bounded.
	registered int32
	// allowed is what the account allows, for the verdicts.
	allowed accounts.Inputs
}

func (w *work) place() place { return place{w.account.AccountID, w.want.region} }

// converge gathers what there is, decides, and does it.
func (w *work) converge(ctx context.Context) (time.Duration, error) {
	w.before = w.activation.DeepCopy()
	var err error
	if w.secrets, err = w.readSecrets(ctx, w.activation); err != nil {
		return 0, err
	}
	now := w.Clock.Now()
	seen, err := w.Listings.of(ctx, w.account, w.want.region, w.activation.UID, freshness(now, w.started, w.activation.Status.Record, w.secrets.stored))
	if err != nil {
		return 0, w.fail(ctx, w.before, w.activation, err)
	}
	d, err := w.decide(ctx, facts{
		now: now, started: w.started, want: w.want, record: w.activation.Status.Record, reported: w.activation.Status.ActivationID,
		stored: w.secrets.stored, seen: seen,
	})
	if err != nil {
		return 0, w.fail(ctx, w.before, w.activation, err)
	}
	if w.observing {
		return 0, w.observe(ctx, d)
	}
	return w.act(ctx, d, now)
}

// observe reports, and writes only the status.
func (w *work) observe(ctx context.Context, d decision) error {
	if d.current != nil {
		w.show(*d.current)
	}
	if err := w.showNodes(ctx); err != nil {
		return w.fail(ctx, w.before, w.activation, err)
	}
	return w.report(ctx, w.before, w.activation, w.observed(d))
}

// act does what was decided: first what takes something away.
func (w *work) act(ctx context.Context, d decision, now time.Time) (time.Duration, error) {
	d.closeNarrowed()
	if err := w.removeAll(ctx, d.remove); err != nil {
		return 0, w.fail(ctx, w.before, w.activation, err)
	}
	w.announceStrays(d)
	if w.secrets.target.state == secretForeign {
		w.note(d)
		return w.after(d, now), w.report(ctx, w.before, w.activation, w.secretConflict())
	}
	if d.create != "" {
		return w.replace(ctx, d)
	}
	if err := w.repairSecret(ctx, d); err != nil {
		return 0, err
	}
	if d.full && d.stored == nil {
		if err := w.dropSecrets(ctx, w.secrets); err != nil {
			return 0, err
		}
	}
	w.note(d)
	if err := w.showNodes(ctx); err != nil {
		return 0, w.fail(ctx, w.before, w.activation, err)
	}
	return w.after(d, now), w.report(ctx, w.before, w.activation, w.verdict(d))
}

// removeAll deletes activations. What is gone already is fine.
func (w *work) removeAll(ctx context.Context, ids []string) error {
	return w.withdraw(ctx, w.account, w.want.region, w.activation.UID, ids)
}

func (w *work) announceStrays(d decision) {
	if len(d.stray) == 0 {
		return
	}
	reconcile.Announce(w.Recorder, w.activation, reconcile.Verdict{
		Reason:  v1alpha1.ReasonStrayRemoved,
		Message: fmt.Sprintf("Activation %s was deleted, because nobody holds its code: a request for it was broken off.", strings.Join(d.stray, ", ")),
	})
}

// secretStale reports whether the Secret is not as the operator writes it although
// the code is not lost.
func (w *work) secretStale(d decision) bool {
	s := w.secrets
	return d.stored != nil && (s.target.content == nil || s.target.stale || s.former != nil)
}

// repairSecret rewrites the Secret where that is needed.
func (w *work) repairSecret(ctx context.Context, d decision) error {
	if !w.secretStale(d) {
		return nil
	}
	log.FromContext(ctx).Info("Writing the Secret anew", "secret", w.activation.SecretName())
	return redact(w.store(ctx, w.activation, w.secrets, *d.stored), d.stored.Code)
}

// note puts into the status what was decided on.
func (w *work) note(d decision) {
	status := &w.activation.Status
	if d.stored == nil {
		status.ActivationID, status.ExpiresAt, status.Registered = "", nil, ""
	}
	if d.current != nil {
		w.show(*d.current)
	}
	if w.before.Status.Record == nil && d.stored == nil && d.record.Pending == nil {
		return // The operator never sent anything to AWS.
	}
	record := d.record
	record.AccountID = w.account.AccountID
	if d.stored != nil && w.secrets.target.state != secretForeign {
		record.SecretName = w.activation.SecretName()
	}
	status.Record = &record
}

// show reports in the status the activation whose code is stored.
func (w *work) show(a cloud.Activation) {
	status := &w.activation.Status
	status.ActivationID = a.ID
	expires := metav1.NewTime(a.Expires.UTC().Truncate(time.Second))
	status.ExpiresAt = &expires
	status.Registered = fmt.Sprintf("%d/%d", a.Registered, a.Limit)
}

// after is when to look again without being asked.
func (w *work) after(d decision, now time.Time) time.Duration {
	var after time.Duration
	if !d.wake.IsZero() {
		after = max(d.wake.Sub(now), time.Second)
	}
	if w.names.unfinished(w.activation.UID) && (after == 0 || after > nextNodes) {
		after = nextNodes
	}
	if w.want.replenish && (after == 0 || after > replenishInterval) {
		after = replenishInterval
	}
	return after
}
