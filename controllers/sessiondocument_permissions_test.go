package controllers_test

import (
	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// neededDocument is what the scenarios of permissions are about. It keeps one
// version, so that the second makes the operator look for old ones.
func neededDocument() *v1alpha1.SessionDocument {
	return sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.KeepVersions, s.Tags = 1, map[string]string{"cost": "1"} })
}

func declareDocument(w world) {
	everything := v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}, ShareWith: []v1alpha1.AccountID{sharee}}
	w.create(account(allowing(everything)), neededDocument())
}

func changeDocument(edit func(w world, s *v1alpha1.SessionDocumentSpec)) func(w world) {
	return func(w world) {
		declareDocument(w)
		doc := w.documentIs(neededDocument(), v1alpha1.ReasonInPlace)
		change(w, doc, func(d *v1alpha1.SessionDocument) { edit(w, &d.Spec) })
	}
}

func newText(_ world, s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" }

func newTextBesideForeign(w world, s *v1alpha1.SessionDocumentSpec) {
	w.rewrite(logged, foreignContent("theirs"))
	newText(w, s)
}

func noTags(_ world, s *v1alpha1.SessionDocumentSpec)   { s.Tags = nil }
func newShare(_ world, s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} }
func newKey(_ world, s *v1alpha1.SessionDocumentSpec)   { s.Inputs.KMSKeyID = "alias/sessions" }

func newBucket(_ world, s *v1alpha1.SessionDocumentSpec) { s.Inputs.S3BucketName = "logs-bucket" }
func newGroup(_ world, s *v1alpha1.SessionDocumentSpec)  { s.Inputs.CloudWatchLogGroupName = "group" }

func deleteDocument(w world) {
	declareDocument(w)
	w.must(w.Client.Delete(w.t.Context(), w.documentIs(neededDocument(), v1alpha1.ReasonInPlace)))
}

func documentTold(w world, action string) {
	w.t.Helper()
	_, err := testenv.WaitFor(w.t.Context(), w.Client, neededDocument(), func(d *v1alpha1.SessionDocument) bool {
		return names(d.Status.Conditions, action)
	})
	w.must(err)
}
