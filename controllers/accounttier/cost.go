package accounttier

import (
	"fmt"
	"math/big"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

const (
	// hoursPerMonth of 30 days.
	hoursPerMonth = 24 * 30
	// cents is how many digits a price has at least.
	cents = 2
)

// costOf is what hybrid nodes cost under a tier, exactly. Standard costs nothing.
func costOf(tier v1alpha1.Tier, nodes int32, perNodeHour string) (*v1alpha1.EstimatedCost, error) {
	price, ok := new(big.Rat).SetString(perNodeHour)
	if !ok {
		return nil, fmt.Errorf("read spec.price.perNodeHour %q: it is no decimal number", perNodeHour)
	}
	if tier != v1alpha1.TierAdvanced {
		price.SetInt64(0)
	}
	hour := price.Mul(price, big.NewRat(int64(nodes), 1))
	month := new(big.Rat).Mul(hour, big.NewRat(hoursPerMonth, 1))
	return &v1alpha1.EstimatedCost{USDPerHour: decimal(hour), USDPerMonth: decimal(month)}, nil
}

// decimal writes a number that was a decimal one, and is still, in full.
func decimal(n *big.Rat) string {
	digits, _ := n.FloatPrec()
	return n.FloatString(max(digits, cents))
}

// sum adds up the nodes and the cost of all regions: nothing while one of them
// is not known.
func sum(status *v1alpha1.AccountTierStatus) {
	status.HybridNodes, status.USDPerMonth = nil, ""
	var nodes int32
	month := new(big.Rat)
	for i := range status.Regions {
		r := &status.Regions[i]
		if r.HybridNodes == nil || r.EstimatedCost == nil {
			return
		}
		cost, ok := new(big.Rat).SetString(r.EstimatedCost.USDPerMonth)
		if !ok {
			return
		}
		nodes += *r.HybridNodes
		month.Add(month, cost)
	}
	if len(status.Regions) > 0 {
		status.HybridNodes, status.USDPerMonth = &nodes, decimal(month)
	}
}
