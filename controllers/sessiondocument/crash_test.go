package sessiondocument_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// dieAt ends the operator while it waits for the answer to a call that had its
// effect, and starts another one. begin makes it call.
func (w world) dieAt(m *testenv.Manager, operation string, begin func()) *testenv.Manager {
	w.T.Helper()
	service := "ssm:"
	if strings.HasSuffix(operation, "ResourceShare") {
		service = "ram:"
	}
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.HoldAfter, Action: service + operation, Count: 1})
	w.Must(err)
	since := w.LastCall()
	begin()
	_, err = w.WaitCall(w.T.Context(), since, func(c calls.Call) bool { return c.Operation == operation })
	w.Must(err)
	w.Must(m.Stop())
	w.Emulator.RemoveFault(id)
	return w.Manager(w.T, testenv.ManagerOptions{})
}

func TestAnOperatorThatDiesWhileItTakesADocumentOverLosesNothing(t *testing.T) {
	for _, operation := range []string{"DescribeDocument", "AddTagsToResource", "UpdateDocument", "UpdateDocumentDefaultVersion", "ModifyDocumentPermission"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t, foreign(preferences, "first"))
			m := w.Manager(t, testenv.ManagerOptions{})
			w.Create(scenario.Account(mayAdopt, scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})))
			w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
			doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
				s.Tags, s.SharedWith = map[string]string{"cost": "1"}, []v1alpha1.ShareTarget{scenario.Sharee}
			})
			w.dieAt(m, operation, func() { w.Create(doc) })
			got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			scenario.ExpectEqual(t, "what was there before", *got.Status.Regions[0].Adopted, v1alpha1.AdoptedDocument{DefaultVersion: 1, SharedWith: []v1alpha1.AccountID{scenario.Sharee}})
			scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 2)
			w.deleteAndWait(doc)
			w.isAsBefore()
		})
	}
}

// isAsBefore checks that the document that was taken over is what it was.
func (w world) isAsBefore() {
	w.T.Helper()
	d := w.DocumentInAWS(preferences)
	scenario.ExpectEqual(w.T, "the default version", d.Default, 1)
	scenario.ExpectEqual(w.T, "the tags", d.Tags, map[string]string{"team": "others"})
	scenario.ExpectEqual(w.T, "the number of shares", len(d.Shares), 0)
}

func TestAnOperatorThatDiesWhileItPutsADocumentBackLosesNothing(t *testing.T) {
	for _, operation := range []string{"DescribeDocument", "UpdateDocumentDefaultVersion", "ModifyDocumentPermission", "RemoveTagsFromResource"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t, foreign(preferences, "first"))
			m := w.Manager(t, testenv.ManagerOptions{})
			doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} })
			w.Create(scenario.Account(mayAdopt, scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			w.dieAt(m, operation, func() { w.Must(w.Client.Delete(t.Context(), doc)) })
			w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
			w.isAsBefore()
		})
	}
}

func TestAnOperatorThatDiesWhileItMakesADocumentLeavesNone(t *testing.T) {
	for _, operation := range []string{"CreateDocument", "DescribeDocumentPermission", "ModifyDocumentPermission", "DeleteDocument"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})))
			w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
			doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} })
			if operation == "CreateDocument" {
				w.dieAt(m, operation, func() { w.Create(doc) })
				w.Must(w.Client.Delete(t.Context(), doc))
			} else {
				w.Create(doc)
				w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
				w.dieAt(m, operation, func() { w.Must(w.Client.Delete(t.Context(), doc)) })
			}
			w.Advance(scenario.Window, doc) // Absence counts only after a while.
			w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
			w.goneFromAWS(scenario.LoggedDocument)
		})
	}
}

func TestADocumentThatAWSDoesNotShowYetIsNotForgotten(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.Emulator.SetConsistency(awsemulator.Consistency{Documents: 30 * time.Second})
	doc := scenario.SessionDocument()
	w.dieAt(m, "CreateDocument", func() { w.Create(doc) })
	w.Must(w.Client.Delete(t.Context(), doc))
	got := w.AwaitDocument(doc, v1alpha1.ReasonCleaningUp)
	w.ExpectSentence(scenario.ReadyOf(got).Message, scenario.LoggedDocument, scenario.Region)
	w.Advance(scenario.Window, doc)
	w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestAnObjectThatGoesAtOnceLeavesNoDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	for i := range 30 {
		doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = "" })
		doc.Name = fmt.Sprintf("fleeting-%02d", i)
		w.Create(doc)
		w.Must(w.Client.Delete(t.Context(), doc))
	}
	w.Must(testenv.WaitCount(t.Context(), w.Client, scenario.SessionDocument(), 0, func(*v1alpha1.SessionDocument) bool { return true }))
	last := scenario.SessionDocument()
	w.Create(last)
	w.AwaitDocument(last, v1alpha1.ReasonInPlace)
	for d := range w.SSMIn(scenario.Region).Documents() {
		if d.Name != scenario.LoggedDocument {
			t.Errorf("document %s is left", d.Name)
		}
	}
}

func TestAnAnswerThatIsLostAnywhereIsMadeUpFor(t *testing.T) {
	for _, operation := range []string{
		"AddTagsToResource", "UpdateDocument", "UpdateDocumentDefaultVersion", "ModifyDocumentPermission", "RemoveTagsFromResource", "DeleteDocument",
	} {
		t.Run(operation, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "first", "second"))
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.ErrorAfter, Action: "ssm:" + operation, Count: 4}) // One call and its retries, and one more.
			w.Must(err)
			doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
				s.SharedWith, s.KeepVersions = []v1alpha1.ShareTarget{scenario.Sharee}, 1
			})
			w.Create(scenario.Account(mayAdopt, scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 3)
			w.deleteAndWait(doc)
			w.isAsBefore()
		})
	}
}
