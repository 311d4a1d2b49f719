package accounttier

import (
	"fmt"
	"strings"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
)

// maxNamed bounds the SessionAccesses that a message names.
const maxNamed = 3

func inForce(tier v1alpha1.Tier, regions int) reconcile.Result {
	message := fmt.Sprintf("Tier %s is in force in 1 region.", tier)
	if regions != 1 {
		message = fmt.Sprintf("Tier %s is in force in %d regions.", tier, regions)
	}
	return reconcile.Readyf(v1alpha1.ReasonTierInForce, "%s", message)
}

// changing reports a pending change. The status records when it began.
func changing(r *v1alpha1.RegionTier) reconcile.Result {
	to := ""
	if r.ChangingTo != "" {
		to = " to " + string(r.ChangingTo)
	}
	return reconcile.Reconcilingf(v1alpha1.ReasonTierChanging,
		"AWS is changing the tier of %s%s, since when stands in status.regions. Up to Advanced takes minutes, back to Standard half an hour or more; nothing is sent again meanwhile.", r.Region, to)
}

func needed(region v1alpha1.Region, accesses []string, deleting bool) reconcile.Result {
	named := strings.Join(accesses[:min(len(accesses), maxNamed)], ", ")
	if more := len(accesses) - maxNamed; more > 0 {
		named = fmt.Sprintf("%s and %d more", named, more)
	}
	return reconcile.Stalledf(v1alpha1.ReasonTierNeeded,
		"The tier of %s stays Advanced, because Standard opens no sessions on hybrid nodes and some are granted there: %s. Delete those or remove their hybrid nodes, or %s.", region, named, wayOut(deleting))
}

func tooMany(region v1alpha1.Region, nodes int, deleting bool) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonTooManyNodes,
		"The tier of %s stays Advanced, because Standard allows %d hybrid nodes and %d are registered there. Deregister nodes, or %s.", region, standardNodes, nodes, wayOut(deleting))
}

// wayOut is how not to go to Standard.
func wayOut(leaving bool) string {
	if leaving {
		return "set deletionPolicy: Keep"
	}
	return "set tier: Advanced"
}

func conflict(region v1alpha1.Region, holder *v1alpha1.AccountTier) reconcile.Result {
	if !holder.DeletionTimestamp.IsZero() {
		return reconcile.Reconcilingf(v1alpha1.ReasonConflict,
			"AccountTier %q is being deleted and still has to put back the tier of %s, or hand it over; this one takes over then.", holder.Name, region)
	}
	return reconcile.Stalledf(v1alpha1.ReasonConflict,
		"AccountTier %q declares the tier of %s already, so this one does not change it there. Delete one of the two, or remove the region from one of them.", holder.Name, region)
}

func handingOver(region v1alpha1.Region, heir *v1alpha1.AccountTier) reconcile.Result {
	return reconcile.Reconcilingf(v1alpha1.ReasonTierChanging, "AccountTier %q takes over the tier of %s.", heir.Name, region)
}

func observed(region v1alpha1.Region, to v1alpha1.Tier) reconcile.Result {
	return reconcile.Stalledf(v1alpha1.ReasonObserved,
		"The account is in mode Observe: the tier of %s would be changed to %s. Set mode: Enforce to have it changed.", region, to)
}

// worse picks the result that people have to act upon first. Of two that rank alike
// the first wins.
func worse(a, b reconcile.Result) reconcile.Result {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func rank(r reconcile.Result) int {
	switch {
	case r.Phase == reconcile.Stalled && r.Reason != v1alpha1.ReasonObserved:
		return 4
	case r.Phase == reconcile.Retrying:
		return 3
	case r.Phase == reconcile.Stalled:
		return 2
	case r.Phase == reconcile.Reconciling:
		return 1
	default:
		return 0
	}
}
