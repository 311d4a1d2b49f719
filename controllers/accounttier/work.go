package accounttier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// work is one reconcile of an AccountTier whose account can be worked on.
type work struct {
	*Reconciler
	in      inputs
	account accounts.Entry
	// before is the object as it was stored last.
	before *v1alpha1.AccountTier
	// retry are the errors of AWS to back off with.
	retry error
}

// change is a change to send to AWS.
type change struct {
	goal
	setting cloud.TierSetting
}

// converge reads every region, records what it is going to change, and then sends that.
// The caller writes the status.
func (w *work) converge(ctx context.Context, goals []goal, v reconcile.Verdict) (time.Duration, reconcile.Verdict, error) {
	var changes []change
	var unseen error // A region that cannot be read does not hold up the others.
	for _, g := range goals {
		needed, verdict, err := w.look(ctx, g)
		if err != nil {
			unseen = errors.Join(unseen, err)
			continue
		}
		if needed != nil {
			changes = append(changes, *needed)
		} else {
			v = worse(v, verdict)
		}
	}
	if err := w.record(ctx, changes); err != nil {
		return 0, v, err
	}
	for _, c := range changes {
		v = worse(v, w.send(ctx, c))
	}
	if err := errors.Join(unseen, w.count(ctx, goals, &v)); err != nil {
		return 0, v, err
	}
	return w.poll(), v, nil
}

// look reads the tier of a region. It returns the change to send, or else the verdict
// to report.
func (w *work) look(ctx context.Context, g goal) (*change, reconcile.Verdict, error) {
	settled := inForce(g.tier, len(w.in.tier.Status.Regions))
	setting, err := w.account.Cloud.TierSetting(ctx, string(g.region))
	if err != nil {
		v, err := w.failed(err)
		return nil, v, err
	}
	w.Readings.Tiers.Put(w.account, g.region, setting)
	record := regionOf(&w.in.tier.Status, g.region)
	observe(record, setting, w.Clock.Now())
	switch {
	case record.PendingSince != nil:
		return nil, changing(record), nil
	case record.Tier == g.tier:
		if g.leaving {
			forget(&w.in.tier.Status, g.region)
		}
		return nil, settled, nil
	case w.account.Mode == v1alpha1.ModeObserve:
		return nil, observed(g.region, g.tier), nil
	}
	if g.tier == v1alpha1.TierStandard {
		if in := w.in; !g.leaving && record.Before == nil && accounts.Restored(in.Account) {
			return nil, awaited(g.region), nil
		}
		if v, err := w.kept(ctx, g); v != nil || err != nil {
			return nil, deref(v), err
		}
	}
	return &change{g, setting}, settled, nil
}

func deref(v *reconcile.Verdict) reconcile.Verdict {
	if v == nil {
		return reconcile.Verdict{}
	}
	return *v
}

// kept says why the tier of a region must stay Advanced; nil when it need not.
func (w *work) kept(ctx context.Context, g goal) (*reconcile.Verdict, error) {
	leaving := g.leaving
	accesses, err := w.needing(ctx, w.in.Account, g.region)
	if err != nil {
		return nil, err
	}
	if len(accesses) > 0 {
		v := needed(g.region, accesses, leaving)
		return &v, nil
	}
	nodes, err := w.Readings.HybridNodes.Get(ctx, w.account, g.region)
	if err != nil {
		v, err := w.failed(err)
		return &v, err
	}
	if nodes > standardNodes {
		v := tooMany(g.region, nodes, leaving)
		return &v, nil
	}
	return nil, nil
}

// record stores what is going to be changed before anything is sent: what was
// there before, and that a change may be under way.
func (w *work) record(ctx context.Context, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	for _, c := range changes {
		r := regionOf(&w.in.tier.Status, c.region)
		remember(r, c.setting)
		begin(r, c.tier, w.Clock.Now())
	}
	return w.report(ctx, changing(regionOf(&w.in.tier.Status, changes[0].region)))
}

