package sessiondocument_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	awstypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/ssm"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const preferences = v1alpha1.DefaultDocument

// adopting adopts the preferences, and turns off their log.
func adopting(s *v1alpha1.SessionDocumentSpec) {
	s.Name, s.Adopt = preferences, true
	s.Inputs.S3BucketName = new("")
}

var mayAdopt = scenario.AllowDocuments(v1alpha1.DocumentRule{NamePrefix: "team-", Adopt: []v1alpha1.NamePattern{"SSM-*"}})

func TestAnExistingDocumentIsTakenOverOnlyWhenToldAndAllowed(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "theirs"))
	doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) { s.Adopt = false })
	main := scenario.Account()
	w.Create(main, doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonAdoptionNeeded)
	w.ExpectSentence(scenario.ReadyOf(got).Message, preferences, "adopt: true", scenario.Region)

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Adopt = true })
	got = w.AwaitDocument(doc, v1alpha1.ReasonGuardrailViolated)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "main", preferences, "sessionDocuments.adopt", scenario.Team)
	scenario.ExpectEqual(t, "the tags", w.DocumentInAWS(preferences).Tags, map[string]string{"team": "others"})
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 1)

	scenario.Change(w.World, main, mayAdopt)
	got = w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "what was there before", got.Status.Regions[0].Adopted.DefaultVersion, int64(1))
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(preferences).Default, 2)
	scenario.ExpectEqual(t, "the foreign tag", w.DocumentInAWS(preferences).Tags["team"], "others")
}

func TestWhatBecomesOfADocument(t *testing.T) {
	for name, c := range map[string]struct {
		adopted bool
		policy  v1alpha1.DeletionPolicy
		check   func(t *testing.T, d *ssm.Document)
	}{
		"Restore deletes what the operator made": {false, v1alpha1.DeletionRestore, isGone},
		"Delete deletes what the operator made":  {false, v1alpha1.DeletionDelete, isGone},
		"Delete deletes what was taken over":     {true, v1alpha1.DeletionDelete, isGone},
		"Keep leaves what the operator made": {false, v1alpha1.DeletionKeep, func(t *testing.T, d *ssm.Document) {
			t.Helper()
			scenario.ExpectEqual(t, "the tags", d.Tags, map[string]string{"cost": "1"})
			scenario.ExpectEqual(t, "the shares", len(d.Shares), 1)
		}},
		"Keep leaves what was taken over": {true, v1alpha1.DeletionKeep, func(t *testing.T, d *ssm.Document) {
			t.Helper()
			scenario.ExpectEqual(t, "the default version", d.Default, 3)
			scenario.ExpectEqual(t, "the tags", d.Tags, map[string]string{"cost": "1", "team": "others"})
			scenario.ExpectEqual(t, "the shares", len(d.Shares), 2)
		}},
		"Restore puts back what was there": {true, v1alpha1.DeletionRestore, func(t *testing.T, d *ssm.Document) {
			t.Helper()
			scenario.ExpectEqual(t, "the default version", d.Default, 1)
			scenario.ExpectEqual(t, "the bucket", inputsOf(t, d)["s3BucketName"], any("first"))
			scenario.ExpectEqual(t, "the tags", d.Tags, map[string]string{"team": "others"})
			scenario.ExpectEqual(t, "the shares", d.Shares, map[string]string{"777777777777": "$DEFAULT"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var before []func(*fixtures.Account)
			if c.adopted {
				before = append(before, foreign(preferences, "first", "second"), func(a *fixtures.Account) {
					a.Regions[scenario.Region].Documents[0].Shares = []string{"777777777777"}
				})
			}
			w := newDocumentsWorld(t, testenv.ManagerOptions{}, before...)
			doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
				s.DeletionPolicy, s.Tags, s.SharedWith, s.KeepVersions = c.policy, map[string]string{"cost": "1"}, []v1alpha1.ShareTarget{scenario.Sharee}, 1
			})
			w.Create(scenario.Account(mayAdopt, scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}})), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			if _, shared := w.DocumentInAWS(preferences).Shares[scenario.Sharee]; !shared {
				t.Fatal("the document is not shared")
			}
			w.deleteAndWait(doc)
			c.check(t, w.DocumentInAWS(preferences))
		})
	}
}

func isGone(t *testing.T, d *ssm.Document) {
	t.Helper()
	if d != nil {
		t.Errorf("the document is still there: %+v", d)
	}
}

