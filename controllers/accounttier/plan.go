package accounttier

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// plan is what an AccountTier does before anything is read from AWS.
type plan struct {
	// regions are those in which a tier is desired.
	regions []desired
	// records are the new status.regions: without the regions that this object leaves as
	// they are.
	records []v1alpha1.RegionTier
	// result is what keeps this object from other regions, or that all is in force.
	result reconcile.Result
}

// desired is the desired tier of a region.
type desired struct {
	region v1alpha1.Region
	tier   v1alpha1.Tier
	// reset: by going back to AWS's default.
	reset bool
	// leaving: the region is given up once it is so.
	leaving bool
}

// planFor decides the desired tier of every region. It changes none of its inputs.
func planFor(in inputs, observing bool) plan {
	in.tier = in.tier.DeepCopy()
	status := &in.tier.Status
	declared := slices.Sorted(slices.Values(in.declared(in.tier)))
	p := plan{result: inForce(in.tier.Spec.Tier, len(declared))}
	for _, region := range declared {
		in.inherit(regionOf(status, region))
		if holder := in.holder(region); holder != nil {
			p.result = worse(p.result, conflict(region, holder))
			disown(status, region)
			continue
		}
		p.regions = append(p.regions, desired{region: region, tier: in.tier.Spec.Tier})
	}
	for _, record := range slices.Clone(status.Regions) {
		if slices.Contains(declared, record.Region) {
			continue
		}
		heir := in.heir(record.Region)
		switch {
		case record.Before == nil, observing, in.tier.DeletionPolicy() == v1alpha1.DeletionKeep && heir == nil:
			forget(status, record.Region)
		case heir != nil && changed(heir, record.Region):
			forget(status, record.Region)
		case heir != nil:
			p.result = worse(p.result, handingOver(record.Region, heir))
		default:
			p.regions = append(p.regions, desired{
				region: record.Region, tier: record.Before.Tier, leaving: true,
				reset: !record.Before.Customized && record.Before.Tier == v1alpha1.TierStandard,
			})
		}
	}
	p.records = status.Regions
	return p
}

// planner is planFor or planToLeave.
type planner func(in inputs, observing bool) plan

// planToLeave is planFor without the regions that are declared.
func planToLeave(in inputs, observing bool) plan {
	p := planFor(in, observing)
	p.regions = slices.DeleteFunc(p.regions, func(d desired) bool { return !d.leaving })
	return p
}

// isInForce reports whether AWS shows the desired tier in a region, and no pending change.
func (d desired) isInForce(record *v1alpha1.RegionTier) bool {
	return record.PendingSince == nil && record.Tier == d.tier
}

// waits is why a tier that is not in force is not changed now; nil where it may be. record
// is what AWS shows of the region, and restored says that a restore of the account may be
// under way.
func (d desired) waits(record *v1alpha1.RegionTier, observing, restored bool) *reconcile.Result {
	switch {
	case record.PendingSince != nil:
		return new(changing(record))
	case observing:
		return new(observed(d.region, d.tier))
	case d.tier == v1alpha1.TierStandard && !d.leaving && record.Before == nil && restored:
		return new(awaited(d.region))
	default:
		return nil
	}
}
