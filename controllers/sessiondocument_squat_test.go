package controllers_test

import (
	"fmt"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
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
			w.must(w.Namespace(t.Context(), stranger, c.labels))
			m := w.Manager(t, testenv.ManagerOptions{})
			squatter, neighbour := sessionDocument(), sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = "SessionManager-Other" })
			squatter.Namespace, neighbour.Name = stranger, "neighbour"
			w.create(account(c.change...), squatter, neighbour)
			w.documentIs(squatter, c.reason)
			w.documentIs(neighbour, v1alpha1.ReasonInPlace)
			w.must(m.Stop())
			// The documents are listed once in a resync: here before the next one exists.
			seen := w.LastCall()
			w.Manager(t, testenv.ManagerOptions{})
			w.untilCall(seen, "ListDocuments")

			doc, grant := sessionDocument(), access("granted", "user01", pc01)
			grant.Spec.Documents = []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: doc.Name}}}
			w.create(doc, grant)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			before := w.accessIs(grant, v1alpha1.ReasonGranted)
			session, err := w.Emulator.OpenSession(user("user01"), region, pc01, logged)
			w.must(err)
			for i := range 30 {
				change(w, squatter, func(d *v1alpha1.SessionDocument) { d.Spec.Description = fmt.Sprint(i) })
			}
			w.documentIs(squatter, c.reason)
			w.touch(doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			after := w.accessIs(grant, v1alpha1.ReasonGranted)
			if before.Status.Applied.Serial != after.Status.Applied.Serial {
				t.Errorf("the grant was taken back: record %d became %d", before.Status.Applied.Serial, after.Status.Applied.Serial)
			}
			w.openStill(session)
		})
	}
}
