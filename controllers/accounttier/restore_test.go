package accounttier_test

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What etcd held: the same UID, and the status of then.
func TestAnOlderStatusOfAnAccountTierIsContinued(t *testing.T) {
	w := scenario.NewWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	tier := scenario.AccountTier(v1alpha1.TierAdvanced)
	w.Create(scenario.Account(), tier)
	old := w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	scenario.Change(w, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierStandard })
	w.Eventually(func() bool { return w.SSM().Tier() == "standard" })
	w.Must(m.Stop())
	scenario.Change(w, tier, func(a *v1alpha1.AccountTier) { a.Spec.Tier = v1alpha1.TierAdvanced })
	w.RestoreStatus(tier, old)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool { return w.SSM().Tier() == "advanced" })
	w.AwaitTier(tier, v1alpha1.ReasonTierInForce)
	w.DeleteTier(tier)
	w.Eventually(func() bool { return w.SSM().Tier() == "standard" })
}

func TestAnAccountTierThatChangesNothingHasTheRegionInWhateverOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run([]string{"the right one", "the other"}[order[0]]+" first", func(t *testing.T) {
			w := scenario.NewWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			right := scenario.AccountTier(v1alpha1.TierAdvanced)
			other := scenario.AccountTier(v1alpha1.TierStandard, func(t *v1alpha1.AccountTier) { t.Name = "another" })
			grant, main := scenario.Access("user01-pc01", "user01", scenario.PC01), scenario.Account()
			w.Create(main, grant, right)
			w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			w.AwaitTier(right, v1alpha1.ReasonTierInForce)
			w.Must(m.Stop())
			saved := w.LoseObjects(right, main, grant)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			main = scenario.Restore[*v1alpha1.AWSAccount](w, saved[1], false)
			w.AwaitAccountCondition(main, v1alpha1.ConditionRestored)
			// Of two of one second, the name would have the other one win.
			git, back := []client.Object{saved[0], other}, make([]*v1alpha1.AccountTier, 2)
			for _, i := range order {
				back[i] = scenario.Restore[*v1alpha1.AccountTier](w, git[i], false)
				reasons := []string{v1alpha1.ReasonTierInForce, v1alpha1.ReasonTierNeeded, v1alpha1.ReasonConflict}
				_, err := testenv.WaitFor(t.Context(), w.Client, back[i], func(a *v1alpha1.AccountTier) bool {
					return slices.Contains(reasons, scenario.Condition(a.Status.Conditions, v1alpha1.ConditionReady).Reason)
				})
				w.Must(err)
			}
			w.AwaitTier(back[0], v1alpha1.ReasonTierInForce)
			w.AwaitTier(back[1], v1alpha1.ReasonConflict)
			w.ExpectTierInAWS("advanced", "Customized")
			if n := w.TierWrites(); n != 1 {
				t.Errorf("the tier was written %d times", n)
			}
		})
	}
}
