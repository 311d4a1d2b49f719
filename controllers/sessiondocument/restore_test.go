package sessiondocument_test

import (
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestADocumentFromABackupWithoutStatusIsTakenBack(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} })
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(m.Stop())
	saved := w.Backup(doc)
	w.LoseObjects(doc)
	doc = scenario.RestoreWithoutStatus[*v1alpha1.SessionDocument](w.World, saved[0])
	w.Manager(t, testenv.ManagerOptions{})
	got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.AwaitEvent(doc, v1alpha1.ReasonRestored)
	scenario.ExpectEqual(t, "whose it is", w.DocumentInAWS(scenario.LoggedDocument).Tags[scenario.UIDTag], string(doc.UID))
	scenario.ExpectEqual(t, "whose the status is", got.Status.UID, string(doc.UID))
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)
	scenario.ExpectEqual(t, "how many accounts share it", len(w.DocumentInAWS(scenario.LoggedDocument).Shares), 1)
	w.deleteAndWait(doc)
	w.goneFromAWS(scenario.LoggedDocument)
}

// What etcd held: the same UID, and the status of then.
func TestAnOlderStatusOfADocumentIsContinued(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	old := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "id" })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(m.Stop())
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec = *old.Spec.DeepCopy() })
	for i := range old.Status.Conditions {
		old.Status.Conditions[i].ObservedGeneration = doc.Generation
	}
	old.Status.ObservedGeneration = doc.Generation
	w.RestoreStatus(doc, old)
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	w.Eventually(func() bool {
		profile, _ := inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument))["shellProfile"].(map[string]any)
		return profile["linux"] == "date"
	})
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.deleteAndWait(doc)
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestADocumentGoesBackToTheObjectThatHadItInWhateverOrder(t *testing.T) {
	for name, c := range map[string]struct {
		status bool
		order  []int
	}{
		"from Git, the right one first":    {false, []int{0, 1}},
		"from Git, the other first":        {false, []int{1, 0}},
		"with status, the right one first": {true, []int{0, 1}},
		"with status, the other first":     {true, []int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOfDocuments(t)
			m := w.Manager(t, testenv.ManagerOptions{})
			// Of two of one second, the name would have the other one win.
			right, other := scenario.SessionDocument(), scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" })
			other.Name = "another"
			w.Create(scenario.Account(), right)
			w.AwaitDocument(right, v1alpha1.ReasonInPlace)
			w.Create(other)
			w.AwaitDocument(other, v1alpha1.ReasonConflict)
			w.Must(m.Stop())
			saved := w.LoseObjects(right, other)
			w.Manager(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			back := make([]*v1alpha1.SessionDocument, 2)
			for _, i := range c.order {
				back[i] = scenario.Restore[*v1alpha1.SessionDocument](w.World, saved[i], c.status)
				w.judgedDocument(back[i])
			}
			w.Eventually(func() bool {
				return w.DocumentInAWS(scenario.LoggedDocument).Tags[scenario.UIDTag] == string(back[0].UID)
			})
			w.AwaitDocument(back[0], v1alpha1.ReasonInPlace)
			got := w.AwaitDocument(back[1], v1alpha1.ReasonConflict)
			w.ExpectSentence(scenario.ReadyOf(got).Message, "team-a/logged", scenario.LoggedDocument)
			scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)
			scenario.ExpectEqual(t, "whose it is", w.DocumentInAWS(scenario.LoggedDocument).Tags[scenario.UIDTag], string(back[0].UID))
		})
	}
}

// mayAdoptAnyName lets documents have any name, so that adopt can be left out.
var mayAdoptAnyName = scenario.AllowDocuments(v1alpha1.DocumentRule{Adopt: []v1alpha1.NamePattern{"SSM-*"}})

func TestARestoredDocumentThatWasAdoptedIsPutBackAsItWas(t *testing.T) {
	w := worldOfDocuments(t, foreign(preferences, "first"))
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(adopting)
	w.Create(scenario.Account(mayAdoptAnyName), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(m.Stop())
	saved := w.LoseObjects(doc)
	w.Manager(t, testenv.ManagerOptions{})
	saved[0].(*v1alpha1.SessionDocument).Spec.Adopt = false
	doc = scenario.Restore[*v1alpha1.SessionDocument](w.World, saved[0], false)
	got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	if adopted := got.Status.Regions[0].Adopted; adopted == nil || adopted.DefaultVersion != 1 {
		t.Errorf("what was there before is recorded as %+v", adopted)
	}
	w.deleteAndWait(doc)
	w.isAsBefore()
}

func TestADocumentOfAnObjectThatIsGoneIsNotAdoptedByAnother(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = preferences })
	w.Create(scenario.Account(mayAdoptAnyName), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(m.Stop())
	w.LoseObjects(doc)
	w.Manager(t, testenv.ManagerOptions{})
	other := scenario.SessionDocument(adopting)
	other.Name = "another"
	w.Create(other)
	got := w.AwaitDocument(other, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "team-a/logged", preferences, v1alpha1.TagObject)
	scenario.ExpectEqual(t, "whose it is", w.DocumentInAWS(preferences).Tags[scenario.UIDTag], string(doc.UID))
	// Who takes the tags off says that the object does not come back.
	w.removeOurTags(preferences)
	w.Touch(other)
	w.AwaitDocument(other, v1alpha1.ReasonInPlace)
}

func TestADocumentOfAnEarlierVersionIsKnownByItsRecord(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(m.Stop())
	saved := w.LoseObjects(doc)
	w.removeTags(scenario.LoggedDocument, v1alpha1.TagObject)
	doc = scenario.Restore[*v1alpha1.SessionDocument](w.World, saved[0], true)
	w.Manager(t, testenv.ManagerOptions{})
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument).Tags[scenario.UIDTag] == string(doc.UID) })
}
