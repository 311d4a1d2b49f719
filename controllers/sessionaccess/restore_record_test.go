package sessionaccess_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
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
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	saved := w.Backup(main, grant)
	meanwhile(w, grant)
	w.Must(m.Stop())
	w.LoseObjects(main)
	if err := w.Client.Get(t.Context(), scenario.KeyOf(grant), grant); err == nil {
		w.LoseObjects(grant)
	}
	w.Create(scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "other" }))
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	return lostAccount{w, saved[0], saved[1]}
}

// worksOnUser01 has the policies of user01 written for another access, to PC02.
func (w lostAccount) worksOnUser01() {
	w.T.Helper()
	another := scenario.Access("user01-pc02", "user01", scenario.PC02)
	another.Spec.AccountRef.Name = "other"
	w.Create(another)
	w.AwaitAccess(another, v1alpha1.ReasonGranted)
}

// deleteAccess deletes a SessionAccess and waits until it is gone.
func (w world) deleteAccess(grant *v1alpha1.SessionAccess) {
	w.T.Helper()
	w.Must(w.Client.Delete(w.T.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.Advance(scenario.Window, grant)
	w.Must(testenv.WaitGone(w.T.Context(), w.Client, grant))
}

func TestARestoredRecordGrantsNothingBeforeItsObjectIsDecidedOn(t *testing.T) {
	w := loseAccount(t, func(w world, grant *v1alpha1.SessionAccess) { w.deleteAccess(grant) })
	grant := scenario.Restore[*v1alpha1.SessionAccess](w.world.World, w.grant, true)
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotFound)
	w.worksOnUser01()
	w.ExpectAccess(false, true, false, false)
	// It is decided on once its AWSAccount is there, and the other one is not.
	w.LoseObjects(scenario.Account(func(a *v1alpha1.AWSAccount) { a.Name = "other" }))
	w.ExpectAccess(false, true, false, false)
	scenario.Restore[*v1alpha1.AWSAccount](w.world.World, w.main, false)
	got := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	w.AwaitEvent(grant, v1alpha1.ReasonRegranted)
	scenario.ExpectEqual(t, "whose the record is", got.Status.Applied.UID, string(grant.UID))
	if !w.MayOpen("user01", scenario.PC01) {
		t.Error("what is declared and allowed is not granted")
	}
}

func TestWhatARestoredRecordSaysStaysUntilItsObjectIsDecidedOn(t *testing.T) {
	w := loseAccount(t, func(world, *v1alpha1.SessionAccess) {})
	grant := scenario.Restore[*v1alpha1.SessionAccess](w.world.World, w.grant, true)
	w.AwaitAccess(grant, v1alpha1.ReasonAccountNotFound)
	open := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	before := w.IAMWrites()
	w.worksOnUser01()
	w.ExpectAccess(true, true, false, false)
	if n := w.IAMWrites() - before; n != 1 {
		t.Errorf("IAM was written %d times, and a policy grew once", n)
	}
	w.ExpectSessionsOpen(open)
	// What the spec no longer asks for is revoked all the same.
	w.Must(w.Client.Delete(t.Context(), grant))
	w.AwaitAccess(grant, v1alpha1.ReasonEndingSessions)
	w.AwaitSessionEnd(open)
	w.ExpectAccess(false, true, false, false)
}

func TestARestoredRecordThatGuardrailsForbidIsRevoked(t *testing.T) {
	w := worldWithoutManager(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	main, grant := scenario.Account(), scenario.Access("user01-pc01", "user01", scenario.PC01)
	w.Create(main, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	open := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	w.Must(m.Stop())
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails = []v1alpha1.Guardrail{{Name: "mfa", NamespaceSelector: &metav1.LabelSelector{}, RequireMFA: true}}
	})
	grant = scenario.Restore[*v1alpha1.SessionAccess](w.World, w.LoseObjects(grant)[0], true)
	w.Manager(t, testenv.ManagerOptions{})
	got := w.AwaitAccess(grant, v1alpha1.ReasonGuardrailViolated)
	scenario.ExpectEqual(t, "whose the record is", got.Status.Applied.UID, string(grant.UID))
	w.AwaitSessionEnd(open)
	w.ExpectAccess(false, false, false, false)
}

// The status of a backup says that the document is Ready. Whether it is, and whether it
// may be, is not known while AWS answers nothing about it.
func TestARestoredStatusOfAReferenceProvesNothing(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	c := scenario.NewCompany()
	w.Create(c.Account, c.Document, c.WithDocument)
	w.AwaitAccess(c.WithDocument, v1alpha1.ReasonGranted)
	w.Must(m.Stop())
	saved := w.LoseObjects(c.Document, c.WithDocument)
	doc := scenario.Restore[*v1alpha1.SessionDocument](w.World, saved[0], true)
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(doc), doc))
	if ready := scenario.ReadyOf(doc); ready.Status != metav1.ConditionTrue || doc.Status.UID == string(doc.UID) {
		t.Fatalf("the backup says %+v, of the object %q", ready, doc.Status.UID)
	}
	grant := scenario.Restore[*v1alpha1.SessionAccess](w.World, saved[1], false)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Hold, Action: "ssm:*Document*"})
	w.Must(err)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitAccess(grant, v1alpha1.ReasonReferenceNotResolved)
	w.Emulator.RemoveFault(id)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "whose the status is", got.Status.UID, string(doc.UID))
}
