package sessiondocument_test

import (
	"fmt"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// An object that is not allowed to have a document does not keep others from it. This
// holds right after an edit too, while its status still describes the earlier spec.
func TestAnEditOfARefusedObjectTakesNoDocumentFromAnother(t *testing.T) {
	for name, c := range map[string]struct {
		labels map[string]string
		reason string
		change []func(*v1alpha1.AWSAccount)
	}{
		"a namespace that is not allowed": {nil, v1alpha1.ReasonNamespaceNotAllowed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOfDocuments(t)
			w.Must(w.Namespace(t.Context(), scenario.Stranger, c.labels))
			m := w.Manager(t, testenv.ManagerOptions{})
			squatter, neighbour := scenario.SessionDocument(), scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = "SessionManager-Other" })
			squatter.Namespace, neighbour.Name = scenario.Stranger, "neighbour"
			w.Create(scenario.Account(c.change...), squatter, neighbour)
			w.AwaitDocument(squatter, c.reason)
			w.AwaitDocument(neighbour, v1alpha1.ReasonInPlace)
			w.Must(m.Stop())
			// The documents are listed once in a resync: here before the next one exists.
			seen := w.LastCall()
			w.Manager(t, testenv.ManagerOptions{})
			w.AwaitCall(seen, "ListDocuments")

			doc, grant := scenario.SessionDocument(), scenario.Access("granted", "user01", scenario.PC01)
			grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: doc.Name}}}
			w.Create(doc, grant)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			before := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			session, err := w.Emulator.OpenSession(scenario.UserARN("user01"), scenario.Region, scenario.PC01, scenario.LoggedDocument)
			w.Must(err)
			for i := range 30 {
				scenario.Change(w.World, squatter, func(d *v1alpha1.SessionDocument) { d.Spec.Description = fmt.Sprint(i) })
			}
			w.AwaitDocument(squatter, c.reason)
			w.Touch(doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			after := w.AwaitAccess(grant, v1alpha1.ReasonGranted)
			if before.Status.Applied.Serial != after.Status.Applied.Serial {
				t.Errorf("the grant was taken back: record %d became %d", before.Status.Applied.Serial, after.Status.Applied.Serial)
			}
			w.ExpectSessionsOpen(session)
		})
	}
}
