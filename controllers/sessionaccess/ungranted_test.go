package sessionaccess_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// inMode sets the mode of the AWSAccount, and perhaps more in the same change.
func (w world) inMode(account *v1alpha1.AWSAccount, mode v1alpha1.AccountMode, change ...func(*v1alpha1.AWSAccountSpec)) {
	w.T.Helper()
	scenario.Change(w.World, account, func(a *v1alpha1.AWSAccount) {
		a.Spec.Mode = mode
		for _, c := range change {
			c(&a.Spec)
		}
	})
}

func allowNoNamespace(s *v1alpha1.AWSAccountSpec) {
	s.AllowedNamespaces = v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesNone}
}

// settled waits until nothing of an access is left to be revoked.
func (w world) settled(grant *v1alpha1.SessionAccess, reason string) {
	w.T.Helper()
	w.AwaitAccess(grant, reason)
	w.Advance(scenario.Window, grant)
	_, err := testenv.WaitFor(w.T.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied == nil || a.Status.Applied.Granted == nil && len(a.Status.Applied.Revoking) == 0
	})
	w.Must(err)
}

// Nothing was granted in mode Observe, so no session rests on it.
func TestAGrantThatWasOnlyObservedEndsNoSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	main, grant := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve }), scenario.Access("one", "responder", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.Advance(time.Hour)
	session := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.inMode(main, v1alpha1.ModeEnforce, allowNoNamespace)
	w.settled(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.ExpectSessionsOpen(session)
}

// What was added in mode Observe was not granted either; what was granted before was.
func TestWhatWasAddedInModeObserveEndsNoSession(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	main, grant := scenario.Account(), scenario.Access("one", "responder", scenario.PC02)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.inMode(main, v1alpha1.ModeObserve)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01, scenario.PC02}
	})
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	w.Advance(time.Hour)
	foreign, granted := w.OpenSession(scenario.UserARN("responder"), scenario.PC01), w.OpenSession(scenario.UserARN("responder"), scenario.PC02)
	w.inMode(main, v1alpha1.ModeEnforce, allowNoNamespace)
	w.AwaitSessionEnd(granted)
	w.settled(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.ExpectSessionsOpen(foreign)
}

// With mode Enforce a grant begins.
func TestAGrantThatWasOnlyObservedBeginsWithModeEnforce(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	w.responder()
	main, grant := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve }), scenario.Access("one", "responder", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	foreign := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.Advance(time.Hour)
	w.inMode(main, v1alpha1.ModeEnforce)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if g := got.Status.Applied.Granted; len(g.Ungranted) > 0 {
		t.Errorf("granted is all, and %v is said not to be", g.Ungranted)
	}
	granted := w.OpenSession(scenario.UserARN("responder"), scenario.PC01)
	w.inMode(main, v1alpha1.ModeObserve)
	w.activeIs(grant, v1alpha1.ReasonInForce)
	w.inMode(main, v1alpha1.ModeEnforce, allowNoNamespace)
	w.AwaitSessionEnd(granted)
	w.settled(grant, v1alpha1.ReasonNamespaceNotAllowed)
	w.ExpectSessionsOpen(foreign)
}

// A grant that is suspended, and was only observed before, is not granted.
func TestASuspendedGrantThatWasOnlyObservedIsNotGranted(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve }), scenario.Access("one", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonObserved)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Suspend = true })
	w.AwaitAccess(grant, v1alpha1.ReasonSuspended)
	w.inMode(main, v1alpha1.ModeEnforce)
	w.AwaitAccount(main, v1alpha1.ReasonVerified)
	w.settled(grant, v1alpha1.ReasonSuspended)
	if w.MayOpen("user01", scenario.PC01) {
		t.Error("a suspended access is granted")
	}
}

// One object replaces another in mode Observe: who has its access keeps it, and the session.
func TestAnObjectThatIsReplacedInModeObserveHandsItsSessionsOver(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{})
	main, before, after := scenario.Account(), scenario.Access("before", "user01", scenario.PC01), scenario.Access("after", "user01", scenario.PC01)
	w.Create(main, before)
	w.AwaitAccess(before, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Advance(time.Hour)
	w.inMode(main, v1alpha1.ModeObserve)
	w.Create(after)
	w.Eventually(func() bool {
		return w.Client.Get(t.Context(), scenario.KeyOf(after), after) == nil && after.Status.Applied != nil
	})
	w.Must(w.Client.Delete(t.Context(), before))
	w.AwaitAccess(before, v1alpha1.ReasonObserved)
	w.inMode(main, v1alpha1.ModeEnforce)
	w.AwaitAccess(before, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, before)
	w.Must(testenv.WaitGone(t.Context(), w.Client, before))
	w.AwaitAccess(after, v1alpha1.ReasonGranted)
	w.ExpectSessionsOpen(session)
	if !w.MayOpen("user01", scenario.PC01) {
		t.Error("what replaces a grant is not granted")
	}
	w.Must(w.Client.Delete(t.Context(), after))
	w.AwaitSessionEnd(session)
}
