package controllers_test

import (
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The machines of an activation are granted by its UID, which a restore changes.
func TestASessionOnAMachineOfARestoredActivationEndsWithItsAccess(t *testing.T) {
	for name, status := range map[string]bool{"from Git": false, "with status": true} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			before := newCompany()
			w.create(before.all()...)
			w.works(before)
			node := w.register(w.secret("site"))
			session := w.open(user("user01"), node)
			saved := w.loseCompany(m, before)
			w.Emulator.Advance(time.Hour)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
			for _, obj := range saved {
				restored[client.Object](w, obj, status)
			}
			after := newCompany()
			for _, obj := range after.all() {
				w.must(w.Client.Get(t.Context(), keyOf(obj), obj))
			}
			w.nodeHas(node, v1alpha1.TagActivation, string(after.site.UID))
			w.until(func() bool { return w.may("user01", node) })
			w.must(w.Client.Delete(t.Context(), after.toSite))
			w.untilEnded(session)
		})
	}
}
