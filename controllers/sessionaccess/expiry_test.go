package sessionaccess_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A later notAfter waits for a reference. Until then the earlier one holds, for open
// sessions too.
func TestAnAccessEndsAtItsTimeWhileALaterOneWaits(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	grant := scenario.Access("short", "user01", scenario.PC01)
	grant.Spec.NotAfter = &metav1.Time{Time: w.Clock.Now().Add(6 * time.Second).Truncate(time.Second)}
	w.Create(scenario.Account(), grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.NotAfter = &metav1.Time{Time: w.Clock.Now().Add(2 * time.Hour).Truncate(time.Second)}
		a.Spec.Documents = []v1alpha1.DocumentReference{{Name: v1alpha1.DefaultDocument}, {Ref: &v1alpha1.LocalReference{Name: "missing"}}}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	if !w.IsSessionOpen(session) {
		t.Fatal("the session was ended before its time")
	}
	w.AwaitSessionEnd(session)
	w.ExpectAccess(false, false, false, false)
}
