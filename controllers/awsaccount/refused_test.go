package awsaccount_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// refusedAccount is a cluster in which user01's access to PC01 and PC02 is granted,
// and another AWSAccount than the one that it names is used since. That one is
// gone, or there and in conflict.
func refusedAccount(t *testing.T, conflict bool) (w world, grant *v1alpha1.SessionAccess) {
	t.Helper()
	w = worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main := scenario.Account()
	grant = scenario.Access("user01-both", "user01", scenario.PC01, scenario.PC02)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	saved := w.LoseObjects(main)
	other := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "other" })
	w.Create(other)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitAccount(other, v1alpha1.ReasonVerified)
	if conflict {
		w.outlivesTheRestore(other)
		scenario.Restore[*v1alpha1.AWSAccount](w.World, saved[0], false)
		w.AwaitAccess(grant, v1alpha1.ReasonConflict)
	} else {
		w.AwaitAccess(grant, v1alpha1.ReasonAccountNotFound)
	}
	w.ExpectAccess(true, true, false, false)
	return w, grant
}

// outlivesTheRestore waits until an AWSAccount counts as the one in use, although
// IAM held policies before it was verified.
func (w world) outlivesTheRestore(a *v1alpha1.AWSAccount) {
	w.T.Helper()
	w.Emulator.Advance(accounts.RestoreWindow + time.Second)
	_, err := testenv.WaitFor(w.T.Context(), w.Client, a, func(a *v1alpha1.AWSAccount) bool {
		return scenario.Condition(a.Status.Conditions, v1alpha1.ConditionRestored).Status != metav1.ConditionTrue
	})
	w.Must(err)
}

func TestANarrowingTakesEffectWhileTheAccountIsRefused(t *testing.T) {
	for name, conflict := range map[string]bool{v1alpha1.ReasonConflict: true, v1alpha1.ReasonAccountNotFound: false} {
		t.Run(name, func(t *testing.T) {
			w, grant := refusedAccount(t, conflict)
			lost, kept := w.OpenSession(scenario.UserARN("user01"), scenario.PC02), w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
			scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) {
				a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{scenario.PC01}}}
				a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
			})
			w.AwaitSessionEnd(lost)
			w.AwaitAccess(grant, name)
			w.ExpectAccess(true, false, false, false) // Nothing is added.
			w.ExpectSessionsOpen(kept)
		})
	}
}

func TestAnEarlierEndTakesEffectWhileTheAccountIsRefused(t *testing.T) {
	w, grant := refusedAccount(t, true)
	open := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	end := metav1.NewTime(w.Clock.Now().Add(time.Hour)).Rfc3339Copy()
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.NotAfter = &end })
	got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied.Granted != nil && a.Status.Applied.Granted.NotAfter != nil
	})
	w.Must(err)
	if at := got.Status.Applied.Granted.NotAfter; !at.Equal(&end) {
		t.Errorf("the record ends at %s, want %s", at, end)
	}
	w.Advance(time.Hour+time.Second, grant)
	w.AwaitSessionEnd(open)
	w.ExpectAccess(false, false, false, false)
}

// A record that the spec asks for in full stays as it is, guardrails' tags and
// references included.
func TestWhatIsStillAskedForStaysWhileTheAccountIsRefused(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	c := scenario.NewCompany()
	w.Create(c.Account, c.Document, c.WithDocument)
	w.AwaitAccess(c.WithDocument, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	before := c.WithDocument.DeepCopy()
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(before), before))
	saved := w.LoseObjects(c.Account)
	other := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "other" })
	w.Create(other)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitAccount(other, v1alpha1.ReasonVerified)
	w.AwaitAccess(c.WithDocument, v1alpha1.ReasonAccountNotFound)
	w.outlivesTheRestore(other)
	scenario.Restore[*v1alpha1.AWSAccount](w.World, saved[0], false)
	w.AwaitDocument(c.Document, v1alpha1.ReasonConflict)
	w.Touch(c.WithDocument)
	got := w.AwaitAccess(c.WithDocument, v1alpha1.ReasonConflict)
	scenario.ExpectEqual(t, "the serial of the record", got.Status.Applied.Serial, before.Status.Applied.Serial)
	scenario.ExpectEqual(t, "the documents of the record", got.Status.Applied.Granted.Documents, before.Status.Applied.Granted.Documents)
}
