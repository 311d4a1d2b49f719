package controllers_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// lostAccount is a cluster in which user01's access to PC01 was granted and backed
// up, and which lost the AWSAccount. Another AWSAccount declares the same account.
type lostAccount struct {
	world
	main, grant client.Object
}

// loseAccount makes one. Between the backup and the loss something may happen.
func loseAccount(t *testing.T, meanwhile func(w world, grant *v1alpha1.SessionAccess)) lostAccount {
	t.Helper()
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := account(), access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	saved := w.backup(main, grant)
	meanwhile(w, grant)
	w.must(m.Stop())
	w.vanish(main)
	if err := w.Client.Get(t.Context(), keyOf(grant), grant); err == nil {
		w.vanish(grant)
	}
	w.create(account(func(a *v1alpha1.AWSAccount) { a.Name = "other" }))
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	return lostAccount{w, saved[0], saved[1]}
}

// worksOnUser01 has the policies of user01 written for another access, to PC02.
func (w lostAccount) worksOnUser01() {
	w.t.Helper()
	another := access("user01-pc02", "user01", pc02)
	another.Spec.AccountRef.Name = "other"
	w.create(another)
	w.accessIs(another, v1alpha1.ReasonGranted)
}

// deleteAccess deletes a SessionAccess and waits until it is gone.
func (w world) deleteAccess(grant *v1alpha1.SessionAccess) {
	w.t.Helper()
	w.must(w.Client.Delete(w.t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.advance(testWindow, grant)
	w.must(testenv.WaitGone(w.t.Context(), w.Client, grant))
}

func TestARestoredRecordGrantsNothingBeforeItsObjectIsDecidedOn(t *testing.T) {
	w := loseAccount(t, func(w world, grant *v1alpha1.SessionAccess) { w.deleteAccess(grant) })
	grant := restored[*v1alpha1.SessionAccess](w.world, w.grant, true)
	w.accessIs(grant, v1alpha1.ReasonAccountNotFound)
	w.worksOnUser01()
	w.grid(false, true, false, false)
	// It is decided on once its AWSAccount is there, and the other one is not.
	w.vanish(account(func(a *v1alpha1.AWSAccount) { a.Name = "other" }))
	w.grid(false, true, false, false)
	restored[*v1alpha1.AWSAccount](w.world, w.main, false)
	got := w.accessIs(grant, v1alpha1.ReasonGranted)
	w.announced(grant, v1alpha1.ReasonRegranted)
	same(t, "whose the record is", got.Status.Applied.UID, string(grant.UID))
	if !w.may("user01", pc01) {
		t.Error("what is declared and allowed is not granted")
	}
}

func TestWhatARestoredRecordSaysStaysUntilItsObjectIsDecidedOn(t *testing.T) {
	w := loseAccount(t, func(world, *v1alpha1.SessionAccess) {})
	grant := restored[*v1alpha1.SessionAccess](w.world, w.grant, true)
	w.accessIs(grant, v1alpha1.ReasonAccountNotFound)
	open := w.open(user("user01"), pc01)
	before := w.writes()
	w.worksOnUser01()
	w.grid(true, true, false, false)
	if n := w.writes() - before; n != 1 {
		t.Errorf("IAM was written %d times, and a policy grew once", n)
	}
	w.openStill(open)
	// What the spec no longer asks for is revoked all the same.
	w.must(w.Client.Delete(t.Context(), grant))
	w.accessIs(grant, v1alpha1.ReasonEndingSessions)
	w.untilEnded(open)
	w.grid(false, true, false, false)
}

func TestARestoredRecordThatGuardrailsForbidIsRevoked(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := account(), access("user01-pc01", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	open := w.open(user("user01"), pc01)
	w.must(m.Stop())
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{Name: "mfa", NamespaceSelector: &metav1.LabelSelector{}, RequireMFA: true}}
	})
	grant = restored[*v1alpha1.SessionAccess](w, w.vanish(grant)[0], true)
	w.Manager(t, testenv.ManagerOptions{})
	got := w.accessIs(grant, v1alpha1.ReasonGuardrailViolated)
	same(t, "whose the record is", got.Status.Applied.UID, string(grant.UID))
	w.untilEnded(open)
	w.grid(false, false, false, false)
}

// The status of a backup says that the document is Ready. Whether it is, and whether it
// may be, is not known while AWS answers nothing about it.
func TestARestoredStatusOfAReferenceProvesNothing(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	c := newCompany()
	w.create(c.account, c.document, c.withDocument)
	w.accessIs(c.withDocument, v1alpha1.ReasonGranted)
	w.must(m.Stop())
	saved := w.vanish(c.document, c.withDocument)
	doc := restored[*v1alpha1.SessionDocument](w, saved[0], true)
	w.must(w.Client.Get(t.Context(), keyOf(doc), doc))
	if ready := readyOf(doc); ready.Status != metav1.ConditionTrue || doc.Status.UID == string(doc.UID) {
		t.Fatalf("the backup says %+v, of the object %q", ready, doc.Status.UID)
	}
	grant := restored[*v1alpha1.SessionAccess](w, saved[1], false)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Hold, Action: "ssm:*Document*"})
	w.must(err)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.accessIs(grant, v1alpha1.ReasonReferenceNotResolved)
	w.Emulator.RemoveFault(id)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	got := w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "whose the status is", got.Status.UID, string(doc.UID))
}