func TestARestoreThatIsNotPossibleSaysWhatIs(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "first"))
	doc := scenario.SessionDocument(adopting)
	w.Create(scenario.Account(mayAdopt), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	_, err := w.AdminSSM().DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: aws.String(preferences), DocumentVersion: aws.String("1")})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), doc))
	got := w.AwaitDocument(doc, v1alpha1.ReasonCannotRestore)
	w.ExpectSentence(scenario.ReadyOf(got).Message, preferences, "deletionPolicy: Keep")
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DeletionPolicy = v1alpha1.DeletionKeep })
	w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
	if _, has := w.DocumentInAWS(preferences).Tags[scenario.UIDTag]; has {
		t.Error("the claim is left on the document")
	}
}

func TestTheOlderOfTwoObjectsHasTheDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	older, younger := scenario.SessionDocument(), scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" })
	younger.Name = "zweites"
	w.Create(scenario.Account(), older)
	w.AwaitDocument(older, v1alpha1.ReasonInPlace)
	w.Create(younger)
	got := w.AwaitDocument(younger, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "SessionDocument team-a/logged", scenario.LoggedDocument)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)
	w.deleteAndWait(older)
	w.AwaitDocument(younger, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the command", inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument))["shellProfile"], any(map[string]any{"linux": "id", "windows": ""}))
	w.deleteAndWait(younger)
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestADocumentOfAnotherInstallationIsLeftAlone(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "theirs"), func(a *fixtures.Account) {
		a.Regions[scenario.Region].Documents[0].Tags = map[string]string{"ssm-access.dev/owner": "ffffffff", scenario.UIDTag: "another"}
	})
	doc := scenario.SessionDocument(adopting)
	w.Create(scenario.Account(mayAdopt), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "ffffffff", preferences, scenario.Region)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 1)
	w.deleteAndWait(doc)
	scenario.ExpectEqual(t, "the owner", w.DocumentInAWS(preferences).Tags["ssm-access.dev/owner"], "ffffffff")
}

func TestADocumentOfAnotherTypeIsLeftAlone(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "theirs"), func(a *fixtures.Account) {
		a.Regions[scenario.Region].Documents[0].Type = "Command"
	})
	doc := scenario.SessionDocument(adopting)
	w.Create(scenario.Account(mayAdopt), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonConflict)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "Command", preferences)
	w.deleteAndWait(doc)
	if w.DocumentInAWS(preferences) == nil {
		t.Error("the document is gone")
	}
}

func TestWhatAWSIsDoingToADocumentIsFollowed(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.SSMIn(scenario.Region).NextDocument(ssm.Outcome{Takes: time.Hour})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	got := w.AwaitDocumentThat(doc, func(d *v1alpha1.SessionDocument) bool {
		return len(d.Status.Regions) == 1 && d.Status.Regions[0].State == v1alpha1.DocumentCreating
	})
	w.ExpectSentence(scenario.ReadyOf(got).Message, "creating", scenario.LoggedDocument, scenario.Region)
	w.Emulator.Advance(time.Hour)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)

	w.SSMIn(scenario.Region).NextDocument(ssm.Outcome{Takes: time.Hour})
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	w.AwaitDocumentThat(doc, func(d *v1alpha1.SessionDocument) bool { return d.Status.Regions[0].State == v1alpha1.DocumentUpdating })
	scenario.ExpectEqual(t, "the default version meanwhile", w.DocumentInAWS(scenario.LoggedDocument).Default, 1)
	w.Emulator.Advance(time.Hour)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(scenario.LoggedDocument).Default, 2)

	w.SSMIn(scenario.Region).NextDocument(ssm.Outcome{Fails: "The role may not use the key.\n"})
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "id" })
	got = w.AwaitDocument(doc, v1alpha1.ReasonDocumentFailed)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "version 3", scenario.LoggedDocument, "The role may not use the key.")
	scenario.ExpectEqual(t, "the default version after a failure", w.DocumentInAWS(scenario.LoggedDocument).Default, 2)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "uptime" })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(scenario.LoggedDocument).Default, 4)

	w.SSMIn(scenario.Region).NextDocument(ssm.Outcome{Takes: time.Hour, Deletes: true})
	w.Must(w.Client.Delete(t.Context(), doc))
	w.AwaitDocumentThat(doc, func(d *v1alpha1.SessionDocument) bool { return d.Status.Regions[0].State == v1alpha1.DocumentDeleting })
	w.Emulator.Advance(time.Hour)
	w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
}

