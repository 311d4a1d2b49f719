package controllers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/calls"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// dieAt ends the operator while it waits for the answer to a call that had its
// effect, and starts another one. begin makes it call.
func (w world) dieAt(m *testenv.Manager, operation string, begin func()) *testenv.Manager {
	w.t.Helper()
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.HoldAfter, Action: "ssm:" + operation, Count: 1})
	w.must(err)
	since := w.LastCall()
	begin()
	_, err = w.WaitCall(w.t.Context(), since, func(c calls.Call) bool { return c.Operation == operation })
	w.must(err)
	w.must(m.Stop())
	w.Emulator.RemoveFault(id)
	return w.Manager(w.t, testenv.ManagerOptions{})
}

func TestAnOperatorThatDiesWhileItTakesADocumentOverLosesNothing(t *testing.T) {
	for _, operation := range []string{"DescribeDocument", "AddTagsToResource", "UpdateDocument", "UpdateDocumentDefaultVersion", "ModifyDocumentPermission"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t, foreign(preferences, "first"))
			m := w.Manager(t, testenv.ManagerOptions{})
			w.create(account(mayAdopt, allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})))
			w.accountIs(account(), v1alpha1.ReasonVerified)
			doc := sessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
				s.Tags, s.SharedWith = map[string]string{"cost": "1"}, []v1alpha1.AccountID{sharee}
			})
			w.dieAt(m, operation, func() { w.create(doc) })
			got := w.documentIs(doc, v1alpha1.ReasonInPlace)
			same(t, "what was there before", *got.Status.Regions[0].Adopted, v1alpha1.AdoptedDocument{DefaultVersion: 1, SharedWith: []v1alpha1.AccountID{sharee}})
			same(t, "the newest version", w.inAWS(preferences).Latest().Number, 2)
			w.deleteAndWait(doc)
			w.isAsBefore()
		})
	}
}

// isAsBefore checks that the document that was taken over is what it was.
func (w world) isAsBefore() {
	w.t.Helper()
	d := w.inAWS(preferences)
	same(w.t, "the default version", d.Default, 1)
	same(w.t, "the tags", d.Tags, map[string]string{"team": "others"})
	same(w.t, "the number of shares", len(d.Shares), 0)
}

func TestAnOperatorThatDiesWhileItPutsADocumentBackLosesNothing(t *testing.T) {
	for _, operation := range []string{"DescribeDocument", "UpdateDocumentDefaultVersion", "ModifyDocumentPermission", "RemoveTagsFromResource"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t, foreign(preferences, "first"))
			m := w.Manager(t, testenv.ManagerOptions{})
			doc := sessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} })
			w.create(account(mayAdopt, allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			w.dieAt(m, operation, func() { w.must(w.Client.Delete(t.Context(), doc)) })
			w.must(testenv.WaitGone(t.Context(), w.Client, doc))
			w.isAsBefore()
		})
	}
}

func TestAnOperatorThatDiesWhileItMakesADocumentLeavesNone(t *testing.T) {
	for _, operation := range []string{"CreateDocument", "DescribeDocumentPermission", "ModifyDocumentPermission", "DeleteDocument"} {
		t.Run(operation, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			w.create(account(allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})))
			w.accountIs(account(), v1alpha1.ReasonVerified)
			doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} })
			if operation == "CreateDocument" {
				w.dieAt(m, operation, func() { w.create(doc) })
				w.must(w.Client.Delete(t.Context(), doc))
			} else {
				w.create(doc)
				w.documentIs(doc, v1alpha1.ReasonInPlace)
				w.dieAt(m, operation, func() { w.must(w.Client.Delete(t.Context(), doc)) })
			}
			w.advance(testWindow, doc) // Absence counts only after a while.
			w.must(testenv.WaitGone(t.Context(), w.Client, doc))
			w.goneFromAWS(logged)
		})
	}
}

func TestADocumentThatAWSDoesNotShowYetIsNotForgotten(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	w.Emulator.SetConsistency(awsemulator.Consistency{Documents: 30 * time.Second})
	doc := sessionDocument()
	w.dieAt(m, "CreateDocument", func() { w.create(doc) })
	w.must(w.Client.Delete(t.Context(), doc))
	got := w.documentIs(doc, v1alpha1.ReasonCleaningUp)
	w.sentence(readyOf(got).Message, logged, region)
	w.advance(testWindow, doc)
	w.must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(logged)
}

func TestAnObjectThatGoesAtOnceLeavesNoDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	for i := range 30 {
		doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = "" })
		doc.Name = fmt.Sprintf("fleeting-%02d", i)
		w.create(doc)
		w.must(w.Client.Delete(t.Context(), doc))
	}
	w.must(testenv.WaitCount(t.Context(), w.Client, sessionDocument(), 0, func(*v1alpha1.SessionDocument) bool { return true }))
	last := sessionDocument()
	w.create(last)
	w.documentIs(last, v1alpha1.ReasonInPlace)
	for d := range w.ssmIn(region).Documents() {
		if d.Name != logged {
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
			w.must(err)
			doc := sessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
				s.SharedWith, s.KeepVersions = []v1alpha1.AccountID{sharee}, 1
			})
			w.create(account(mayAdopt, allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			same(t, "the newest version", w.inAWS(preferences).Latest().Number, 3)
			w.deleteAndWait(doc)
			w.isAsBefore()
		})
	}
}
