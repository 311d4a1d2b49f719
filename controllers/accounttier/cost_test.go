package accounttier

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

func TestTheCostOfHybridNodesIsExact(t *testing.T) {
	for _, c := range []struct {
		tier        v1alpha1.Tier
		nodes       int32
		price       string
		hour, month string
	}{
		{v1alpha1.TierAdvanced, 10, "0.00695", "0.0695", "50.04"},
		{v1alpha1.TierAdvanced, 1, "0.00695", "0.00695", "5.004"},
		{v1alpha1.TierAdvanced, 1000, "0.00695", "6.95", "5004.00"},
		{v1alpha1.TierAdvanced, 0, "0.00695", "0.00", "0.00"},
		{v1alpha1.TierAdvanced, 3, "0", "0.00", "0.00"},
		{v1alpha1.TierAdvanced, 3, "1", "3.00", "2160.00"},
		{v1alpha1.TierAdvanced, 3, "0.00000001", "0.00000003", "0.0000216"},
		{v1alpha1.TierAdvanced, 1 << 30, "9999.99999999", "10737418239989.26258176", "7730941132792269.0588672"},
		{v1alpha1.TierStandard, 10, "0.00695", "0.00", "0.00"},
	} {
		got, err := costOf(c.tier, c.nodes, c.price)
		if err != nil || got.USDPerHour != c.hour || got.USDPerMonth != c.month {
			t.Errorf("%d nodes at %s under %s cost %+v (%v), want %s an hour and %s a month", c.nodes, c.price, c.tier, got, err, c.hour, c.month)
		}
	}
	if _, err := costOf(v1alpha1.TierAdvanced, 1, "free"); err == nil {
		t.Error("a price that is no number is taken")
	}
}

func TestAMonthIsAlways720Hours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := rapid.StringMatching(`(0|[1-9][0-9]{0,3})(\.[0-9]{1,8})?`).Draw(t, "price")
		nodes := rapid.Int32Range(0, 1<<30).Draw(t, "nodes")
		cost, err := costOf(v1alpha1.TierAdvanced, nodes, price)
		if err != nil {
			t.Fatal(err)
		}
		number := func(text string) *big.Rat {
			n, ok := new(big.Rat).SetString(text)
			if !ok {
				t.Fatalf("%q is no number", text)
			}
			return n
		}
		hour := new(big.Rat).Mul(number(price), new(big.Rat).SetInt64(int64(nodes)))
		month := new(big.Rat).Mul(hour, new(big.Rat).SetInt64(720))
		if number(cost.USDPerHour).Cmp(hour) != 0 || number(cost.USDPerMonth).Cmp(month) != 0 {
			t.Fatalf("%d nodes at %s cost %+v", nodes, price, cost)
		}
	})
}

func TestTheSumIsKnownOnlyWithEveryRegion(t *testing.T) {
	region := func(name v1alpha1.Region, nodes int32) v1alpha1.RegionTier {
		cost, err := costOf(v1alpha1.TierAdvanced, nodes, "0.00695")
		if err != nil {
			t.Fatal(err)
		}
		return v1alpha1.RegionTier{Region: name, HybridNodes: &nodes, EstimatedCost: cost}
	}
	status := &v1alpha1.AccountTierStatus{Regions: []v1alpha1.RegionTier{region("a", 10), region("b", 1)}}
	if sum(status); *status.HybridNodes != 11 || status.USDPerMonth != "55.044" {
		t.Errorf("the sum is %d nodes, %s USD", *status.HybridNodes, status.USDPerMonth)
	}
	status.Regions = append(status.Regions, v1alpha1.RegionTier{Region: "c"})
	if sum(status); status.HybridNodes != nil || status.USDPerMonth != "" {
		t.Errorf("with a region that is not known the sum is %v nodes, %q USD", status.HybridNodes, status.USDPerMonth)
	}
}
