package sessionaccess_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// A grant that begins next year cannot have opened a session of today.
func TestAGrantThatHasNotBegunEndsNoSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	grant := scenario.Access("kick", "responder", scenario.PC01)
	grant.Spec.NotBefore = &metav1.Time{Time: w.Clock.Now().Add(365 * 24 * time.Hour).Truncate(time.Second)}
	w.Create(scenario.Account(), grant)
	w.activeIs(grant, v1alpha1.ReasonNotYetValid)
	w.Advance(time.Hour)
	session := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.Advance(10 * time.Minute)
	w.revoked(grant)
	w.ExpectSessionsOpen(session)
}

// Another controller's finalizer keeps a SessionAccess whose revocation is complete. A
// session that begins after that was opened with other permissions.
func TestADeletedGrantThatAnotherFinalizerKeepsEndsNoLaterSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	old := scenario.Access("old", "responder", scenario.PC01)
	old.Finalizers = []string{"tenant.example/keep"}
	w.Create(scenario.Account(), old)
	w.AwaitAccess(old, v1alpha1.ReasonGranted)
	w.Must(w.Client.Delete(t.Context(), old))
	w.AwaitAccess(old, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, old)
	w.awaitThat(old, func(a *v1alpha1.SessionAccess) bool { return len(a.Finalizers) == 1 })
	w.Advance(time.Hour)
	session := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.Advance(time.Hour)
	grant := scenario.Access("kick", "responder", scenario.PC01)
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.revoked(grant)
	w.ExpectSessionsOpen(session)
}
