package sessionaccess_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestAccessThatWasRevokedAfterTheBackupDoesNotComeBackWithoutAWord(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	revoked, kept := scenario.Access("user01-pc01", "user01", scenario.PC01), scenario.Access("user02-pc02", "user02", scenario.PC02)
	w.Create(scenario.Account(), revoked, kept)
	w.AwaitAccess(revoked, v1alpha1.ReasonGranted)
	w.AwaitAccess(kept, v1alpha1.ReasonGranted)
	saved := w.Backup(revoked, kept)
	w.Must(w.Client.Delete(t.Context(), revoked))
	w.AwaitAccess(revoked, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, revoked)
	w.Must(testenv.WaitGone(t.Context(), w.Client, revoked))
	w.ExpectAccess(false, false, false, true)
	w.Must(m.Stop())
	w.LoseObjects(kept)

	revoked, kept = scenario.Restore[*v1alpha1.SessionAccess](w.World, saved[0], true), scenario.Restore[*v1alpha1.SessionAccess](w.World, saved[1], true)
	w.Manager(t, testenv.ManagerOptions{})
	w.AwaitEvent(revoked, v1alpha1.ReasonRegranted)
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
	w.AwaitNodesChecked(kept)
	if n := w.CountEvents(kept, v1alpha1.ReasonRegranted); n != 0 {
		t.Errorf("%d events say that access is granted again which IAM held", n)
	}
	w.ExpectAccess(true, false, false, true)
}

func TestAnOlderStatusOfTheSameObjectSaysWhatItGrantsAgain(t *testing.T) {
	for name, c := range map[string]struct {
		others []v1alpha1.Principal
		reason string
	}{
		"ready": {nil, v1alpha1.ReasonGranted},
		// Ready of the backup is False.
		"beside a principal that does not exist": {[]v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "ghost"}}, v1alpha1.ReasonPrincipalNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldWithoutManager(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			grant := scenario.Access("user01-pc01", "user01", scenario.PC01, scenario.PC02)
			grant.Spec.Principals = append(grant.Spec.Principals, c.others...)
			w.Create(scenario.Account(), grant)
			w.AwaitAccess(grant, c.reason)
			w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC02) })
			old := w.Backup(grant)[0].(*v1alpha1.SessionAccess)
			scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Targets[0].InstanceIDs = []v1alpha1.InstanceID{scenario.PC01} })
			w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC02) })
			w.Must(m.Stop())

			// As etcd has it after a restore: the same UID, the spec and the status of then.
			scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec = old.Spec })
			old.Generation = grant.Generation
			for i := range old.Status.Conditions {
				old.Status.Conditions[i].ObservedGeneration = grant.Generation
			}
			w.RestoreStatus(grant, old)
			w.Manager(t, testenv.ManagerOptions{})
			w.AwaitEvent(grant, v1alpha1.ReasonRegranted)
			w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC02) })
		})
	}
}
