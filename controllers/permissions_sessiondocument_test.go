package controllers_test

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// neededDocument is what the scenarios of permissions are about. It keeps one
// version, so that the second makes the operator look for old ones.
func neededDocument() *v1alpha1.SessionDocument {
	return scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.KeepVersions, s.Tags = 1, map[string]string{"cost": "1"} })
}

func declareDocument(w world) {
	everything := v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}, ShareWith: []v1alpha1.ShareTarget{scenario.Sharee, scenario.Organization}}
	w.Create(scenario.Account(scenario.AllowDocuments(everything)), neededDocument())
}

func changeDocument(edit func(w world, s *v1alpha1.SessionDocumentSpec)) func(w world) {
	return func(w world) {
		declareDocument(w)
		doc := w.AwaitDocument(neededDocument(), v1alpha1.ReasonInPlace)
		scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { edit(w, &d.Spec) })
	}
}

func newText(_ world, s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" }

func newTextBesideForeign(w world, s *v1alpha1.SessionDocumentSpec) {
	w.RewriteDocument(scenario.LoggedDocument, scenario.ForeignContent("theirs"))
	newText(w, s)
}

func noTags(_ world, s *v1alpha1.SessionDocumentSpec) { s.Tags = nil }
func newShare(_ world, s *v1alpha1.SessionDocumentSpec) {
	s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee}
}

func newOrganization(_ world, s *v1alpha1.SessionDocumentSpec) {
	s.SharedWith = []v1alpha1.ShareTarget{scenario.Organization}
}

// changeOrganization changes whom a document is shared with that was shared with an
// organization before.
func changeOrganization(to ...v1alpha1.ShareTarget) func(w world) {
	return func(w world) {
		changeDocument(newOrganization)(w)
		doc := w.AwaitDocument(neededDocument(), v1alpha1.ReasonInPlace)
		scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = to })
	}
}

func newKey(_ world, s *v1alpha1.SessionDocumentSpec) { s.Inputs.KMSKeyID = new("alias/sessions") }

func newBucket(_ world, s *v1alpha1.SessionDocumentSpec) { s.Inputs.S3BucketName = new("logs-bucket") }

func newGroup(_ world, s *v1alpha1.SessionDocumentSpec) {
	s.Inputs.CloudWatchLogGroupName = new("group")
}

func deleteDocument(w world) {
	declareDocument(w)
	w.Must(w.Client.Delete(w.T.Context(), w.AwaitDocument(neededDocument(), v1alpha1.ReasonInPlace)))
}

func documentReported(w world, action string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, neededDocument(), func(d *v1alpha1.SessionDocument) bool {
		return names(d.Status.Conditions, action)
	})
	w.Must(err)
}
