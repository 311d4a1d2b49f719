package accounttier

import (
	"slices"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// goal is the desired tier of a region.
type goal struct {
	region v1alpha1.Region
	tier   v1alpha1.Tier
	// reset: by going back to AWS's default.
	reset bool
	// leaving: the region is given up once it is so.
	leaving bool
}

// goals decides the desired tier of every region, drops the records of regions that
// this object leaves as they are, and reports what keeps it from other regions. It
// changes the status only.
func (in inputs) goals(observe bool) (goals []goal, v reconcile.Verdict) {
	declared := slices.Sorted(slices.Values(in.declared(in.tier)))
	v = inForce(in.tier.Spec.Tier, len(declared))
	for _, region := range declared {
		in.inherit(regionOf(&in.tier.Status, region))
		if holder := in.holder(region); holder != nil {
			v = worse(v, conflict(region, holder))
			disown(&in.tier.Status, region)
			continue
		}
		goals = append(goals, goal{region: region, tier: in.tier.Spec.Tier})
	}
	for _, record := range slices.Clone(in.tier.Status.Regions) {
		if slices.Contains(declared, record.Region) {
			continue
		}
		heir := in.heir(record.Region)
		switch {
		case record.Before == nil, observe, in.tier.Spec.OnDelete == v1alpha1.TierKeep && heir == nil:
			forget(&in.tier.Status, record.Region)
		case heir != nil && changed(heir, record.Region):
			forget(&in.tier.Status, record.Region)
		case heir != nil:
			v = worse(v, handingOver(record.Region, heir))
		default:
			goals = append(goals, goal{
				region: record.Region, tier: record.Before.Tier, leaving: true,
				reset: !record.Before.Customized && record.Before.Tier == v1alpha1.TierStandard,
			})
		}
	}
	return goals, v
}
