package sessiondocument_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// othersFinalizer is that of another controller, or one that a tenant made up.
const othersFinalizer = "tenant.example/keep"

// setFinalizers replaces those of an object, the operator's among them, as every user may
// who may update the object.
func (w world) setFinalizers(doc *v1alpha1.SessionDocument, finalizers ...string) {
	w.T.Helper()
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Finalizers = finalizers })
}

// A tenant that removes the operator's finalizer and keeps the object with another one
// keeps no share.
func TestAnObjectThatAnotherFinalizerKeepsSharesNoDocument(t *testing.T) {
	for name, restarts := range map[string]bool{"while no manager runs": true, "while a manager runs": false} {
		t.Run(name, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			main, doc := scenario.Account(scenario.AllowSharing), scenario.SessionDocument(scenario.SharedWithSharee)
			w.Create(main, doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			if restarts {
				w.Must(m.Stop())
			}
			w.setFinalizers(doc, othersFinalizer)
			w.Must(w.Client.Delete(t.Context(), doc))
			scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
			if restarts {
				w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			}
			w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument) == nil })
			w.Eventually(func() bool {
				w.Must(w.Client.Get(t.Context(), scenario.KeyOf(doc), doc))
				return len(doc.Status.Regions) == 0
			})
			w.Must(w.Client.Delete(t.Context(), main))
			w.Must(testenv.WaitGone(t.Context(), w.Client, main))
			w.setFinalizers(doc)
		})
	}
}

func TestADocumentWhoseObjectLostTheFinalizerAndIsGoneIsCleanedUp(t *testing.T) {
	for name, remove := range map[string]func(world, *v1alpha1.SessionDocument){
		"before the deletion": func(w world, doc *v1alpha1.SessionDocument) {
			w.setFinalizers(doc)
			w.Must(w.Client.Delete(w.T.Context(), doc))
		},
		"during the deletion": func(w world, doc *v1alpha1.SessionDocument) {
			fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeDocument"})
			w.Must(err)
			w.Must(w.Client.Delete(w.T.Context(), doc))
			w.AwaitDocument(doc, v1alpha1.ReasonAccessDenied)
			w.setFinalizers(doc)
			w.Must(testenv.WaitGone(w.T.Context(), w.Client, doc))
			w.Emulator.RemoveFault(fault)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			doc := scenario.SessionDocument(scenario.SharedWithSharee)
			w.Create(scenario.Account(scenario.AllowSharing), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			remove(w, doc)
			w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument) == nil })
		})
	}
}

// What another client makes under the name is not the object's: the operator let go of it.
func TestAnObjectThatWasReleasedTouchesNoLaterDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.DeletionPolicy = v1alpha1.DeletionKeep })
	doc.Finalizers = []string{othersFinalizer}
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(w.Client.Delete(t.Context(), doc))
	w.Eventually(func() bool {
		w.Must(w.Client.Get(t.Context(), scenario.KeyOf(doc), doc))
		return len(doc.Finalizers) == 1
	})
	if len(doc.Status.Regions) != 0 {
		t.Errorf("the record of what was released names %v", doc.Status.Regions)
	}
	// As the document is without tags, and is what the object declared, the record would claim it.
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
	w.AwaitResyncs(2)
	if w.DocumentInAWS(scenario.LoggedDocument) == nil {
		t.Error("a document that was kept is deleted")
	}
	w.setFinalizers(doc)
}
