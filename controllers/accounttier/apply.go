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
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/awserr"
	"github.com/ssm-access-operator/ssm-access-operator/internal/aws/ssm"
)

// scope is one reconcile of an AccountTier whose account can be written to.
type scope struct {
	*Reconciler
	*frameScope
	in      inputs
	account accounts.Entry
	// result so far, and the errors of AWS to back off with.
	result reconcile.Result
	retry  error
}

// change is a change to send to AWS.
type change struct {
	desired
	setting ssm.TierSetting
}

func (s *scope) status() *v1alpha1.AccountTierStatus { return &s.Object.Status }

// converge reads every region, records what it is going to change, and then sends that.
func (r *Reconciler) converge(ctx context.Context, frame *frameScope, in inputs, account accounts.Entry, planner planner) (reconcile.Result, error) {
	p := planner(in, account.Mode == v1alpha1.ModeObserve)
	s := &scope{Reconciler: r, frameScope: frame, in: in, account: account, result: p.result}
	s.status().Regions = p.records
	var changes []change
	var unseen error // A region that cannot be read does not hold up the others.
	for _, d := range p.regions {
		needed, err := s.observe(ctx, d)
		if err != nil {
			unseen = errors.Join(unseen, err)
			continue
		}
		if needed != nil {
			changes = append(changes, *needed)
		}
	}
	if err := s.record(ctx, changes); err != nil {
		return reconcile.Result{}, err
	}
	for _, c := range changes {
		s.send(ctx, c)
	}
	if err := errors.Join(unseen, s.count(ctx, p.regions)); err != nil {
		return reconcile.Result{}, err
	}
	s.result.RequeueAfter, s.result.Retry = s.poll(), s.retry
	return s.result, nil
}

// report keeps a result where it is worse than those so far.
func (s *scope) report(r reconcile.Result) { s.result = worse(s.result, r) }

// observe reads the tier of a region. It returns the change to send, nil for none.
func (s *scope) observe(ctx context.Context, d desired) (*change, error) {
	setting, err := s.account.SSM(string(d.region)).TierSetting(ctx)
	if err != nil {
		return nil, s.failed(err)
	}
	s.Caches.Tiers.Put(s.account, d.region, setting)
	record := regionOf(s.status(), d.region)
	observe(record, setting, s.Clock.Now())
	if d.isInForce(record) {
		if d.leaving {
			forget(s.status(), d.region)
		}
		return nil, nil
	}
	if waits := d.waits(record, s.account.Mode == v1alpha1.ModeObserve, accounts.Restored(s.in.Account)); waits != nil {
		s.report(*waits)
		return nil, nil
	}
	if d.tier == v1alpha1.TierStandard {
		if isNeeded, err := s.isNeeded(ctx, d); isNeeded || err != nil {
			return nil, err
		}
	}
	return &change{d, setting}, nil
}

// isNeeded reports whether the tier of a region must stay Advanced, or may have to.
func (s *scope) isNeeded(ctx context.Context, d desired) (bool, error) {
	accesses, err := s.needing(ctx, s.in.Account, d.region)
	if err != nil {
		return false, err
	}
	if len(accesses) > 0 {
		s.report(needed(d.region, accesses, d.leaving))
		return true, nil
	}
	nodes, err := s.Caches.HybridNodes.Get(ctx, s.account, d.region)
	if err != nil {
		return true, s.failed(err)
	}
	if nodes > standardNodes {
		s.report(tooMany(d.region, nodes, d.leaving))
		return true, nil
	}
	return false, nil
}

// record stores what is going to be changed before anything is sent: what was
// there before, and that a change may be under way.
func (s *scope) record(ctx context.Context, changes []change) error {
	if len(changes) == 0 {
		return nil
	}
	for _, c := range changes {
		r := regionOf(s.status(), c.region)
		remember(r, c.setting)
		begin(r, c.tier, s.Clock.Now())
	}
	return s.Record(ctx, changing(regionOf(s.status(), changes[0].region)))
}

// send sends a change to AWS.
func (s *scope) send(ctx context.Context, c change) {
	log.FromContext(ctx).Info("Changing the instances tier", "region", c.region, "tier", c.tier, "reset", c.reset)
	record := regionOf(s.status(), c.region)
	var err error
	if c.reset {
		err = s.account.SSM(string(c.region)).ResetTier(ctx)
	} else {
		err = s.account.SSM(string(c.region)).SetTier(ctx, toAWS[c.tier])
	}
	var setting ssm.TierSetting
	switch awserr.Classify(err) {
	case awserr.None:
		setting, err = s.account.SSM(string(c.region)).TierSetting(ctx)
	case awserr.Transport, awserr.Canceled: // It may have taken effect.
	default:
		withdraw(record)
	}
	if err != nil {
		s.retry = errors.Join(s.retry, s.failed(err))
		return
	}
	s.Caches.Tiers.Put(s.account, c.region, setting)
	observe(record, setting, s.Clock.Now())
	switch {
	case record.PendingSince != nil:
		s.report(changing(record))
	case c.leaving:
		forget(s.status(), c.region)
	}
}

// failed reports an error of AWS. It returns what heals by itself.
func (s *scope) failed(err error) error {
	result, shown := reconcile.Failed(err)
	if !shown {
		return fmt.Errorf("converge the tiers of AWSAccount %q: %w", s.account.Name, err)
	}
	s.report(result)
	s.retry = errors.Join(s.retry, reconcile.Retry(err))
	return nil
}

// count puts the number of hybrid nodes and their cost into the status.
func (s *scope) count(ctx context.Context, regions []desired) error {
	for _, d := range regions {
		r := find(s.status(), d.region)
		if r == nil || r.Tier == "" {
			continue
		}
		nodes, err := s.Caches.HybridNodes.Get(ctx, s.account, d.region)
		if err != nil {
			if err := s.failed(err); err != nil {
				return err
			}
			r.HybridNodes, r.EstimatedCost = nil, nil
			continue
		}
		n := int32(min(nodes, maxCount))
		r.HybridNodes = &n
		if r.EstimatedCost, err = costOf(r.Tier, n, s.Object.Spec.Price.PerNodeHour); err != nil {
			return err
		}
	}
	sum(s.status())
	return nil
}

// maxCount keeps a count within what the status holds.
const maxCount = 1 << 30

// poll is how long until a pending change is polled again; zero while there is none.
func (s *scope) poll() time.Duration {
	var after time.Duration
	for _, r := range s.status().Regions {
		if r.PendingSince == nil {
			continue
		}
		if wait := pollAfter(r.PendingSince.Time, s.Clock.Now()); after == 0 || wait < after {
			after = wait
		}
	}
	return after
}
