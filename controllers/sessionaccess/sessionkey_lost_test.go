package sessionaccess_test

import (
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// The guardrail that let the namespace name a key is removed, while the operator cannot
// read the document.
func TestAKeyThatAGuardrailTakesBackGoesAlthoughTheDocumentCannotBeRead(t *testing.T) {
	w := worldOfDocuments(t, encrypted(v1alpha1.DefaultDocument, sessionKey))
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	grant := scenario.Access("shell", "user01", scenario.PC01)
	main := scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"arn:aws:kms:*:" + scenario.AccountID + ":key/*"}}))
	w.Create(main, grant)
	w.awaitThat(grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil && len(a.Status.Applied.Granted.Documents) == 1 && a.Status.Applied.Granted.Documents[0].KMSKeyARN == sessionKeyARN
	})
	w.Eventually(func() bool { return w.MayOpen("user01", scenario.PC01) })
	w.Must(m.Stop())
	for _, action := range []string{"ssm:GetDocument", "ssm:DescribeDocument"} {
		_, err := w.Emulator.Inject(faults.Fault{Kind: faults.Error, Action: action, Code: "AccessDeniedException", Message: "no"})
		w.Must(err)
	}
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.AwaitResyncs(2)
	w.Advance(5*time.Minute, grant)
	w.Eventually(func() bool { return !w.MayOpen("user01", scenario.PC01) })
}

// Suspending a SessionAccess takes nothing away, whatever the key of its document becomes.
func TestASuspendedAccessStaysAlthoughTheKeyOfItsDocumentChanges(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval}, encrypted("Unused", sessionKey))
	doc := scenario.SessionDocument()
	grant := scenario.Access("shell", "user01", scenario.PC01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}}
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"arn:*", "alias/*"}})), doc, grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	session := w.OpenSession(scenario.UserARN("user01"), scenario.PC01)
	scenario.Change(w.World, grant, func(a *v1alpha1.SessionAccess) { a.Spec.Suspend = true })
	w.AwaitAccess(grant, v1alpha1.ReasonSuspended)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.KMSKeyID = new(sessionKeyARN) })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	for range 3 {
		w.Touch(grant)
		w.AwaitResyncs(1)
	}
	w.Must(w.Client.Get(t.Context(), scenario.KeyOf(grant), grant))
	if a := grant.Status.Applied; a == nil || a.Granted == nil {
		t.Error("a suspended access was revoked, because its document has a key now")
	}
	w.ExpectSessionsOpen(session)
}