// send sends a change to AWS and reports the result.
func (w *work) send(ctx context.Context, c change) reconcile.Verdict {
	log.FromContext(ctx).Info("Changing the instances tier", "region", c.region, "tier", c.tier, "reset", c.reset)
	record := regionOf(&w.in.tier.Status, c.region)
	var err error
	if c.reset {
		err = w.account.Cloud.ResetTier(ctx, string(c.region))
	} else {
		err = w.account.Cloud.SetTier(ctx, string(c.region), toAWS[c.tier])
	}
	var setting cloud.TierSetting
	switch cloud.Classify(err) {
	case cloud.None:
		setting, err = w.account.Cloud.TierSetting(ctx, string(c.region))
	case cloud.Transport, cloud.Canceled: // It may have taken effect.
	default:
		withdraw(record)
	}
	if err != nil {
		v, err := w.failed(err)
		w.retry = errors.Join(w.retry, err)
		return v
	}
	w.Readings.Tiers.Put(w.account, c.region, setting)
	observe(record, setting, w.Clock.Now())
	switch {
	case record.PendingSince != nil:
		return changing(record)
	case c.leaving:
		forget(&w.in.tier.Status, c.region)
	}
	return inForce(c.tier, len(w.in.declared(w.in.tier)))
}

// failed is the verdict on an error of AWS. What heals by itself is returned.
func (w *work) failed(err error) (reconcile.Verdict, error) {
	v, shown := reconcile.Failure(err)
	if !shown {
		return v, fmt.Errorf("converge the tiers of AWSAccount %q: %w", w.account.Name, err)
	}
	w.retry = errors.Join(w.retry, reconcile.Retry(err))
	return v, nil
}

// count puts the number of hybrid nodes and their cost into the status.
func (w *work) count(ctx context.Context, goals []goal, v *reconcile.Verdict) error {
	for _, g := range goals {
		r := find(&w.in.tier.Status, g.region)
		if r == nil || r.Tier == "" {
			continue
		}
		nodes, err := w.Readings.HybridNodes.Get(ctx, w.account, g.region)
		if err != nil {
			failure, err := w.failed(err)
			if err != nil {
				return err
			}
			*v = worse(*v, failure)
			r.HybridNodes, r.EstimatedCost = nil, nil
			continue
		}
		n := int32(min(nodes, maxCount))
		r.HybridNodes = &n
		if r.EstimatedCost, err = costOf(r.Tier, n, w.in.tier.Spec.Price.PerNodeHour); err != nil {
			return err
		}
	}
	sum(&w.in.tier.Status)
	return nil
}

// maxCount keeps a count within what the status holds.
const maxCount = 1 << 30

// poll is how long until a pending change is polled again; zero while there is none.
func (w *work) poll() time.Duration {
	var after time.Duration
	for _, r := range w.in.tier.Status.Regions {
		if r.PendingSince == nil {
			continue
		}
		if wait := pollAfter(r.PendingSince.Time, w.Clock.Now()); after == 0 || wait < after {
			after = wait
		}
	}
	return after
}

// finish writes the status, and returns the errors to back off with.
func (w *work) finish(ctx context.Context, v reconcile.Verdict) error {
	if err := w.report(ctx, v); err != nil {
		return err
	}
	return w.retry
}

// report writes the status with a verdict where it changed. The finalizer is stored
// before a value that the operator has to restore later.
func (w *work) report(ctx context.Context, v reconcile.Verdict) error {
	tier := w.in.tier
	if tier.DeletionTimestamp.IsZero() && !controllerutil.ContainsFinalizer(tier, v1alpha1.Finalizer) && !nothingBefore(&tier.Status) {
		if err := reconcile.EnsureFinalizer(ctx, w.Client, tier); err != nil {
			return err
		}
		w.before.SetResourceVersion(tier.ResourceVersion)
	}
	tier.Status.ObservedGeneration = tier.Generation
	if err := reconcile.Report(ctx, w.Client, w.Recorder, w.before, tier, &tier.Status.Conditions, v); err != nil {
		return err
	}
	w.before = tier.DeepCopy()
	return nil
}
