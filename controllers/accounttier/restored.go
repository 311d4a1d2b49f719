package accounttier

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// precedes reports whether a rival that declares a region as well has it, and
// this object has not. Age decides, except after a restore, where the times of
// creation are those of the restore:
//
//   - an object whose status says that it lost does not win against one whose
//     status says that it has the region;
//   - while a restore may be under way, of two that declare different tiers the
//     one wins whose tier is in place, so that nothing changes.
func (in inputs) precedes(rival *v1alpha1.AccountTier, region v1alpha1.Region) bool {
	mine, theirs := inPlace(in.tier, region), inPlace(rival, region)
	switch {
	case mine == "" && theirs != "" && lost(in.tier):
		return true
	case theirs == "" && mine != "" && lost(rival):
		return false
	}
	if is := cmp.Or(theirs, mine); is != "" && in.Account != nil && accounts.Restored(in.Account) && rival.Spec.Tier != in.tier.Spec.Tier {
		return rival.Spec.Tier == is
	}
	return accounts.Precedes(rival, in.tier)
}

// inPlace is the tier that the status of an AccountTier saw in a region that it
// has; empty where it has it not.
func inPlace(tier *v1alpha1.AccountTier, region v1alpha1.Region) v1alpha1.Tier {
	if record := find(&tier.Status, region); record != nil {
		return record.Tier
	}
	return ""
}

// lost reports whether the status of an AccountTier says that another one keeps
// it from a region.
func lost(tier *v1alpha1.AccountTier) bool {
	ready := meta.FindStatusCondition(tier.Status.Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonConflict
}

// disown drops what the status saw in a region that another AccountTier has. A
// change that is under way is followed to its end.
func disown(status *v1alpha1.AccountTierStatus, region v1alpha1.Region) {
	if record := find(status, region); record != nil && record.PendingSince == nil {
		record.Tier, record.HybridNodes, record.EstimatedCost = "", nil, nil
	}
}

// awaited is the result for a tier that is not lowered while objects that need it
// may still be restored.
func awaited(region v1alpha1.Region) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonTierNeeded,
		"The tier of %s stays Advanced for now: the AWSAccount was restored within the last hour, and what needs the tier is perhaps not restored yet.", region)
}
