package sessionaccess_test

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// loseCompanyWithSession loses the objects of a company, whose user01 has a session on a
// machine of its activation.
func (w world) loseCompanyWithSession(company scenario.Company) (node, session string, saved []client.Object) {
	w.T.Helper()
	m := w.Manager(w.T, testenv.ManagerOptions{})
	w.Create(company.All()...)
	w.AwaitCompany(company)
	node = w.RegisterMachine(w.Secret("site"))
	session = w.OpenSession(scenario.UserARN("user01"), node)
	return node, session, w.LoseCompany(m, company)
}

// A restore brings back the activation after the access: until then its machines stay
// granted, for as long as the restore may be under way.
func TestTheMachinesOfAnActivationStayUntilItIsRestored(t *testing.T) {
	for name, back := range map[string]bool{"it comes back": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			w, before := worldWithoutManager(t), scenario.NewCompany()
			node, session, saved := w.loseCompanyWithSession(before)
			var site client.Object
			for _, obj := range saved {
				if _, ok := obj.(*v1alpha1.HybridActivation); ok {
					site = obj
					continue
				}
				scenario.Restore[client.Object](w.World, obj, true)
			}
			w.Manager(t, testenv.ManagerOptions{})
			w.AwaitAccountCondition(before.Account, v1alpha1.ConditionRestored)
			w.AwaitAccess(before.ToSite, v1alpha1.ReasonReferenceNotResolved)
			if !w.MayOpen("user01", node) || !w.IsSessionOpen(session) {
				t.Fatal("the machines are lost before the activation is restored")
			}
			if !back {
				w.Advance(accounts.RestoreWindow, before.ToSite)
				w.AwaitSessionEnd(session)
				if w.MayOpen("user01", node) {
					t.Error("the machines of an activation that was not restored stay granted")
				}
				return
			}
			scenario.Restore[client.Object](w.World, site, true)
			w.AwaitAccess(before.ToSite, v1alpha1.ReasonGranted)
			w.Eventually(func() bool { return w.MayOpen("user01", node) })
			w.ExpectSessionsOpen(session)
		})
	}
}

// The machines of an activation are granted by its UID, which a restore changes.
func TestASessionOnAMachineOfARestoredActivationEndsWithItsAccess(t *testing.T) {
	for name, status := range map[string]bool{"from Git": false, "with status": true} {
		t.Run(name, func(t *testing.T) {
			w, before := worldWithoutManager(t), scenario.NewCompany()
			node, session, saved := w.loseCompanyWithSession(before)
			w.Emulator.Advance(time.Hour)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			for _, obj := range saved {
				scenario.Restore[client.Object](w.World, obj, status)
			}
			after := scenario.NewCompany()
			for _, obj := range after.All() {
				w.Must(w.Client.Get(t.Context(), scenario.KeyOf(obj), obj))
			}
			w.AwaitNodeTag(node, v1alpha1.TagActivation, string(after.Site.UID))
			w.Eventually(func() bool { return w.MayOpen("user01", node) })
			w.Must(w.Client.Delete(t.Context(), after.ToSite))
			w.AwaitSessionEnd(session)
		})
	}
}
