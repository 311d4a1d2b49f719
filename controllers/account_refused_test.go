package controllers_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/accounts"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// refusedAccount is a cluster in which user01's access to PC01 and PC02 is granted,
// and another AWSAccount than the one that it names is used since. That one is
// gone, or there and in conflict.
func refusedAccount(t *testing.T, conflict bool) (w world, grant *v1alpha1.SessionAccess) {
	t.Helper()
	w = worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main := account()
	grant = access("user01-both", "user01", pc01, pc02)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	saved := w.vanish(main)
	other := account(func(a *v1alpha1.AWSAccount) { a.Name = "other" })
	w.create(other)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.accountIs(other, v1alpha1.ReasonVerified)
	if conflict {
		w.outlivesTheRestore(other)
		restored[*v1alpha1.AWSAccount](w, saved[0], false)
		w.accessIs(grant, v1alpha1.ReasonConflict)
	} else {
		w.accessIs(grant, v1alpha1.ReasonAccountNotFound)
	}
	w.grid(true, true, false, false)
	return w, grant
}

// outlivesTheRestore waits until an AWSAccount counts as the one in use, although
// IAM held policies before it was verified.
func (w world) outlivesTheRestore(a *v1alpha1.AWSAccount) {
	w.t.Helper()
	w.Emulator.Advance(accounts.RestoreWindow + time.Second)
	_, err := testenv.WaitFor(w.t.Context(), w.Client, a, func(a *v1alpha1.AWSAccount) bool {
		return condition(a.Status.Conditions, v1alpha1.ConditionRestored).Status != metav1.ConditionTrue
	})
	w.must(err)
}

func TestANarrowingTakesEffectWhileTheAccountIsRefused(t *testing.T) {
	for name, conflict := range map[string]bool{v1alpha1.ReasonConflict: true, v1alpha1.ReasonAccountNotFound: false} {
		t.Run(name, func(t *testing.T) {
			w, grant := refusedAccount(t, conflict)
			lost, kept := w.open(user("user01"), pc02), w.open(user("user01"), pc01)
			change(w, grant, func(a *v1alpha1.SessionAccess) {
				a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{pc01}}}
				a.Spec.Principals = append(a.Spec.Principals, v1alpha1.Principal{Kind: v1alpha1.PrincipalUser, Name: "user02"})
			})
			w.untilEnded(lost)
			w.accessIs(grant, name)
			w.grid(true, false, false, false) // Nothing is added.
			w.openStill(kept)
		})
	}
}

func TestAnEarlierEndTakesEffectWhileTheAccountIsRefused(t *testing.T) {
	w, grant := refusedAccount(t, true)
	open := w.open(user("user01"), pc01)
	end := metav1.NewTime(w.Clock.Now().Add(time.Hour)).Rfc3339Copy()
	change(w, grant, func(a *v1alpha1.SessionAccess) { a.Spec.NotAfter = &end })
	got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied.Granted != nil && a.Status.Applied.Granted.NotAfter != nil
	})
	w.must(err)
	if at := got.Status.Applied.Granted.NotAfter; !at.Equal(&end) {
		t.Errorf("the record ends at %s, want %s", at, end)
	}
	w.advance(time.Hour+time.Second, grant)
	w.untilEnded(open)
	w.grid(false, false, false, false)
}

// A record that the spec asks for in full stays as it is, guardrails' tags and
// references included.
func TestWhatIsStillAskedForStaysWhileTheAccountIsRefused(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	c := newCompany()
	w.create(c.account, c.document, c.withDocument)
	w.accessIs(c.withDocument, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	before := c.withDocument.DeepCopy()
	w.must(w.Client.Get(t.Context(), keyOf(before), before))
	saved := w.vanish(c.account)
	other := account(func(a *v1alpha1.AWSAccount) { a.Name = "other" })
	w.create(other)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.accountIs(other, v1alpha1.ReasonVerified)
	w.accessIs(c.withDocument, v1alpha1.ReasonAccountNotFound)
	w.outlivesTheRestore(other)
	restored[*v1alpha1.AWSAccount](w, saved[0], false)
	w.documentIs(c.document, v1alpha1.ReasonConflict)
	w.touch(c.withDocument)
	got := w.accessIs(c.withDocument, v1alpha1.ReasonConflict)
	same(t, "the serial of the record", got.Status.Applied.Serial, before.Status.Applied.Serial)
	same(t, "the documents of the record", got.Status.Applied.Granted.Documents, before.Status.Applied.Granted.Documents)
}
