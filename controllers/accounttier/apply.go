package accounttier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/internal/cloud"
)

// application applies the plan of an AccountTier to its account.
type application struct {
	*Reconciler
	*scope
	in      inputs
	account accounts.Entry
	// result so far, and the errors of AWS to back off with.
	result reconcile.Result
	retry  error
}

// change is a change to send to AWS.
type change struct {
	desired
	setting cloud.TierSetting
}

func (a *application) status() *v1alpha1.AccountTierStatus { return &a.Object.Status }

// converge reads every region, records what it is going to change, and then sends that.
func (r *Reconciler) converge(ctx context.Context, s *scope, in inputs, account accounts.Entry) (reconcile.Result, error) {
	p := planFor(in, account.Mode == v1alpha1.ModeObserve)
	a := &application{Reconciler: r, scope: s, in: in, account: account, result: p.result}
	a.status().Regions = p.records
	var changes []change
	var unseen error // A region that cannot be read does not hold up the others.
	for _, d := range p.regions {
		needed, err := a.observe(ctx, d)
		if err != nil {
			unseen = errors.Join(unseen, err)
			continue
		}
		if needed != nil {
			changes = append(changes, *needed)
		}
	}
	if err := a.record(ctx, changes); err != nil {
		return reconcile.Result{}, err
	}
	for _, c := range changes {
		a.send(ctx, c)
	}
	if err := errors.Join(unseen, a.count(ctx, p.regions)); err != nil {
		return reconcile.Result{}, err
	}
	a.result.RequeueAfter, a.result.Retry = a.poll(), a.retry
	return a.result, nil
}

// report keeps a result where it is worse than those so far.
func (a *application) report(r reconcile.Result) { a.result = worse(a.result, r) }

// observe reads the tier of a region. It returns the change to send, nil for none.
func (a *application) observe(ctx context.Context, d desired) (*change, error) {
	setting, err := a.account.Cloud.TierSetting(ctx, string(d.region))
	if err != nil {
		return nil, a.failed(err)
	}
	a.Readings.Tiers.Put(a.account, d.region, setting)
	record := regionOf(a.status(), d.region)
	observe(record, setting, a.Clock.Now())
	if d.isInForce(record) {
		if d.leaving {
			forget(a.status(), d.region)
		}
		return nil, nil
	}
	if waits := d.waits(record, a.account.Mode == v1alpha1.ModeObserve, accounts.Restored(a.in.Account)); waits != nil {
		a.report(*waits)
		return nil, nil
	}
	if d.tier == v1alpha1.TierStandard {
		if isNeeded, err := a.isNeeded(ctx, d); isNeeded || err != nil {
			return nil, err
		}
	}
	return &change{d, setting}, nil
}

// isNeeded reports whether the tier of a region must stay Advanced, or may have to.
func (a *application) isNeeded(ctx context.Context, d desired) (bool, error) {
	accesses, err := a.needing(ctx, a.in.Account, d.region)
	if err != nil {
		return false, err
	}
	if len(accesses) > 0 {
		a.report(needed(d.region, accesses, d.leaving))
		return true, nil
	}
	nodes, err := a.Readings.HybridNodes.Get(ctx, a.account, d.region)
	if err != nil {
		return true, a.failed(err)
	}
	if nodes > standardNodes {
		a.report(tooMany(d.region, nodes, d.leaving))
		return true, nil
	}
	return false, nil
}

// record stores what is going to be changed before anything is sent: what was
// there before, and that a change may be under way.
func (a *application) record(ctx context.Context, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	for _, c := range changes {
		r := regionOf(a.status(), c.region)
		remember(r, c.setting)
		begin(r, c.tier, a.Clock.Now())
	}
	return a.Record(ctx, changing(regionOf(a.status(), changes[0].region)))
}

// send sends a change to AWS.
func (a *application) send(ctx context.Context, c change) {
	log.FromContext(ctx).Info("Changing the instances tier", "region", c.region, "tier", c.tier, "reset", c.reset)
	record := regionOf(a.status(), c.region)
	var err error
	if c.reset {
		err = a.account.Cloud.ResetTier(ctx, string(c.region))
	} else {
		err = a.account.Cloud.SetTier(ctx, string(c.region), toAWS[c.tier])
	}
	var setting cloud.TierSetting
	switch cloud.Classify(err) {
	case cloud.None:
		setting, err = a.account.Cloud.TierSetting(ctx, string(c.region))
	case cloud.Transport, cloud.Canceled: // It may have taken effect.
	default:
		withdraw(record)
	}
	if err != nil {
		a.retry = errors.Join(a.retry, a.failed(err))
		return
	}
	a.Readings.Tiers.Put(a.account, c.region, setting)
	observe(record, setting, a.Clock.Now())
	switch {
	case record.PendingSince != nil:
		a.report(changing(record))
	case c.leaving:
		forget(a.status(), c.region)
	}
}

// failed reports an error of AWS. It returns what heals by itself.
func (a *application) failed(err error) error {
	result, shown := reconcile.Failed(err)
	if !shown {
		return fmt.Errorf("converge the tiers of AWSAccount %q: %w", a.account.Name, err)
	}
	a.report(result)
	a.retry = errors.Join(a.retry, reconcile.Retry(err))
	return nil
}

// count puts the number of hybrid nodes and their cost into the status.
func (a *application) count(ctx context.Context, regions []desired) error {
	for _, d := range regions {
		r := find(a.status(), d.region)
		if r == nil || r.Tier == "" {
			continue
		}
		nodes, err := a.Readings.HybridNodes.Get(ctx, a.account, d.region)
		if err != nil {
			if err := a.failed(err); err != nil {
				return err
			}
			r.HybridNodes, r.EstimatedCost = nil, nil
			continue
		}
		n := int32(min(nodes, maxCount))
		r.HybridNodes = &n
		if r.EstimatedCost, err = costOf(r.Tier, n, a.Object.Spec.Price.PerNodeHour); err != nil {
			return err
		}
	}
	sum(a.status())
	return nil
}

// maxCount keeps a count within what the status holds.
const maxCount = 1 << 30

// poll is how long until a pending change is polled again; zero while there is none.
func (a *application) poll() time.Duration {
	var after time.Duration
	for _, r := range a.status().Regions {
		if r.PendingSince == nil {
			continue
		}
		if wait := pollAfter(r.PendingSince.Time, a.Clock.Now()); after == 0 || wait < after {
			after = wait
		}
	}
	return after
}