func TestADeletionWithoutAWSStaysAndSaysSo(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Drop, Action: "ssm:*"})
	w.Must(err)
	w.Must(w.Client.Delete(t.Context(), doc))
	got := w.AwaitDocument(doc, v1alpha1.ReasonAWSUnavailable)
	w.ExpectSentence(scenario.ReadyOf(got).Message, scenario.LoggedDocument)
	w.Emulator.RemoveFault(id)
	w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestAnAccountWithDocumentsStays(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.Must(w.Client.Delete(t.Context(), scenario.Account()))
	got := w.AwaitAccount(scenario.Account(), v1alpha1.ReasonInUse)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "SessionDocument team-a/logged")
	w.deleteAndWait(doc)
	w.Must(testenv.WaitGone(t.Context(), w.Client, scenario.Account()))
}

func TestModeObserveWritesNoDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	doc := scenario.SessionDocument()
	w.Create(main, doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "create it", scenario.LoggedDocument, scenario.Region)
	w.goneFromAWS(scenario.LoggedDocument)

	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.AwaitAccount(main, v1alpha1.ReasonVerified) // By then the operator knows of the mode.
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) {
		d.Spec.Inputs.ShellProfile.Linux, d.Spec.Tags = "id", map[string]string{"cost": "1"}
	})
	got = w.AwaitDocument(doc, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "add a version", "set tags cost")
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)

	w.Must(w.Client.Delete(t.Context(), doc))
	got = w.AwaitDocumentThat(doc, func(d *v1alpha1.SessionDocument) bool {
		return !d.DeletionTimestamp.IsZero() && scenario.ReadyOf(d).Reason == v1alpha1.ReasonObserved
	})
	w.ExpectSentence(scenario.ReadyOf(got).Message, "mode: Enforce")
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.Must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestADocumentThatWasObservedFirstIsPutBackAsItWas(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "first"))
	main, doc := scenario.Account(mayAdopt, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve }), scenario.SessionDocument(adopting)
	w.Create(main, doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonObserved)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "adopt it")
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	got = w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	if adopted := got.Status.Regions[0].Adopted; adopted == nil || adopted.DefaultVersion != 1 {
		t.Errorf("what was there before is recorded as %+v", adopted)
	}
	w.deleteAndWait(doc)
	w.isAsBefore()
}

func TestADocumentWhoseTagsWereRemovedIsStillTheObjects(t *testing.T) {
	for name, policy := range map[string]v1alpha1.DeletionPolicy{"Delete": v1alpha1.DeletionDelete, "Restore": v1alpha1.DeletionRestore} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.DeletionPolicy = policy })
			w.Create(scenario.Account(), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			w.removeOurTags(scenario.LoggedDocument)
			w.deleteAndWait(doc)
			w.goneFromAWS(scenario.LoggedDocument)
		})
	}
}

func TestAForbiddenShareEndsThoughTheTagsWereRemoved(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main := scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: []v1alpha1.ShareTarget{scenario.Sharee}}))
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.ShareTarget{scenario.Sharee} })
	w.Create(main, doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.removeOurTags(scenario.LoggedDocument)
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].SessionDocuments.ShareWith = []v1alpha1.ShareTarget{"999999999999"}
	})
	w.AwaitDocument(doc, v1alpha1.ReasonGuardrailViolated)
	scenario.ExpectEqual(t, "the number of shares", len(w.DocumentInAWS(scenario.LoggedDocument).Shares), 0)
}

// removeOurTags takes off a document what says whose it is.
func (w world) removeOurTags(name string) {
	w.T.Helper()
	w.removeTags(name, scenario.UIDTag, v1alpha1.TagOwner)
}

func (w world) removeTags(name string, keys ...string) {
	w.T.Helper()
	_, err := w.AdminSSM().RemoveTagsFromResource(w.T.Context(), &awsssm.RemoveTagsFromResourceInput{
		ResourceType: awstypes.ResourceTypeForTaggingDocument, ResourceId: aws.String(name), TagKeys: keys,
	})
	w.Must(err)
}

func TestADocumentThatWasNeverWrittenIsDeletedAtOnce(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(doc)
	w.AwaitDocument(doc, v1alpha1.ReasonAccountNotFound)
	w.deleteAndWait(doc)
}

func TestADocumentWhoseTagsAndTextWereReplacedIsNotTaken(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	admin, name, text := w.AdminSSM(), aws.String(scenario.LoggedDocument), scenario.ForeignContent("theirs")
	_, err := admin.DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: name})
	w.Must(err)
	_, err = admin.CreateDocument(t.Context(), &awsssm.CreateDocumentInput{Name: name, Content: &text, DocumentType: awstypes.DocumentTypeSession})
	w.Must(err)
	w.Touch(doc)
	w.AwaitDocument(doc, v1alpha1.ReasonAdoptionNeeded)
	w.deleteAndWait(doc)
	if w.DocumentInAWS(scenario.LoggedDocument) == nil {
		t.Error("a document of another owner was deleted")
	}
}
