package accounttier

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
)

// declares is an AccountTier created at a second. is is what its status saw, and
// reason that of its Ready.
func declares(name string, tier, is v1alpha1.Tier, reason string, second int64) *v1alpha1.AccountTier {
	a := &v1alpha1.AccountTier{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.Unix(1_000_000+second, 0)},
		Spec:       v1alpha1.AccountTierSpec{Tier: tier},
	}
	if is != "" {
		a.Status.Regions = []v1alpha1.RegionTier{{Region: "r", Tier: is}}
	}
	if reason != "" {
		a.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Reason: reason}}
	}
	return a
}

func TestWhichOfTwoAccountTiersHasARegionAfterARestore(t *testing.T) {
	const advanced, standard, conflicts = v1alpha1.TierAdvanced, v1alpha1.TierStandard, v1alpha1.ReasonConflict
	during := &v1alpha1.AWSAccount{Status: v1alpha1.AWSAccountStatus{Conditions: []metav1.Condition{
		{Type: v1alpha1.ConditionRestored, Status: metav1.ConditionTrue},
	}}}
	after := &v1alpha1.AWSAccount{}
	for name, c := range map[string]struct {
		account    *v1alpha1.AWSAccount
		right      func(second int64) *v1alpha1.AccountTier
		wrong      func(second int64) *v1alpha1.AccountTier
		ageDecides bool
	}{
		"the status says who lost": {
			account: after,
			right: func(s int64) *v1alpha1.AccountTier {
				return declares("b", advanced, advanced, v1alpha1.ReasonTierInForce, s)
			},
			wrong: func(s int64) *v1alpha1.AccountTier { return declares("a", standard, "", conflicts, s) },
		},
		"nothing is recorded and one declares what is in place": {
			account: during,
			right:   func(s int64) *v1alpha1.AccountTier { return declares("b", advanced, "", "", s) },
			wrong: func(s int64) *v1alpha1.AccountTier {
				return declares("a", standard, advanced, v1alpha1.ReasonTierNeeded, s)
			},
		},
		"the one that declares what is in place came first": {
			account: during,
			right: func(s int64) *v1alpha1.AccountTier {
				return declares("b", advanced, advanced, v1alpha1.ReasonTierInForce, s)
			},
			wrong: func(s int64) *v1alpha1.AccountTier { return declares("a", standard, "", "", s) },
		},
		"no restore": {
			account: after,
			right: func(s int64) *v1alpha1.AccountTier {
				return declares("b", advanced, "", v1alpha1.ReasonRegionNotAllowed, s)
			},
			wrong: func(s int64) *v1alpha1.AccountTier {
				return declares("a", advanced, advanced, v1alpha1.ReasonTierInForce, s)
			},
			ageDecides: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, seconds := range [][2]int64{{0, 60}, {60, 0}} {
				right, wrong := c.right(seconds[0]), c.wrong(seconds[1])
				has := func(tier, rival *v1alpha1.AccountTier) bool {
					in := inputs{tier: tier}
					in.Account = c.account
					return !in.precedes(rival, "r")
				}
				want := !c.ageDecides || seconds[0] < seconds[1]
				if has(right, wrong) != want || has(wrong, right) == want {
					t.Errorf("created at %v: the right one has the region = %v, the other = %v", seconds, has(right, wrong), has(wrong, right))
				}
			}
		})
	}
}
