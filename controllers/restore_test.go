package controllers_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestARestoreGivesBackEverythingInWhateverOrder(t *testing.T) {
	for name, c := range map[string]struct {
		status bool
		order  []int
	}{
		"from Git, accounts first":      {false, []int{0, 1, 2, 3, 4, 5}},
		"from Git, accesses first":      {false, []int{5, 4, 3, 2, 1, 0}},
		"with status, accounts first":   {true, []int{0, 1, 2, 3, 4, 5}},
		"with status, accesses first":   {true, []int{5, 4, 3, 2, 1, 0}},
		"with status, the site at last": {true, []int{0, 4, 5, 3, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			before := scenario.NewCompany()
			w.Create(before.All()...)
			w.AwaitCompany(before)
			node := w.RegisterMachine(w.Secret("site"))
			saved := w.LoseCompany(m, before)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			for _, i := range c.order {
				obj := scenario.Restore[client.Object](w.World, saved[i], c.status)
				if main, ok := obj.(*v1alpha1.AWSAccount); ok {
					w.AwaitAccount(main, v1alpha1.ReasonVerified)
					w.AwaitAccountCondition(main, v1alpha1.ConditionRestored)
				}
			}
			after := scenario.NewCompany()
			for _, obj := range after.All() {
				w.Must(w.Client.Get(t.Context(), scenario.KeyOf(obj), obj))
			}
			w.AwaitNodeTag(node, v1alpha1.TagActivation, string(after.Site.UID))
			w.Eventually(func() bool {
				return w.MayOpen("user01", node) && w.DocumentInAWS(scenario.LoggedDocument).Tags[scenario.UIDTag] == string(after.Document.UID)
			})
			if c.status {
				// The record grants nodes by the tag with the earlier UID, which ends.
				w.AwaitAccess(after.ToSite, v1alpha1.ReasonEndingSessions)
				w.Advance(scenario.Window, after.ToSite)
			}
			w.AwaitCompany(after)
			w.AwaitEvent(after.Document, v1alpha1.ReasonRestored)
			if !w.MayOpen("user01", node) || w.MayOpen("user02", node) {
				t.Errorf("on the node that had registered: user01 may = %v, user02 may = %v", w.MayOpen("user01", node), w.MayOpen("user02", node))
			}
			w.ExpectTierInAWS("advanced", "Customized")
			if n := w.TierWrites(); n != 1 {
				t.Errorf("the tier was written %d times", n)
			}
			if n := w.CountEvents(after.Account, v1alpha1.ReasonOrphansRemoved); n != 0 {
				t.Error("a policy was removed before its SessionAccess was restored")
			}
		})
	}
}
