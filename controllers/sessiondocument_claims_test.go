package controllers_test

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
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

const preferences = v1alpha1.DefaultDocument

func adopting(s *v1alpha1.SessionDocumentSpec) { s.Name, s.Adopt = preferences, true }

var mayAdopt = allowing(v1alpha1.DocumentRule{NamePrefix: "team-", Adopt: []v1alpha1.NamePattern{"SSM-*"}})

func TestAnExistingDocumentIsTakenOverOnlyWhenToldAndAllowed(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "theirs"))
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Name = preferences })
	main := account()
	w.create(main, doc)
	got := w.documentIs(doc, v1alpha1.ReasonAdoptionNeeded)
	w.sentence(readyOf(got).Message, preferences, "adopt: true", region)

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Adopt = true })
	got = w.documentIs(doc, v1alpha1.ReasonGuardrailViolated)
	w.sentence(readyOf(got).Message, "main", preferences, "sessionDocuments.adopt", team)
	same(t, "the tags", w.inAWS(preferences).Tags, map[string]string{"team": "others"})
	same(t, "the newest version", w.inAWS(preferences).Latest().Number, 1)

	change(w, main, mayAdopt)
	got = w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "what was there before", got.Status.Regions[0].Adopted.DefaultVersion, int64(1))
	same(t, "the default version", w.inAWS(preferences).Default, 2)
	same(t, "the foreign tag", w.inAWS(preferences).Tags["team"], "others")
}

func TestWhatBecomesOfADocument(t *testing.T) {
	for name, c := range map[string]struct {
		adopted  bool
		onDelete v1alpha1.DocumentDeletion
		check    func(t *testing.T, d *ssm.Document)
	}{
		"Restore deletes what the operator made": {false, v1alpha1.DocumentRestore, isGone},
		"Delete deletes what the operator made":  {false, v1alpha1.DocumentDelete, isGone},
		"Delete deletes what was taken over":     {true, v1alpha1.DocumentDelete, isGone},
		"Keep leaves what the operator made": {false, v1alpha1.DocumentKeep, func(t *testing.T, d *ssm.Document) {
			t.Helper()
			same(t, "the tags", d.Tags, map[string]string{"cost": "1"})
			same(t, "the shares", len(d.Shares), 1)
		}},
		"Keep leaves what was taken over": {true, v1alpha1.DocumentKeep, func(t *testing.T, d *ssm.Document) {
			t.Helper()
			same(t, "the default version", d.Default, 3)
			same(t, "the tags", d.Tags, map[string]string{"cost": "1", "team": "others"})
			same(t, "the shares", len(d.Shares), 2)
		}},
		"Restore puts back what was there": {true, v1alpha1.DocumentRestore, func(t *testing.T, d *ssm.Document) {
			t.Helper()
			same(t, "the default version", d.Default, 1)
			same(t, "the bucket", inputsOf(t, d)["s3BucketName"], any("first"))
			same(t, "the tags", d.Tags, map[string]string{"team": "others"})
			same(t, "the shares", d.Shares, map[string]string{"777777777777": "$DEFAULT"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var before []func(*fixtures.Account)
			if c.adopted {
				before = append(before, foreign(preferences, "first", "second"), func(a *fixtures.Account) {
					a.Regions[region].Documents[0].Shares = []string{"777777777777"}
				})
			}
			w := newDocumentsWorld(t, testenv.ManagerOptions{}, before...)
			doc := sessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
				s.OnDelete, s.Tags, s.SharedWith, s.KeepVersions = c.onDelete, map[string]string{"cost": "1"}, []v1alpha1.AccountID{sharee}, 1
			})
			w.create(account(mayAdopt, allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			if _, shared := w.inAWS(preferences).Shares[sharee]; !shared {
				t.Fatal("the document is not shared")
			}
			w.deleteAndWait(doc)
			c.check(t, w.inAWS(preferences))
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
	doc := sessionDocument(adopting)
	w.create(account(mayAdopt), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	_, err := w.admin().DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: aws.String(preferences), DocumentVersion: aws.String("1")})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), doc))
	got := w.documentIs(doc, v1alpha1.ReasonCannotRestore)
	w.sentence(readyOf(got).Message, preferences, "onDelete: Keep")
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.OnDelete = v1alpha1.DocumentKeep })
	w.must(testenv.WaitGone(t.Context(), w.Client, doc))
	if _, has := w.inAWS(preferences).Tags[uidTag]; has {
		t.Error("the claim is left on the document")
	}
}

func TestTheOlderOfTwoObjectsHasTheDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	older, younger := sessionDocument(), sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" })
	younger.Name = "zweites"
	w.create(account(), older)
	w.documentIs(older, v1alpha1.ReasonInPlace)
	w.create(younger)
	got := w.documentIs(younger, v1alpha1.ReasonConflict)
	w.sentence(readyOf(got).Message, "SessionDocument team-a/logged", logged)
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)
	w.deleteAndWait(older)
	w.documentIs(younger, v1alpha1.ReasonInPlace)
	same(t, "the command", inputsOf(t, w.inAWS(logged))["shellProfile"], any(map[string]any{"linux": "id", "windows": ""}))
	w.deleteAndWait(younger)
	w.goneFromAWS(logged)
}

func TestADocumentOfAnotherInstallationIsLeftAlone(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "theirs"), func(a *fixtures.Account) {
		a.Regions[region].Documents[0].Tags = map[string]string{"ssm-access.dev/owner": "ffffffff", uidTag: "another"}
	})
	doc := sessionDocument(adopting)
	w.create(account(mayAdopt), doc)
	got := w.documentIs(doc, v1alpha1.ReasonConflict)
	w.sentence(readyOf(got).Message, "ffffffff", preferences, region)
	same(t, "the newest version", w.inAWS(preferences).Latest().Number, 1)
	w.deleteAndWait(doc)
	same(t, "the owner", w.inAWS(preferences).Tags["ssm-access.dev/owner"], "ffffffff")
}

func TestADocumentOfAnotherTypeIsLeftAlone(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "theirs"), func(a *fixtures.Account) {
		a.Regions[region].Documents[0].Type = "Command"
	})
	doc := sessionDocument(adopting)
	w.create(account(mayAdopt), doc)
	got := w.documentIs(doc, v1alpha1.ReasonConflict)
	w.sentence(readyOf(got).Message, "Command", preferences)
	w.deleteAndWait(doc)
	if w.inAWS(preferences) == nil {
		t.Error("the document is gone")
	}
}

func TestWhatAWSIsDoingToADocumentIsFollowed(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.ssmIn(region).NextDocument(ssm.Outcome{Takes: time.Hour})
	doc := sessionDocument()
	w.create(account(), doc)
	got := w.documentWhen(doc, func(d *v1alpha1.SessionDocument) bool {
		return len(d.Status.Regions) == 1 && d.Status.Regions[0].State == v1alpha1.DocumentCreating
	})
	w.sentence(readyOf(got).Message, "creating", logged, region)
	w.Emulator.Advance(time.Hour)
	w.documentIs(doc, v1alpha1.ReasonInPlace)

	w.ssmIn(region).NextDocument(ssm.Outcome{Takes: time.Hour})
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	w.documentWhen(doc, func(d *v1alpha1.SessionDocument) bool { return d.Status.Regions[0].State == v1alpha1.DocumentUpdating })
	same(t, "the default version meanwhile", w.inAWS(logged).Default, 1)
	w.Emulator.Advance(time.Hour)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the default version", w.inAWS(logged).Default, 2)

	w.ssmIn(region).NextDocument(ssm.Outcome{Fails: "The role may not use the key.\n"})
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "id" })
	got = w.documentIs(doc, v1alpha1.ReasonDocumentFailed)
	w.sentence(readyOf(got).Message, "version 3", logged, "The role may not use the key.")
	same(t, "the default version after a failure", w.inAWS(logged).Default, 2)
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "uptime" })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the default version", w.inAWS(logged).Default, 4)

	w.ssmIn(region).NextDocument(ssm.Outcome{Takes: time.Hour, Deletes: true})
	w.must(w.Client.Delete(t.Context(), doc))
	w.documentWhen(doc, func(d *v1alpha1.SessionDocument) bool { return d.Status.Regions[0].State == v1alpha1.DocumentDeleting })
	w.Emulator.Advance(time.Hour)
	w.must(testenv.WaitGone(t.Context(), w.Client, doc))
}

func TestADeletionWithoutAWSStaysAndSaysSo(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.Drop, Action: "ssm:*"})
	w.must(err)
	w.must(w.Client.Delete(t.Context(), doc))
	got := w.documentIs(doc, v1alpha1.ReasonAWSUnavailable)
	w.sentence(readyOf(got).Message, logged)
	w.Emulator.RemoveFault(id)
	w.must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(logged)
}

func TestAnAccountWithDocumentsStays(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.must(w.Client.Delete(t.Context(), account()))
	got := w.accountIs(account(), v1alpha1.ReasonInUse)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "SessionDocument team-a/logged")
	w.deleteAndWait(doc)
	w.must(testenv.WaitGone(t.Context(), w.Client, account()))
}

func TestModeObserveWritesNoDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	doc := sessionDocument()
	w.create(main, doc)
	got := w.documentIs(doc, v1alpha1.ReasonObserved)
	w.sentence(readyOf(got).Message, "create it", logged, region)
	w.goneFromAWS(logged)

	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve })
	w.accountIs(main, v1alpha1.ReasonVerified) // By then the operator knows of the mode.
	change(w, doc, func(d *v1alpha1.SessionDocument) {
		d.Spec.Inputs.ShellProfile.Linux, d.Spec.Tags = "id", map[string]string{"cost": "1"}
	})
	got = w.documentIs(doc, v1alpha1.ReasonObserved)
	w.sentence(readyOf(got).Message, "add a version", "set tags cost")
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)

	w.must(w.Client.Delete(t.Context(), doc))
	got = w.documentWhen(doc, func(d *v1alpha1.SessionDocument) bool {
		return !d.DeletionTimestamp.IsZero() && readyOf(d).Reason == v1alpha1.ReasonObserved
	})
	w.sentence(readyOf(got).Message, "mode: Enforce")
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	w.must(testenv.WaitGone(t.Context(), w.Client, doc))
	w.goneFromAWS(logged)
}

func TestADocumentThatWasObservedFirstIsPutBackAsItWas(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, foreign(preferences, "first"))
	main, doc := account(mayAdopt, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeObserve }), sessionDocument(adopting)
	w.create(main, doc)
	got := w.documentIs(doc, v1alpha1.ReasonObserved)
	w.sentence(readyOf(got).Message, "adopt it")
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Mode = v1alpha1.ModeEnforce })
	got = w.documentIs(doc, v1alpha1.ReasonInPlace)
	if adopted := got.Status.Regions[0].Adopted; adopted == nil || adopted.DefaultVersion != 1 {
		t.Errorf("what was there before is recorded as %+v", adopted)
	}
	w.deleteAndWait(doc)
	w.isAsBefore()
}

func TestADocumentWhoseTagsWereRemovedIsStillTheObjects(t *testing.T) {
	for name, policy := range map[string]v1alpha1.DocumentDeletion{"Delete": v1alpha1.DocumentDelete, "Restore": v1alpha1.DocumentRestore} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.OnDelete = policy })
			w.create(account(), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			w.removeOurTags(logged)
			w.deleteAndWait(doc)
			w.goneFromAWS(logged)
		})
	}
}

func TestAForbiddenShareEndsThoughTheTagsWereRemoved(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	main := account(allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}}))
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} })
	w.create(main, doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.removeOurTags(logged)
	change(w, main, func(a *v1alpha1.AWSAccount) {
		a.Spec.Guardrails[0].SessionDocuments.ShareWith = []v1alpha1.AccountID{"999999999999"}
	})
	w.documentIs(doc, v1alpha1.ReasonGuardrailViolated)
	same(t, "the number of shares", len(w.inAWS(logged).Shares), 0)
}

// removeOurTags takes off a document what says whose it is.
func (w world) removeOurTags(name string) {
	w.t.Helper()
	w.removeTags(name, uidTag, v1alpha1.TagOwner)
}

func (w world) removeTags(name string, keys ...string) {
	w.t.Helper()
	_, err := w.admin().RemoveTagsFromResource(w.t.Context(), &awsssm.RemoveTagsFromResourceInput{
		ResourceType: awstypes.ResourceTypeForTaggingDocument, ResourceId: aws.String(name), TagKeys: keys,
	})
	w.must(err)
}

func TestADocumentThatWasNeverWrittenIsDeletedAtOnce(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(doc)
	w.documentIs(doc, v1alpha1.ReasonAccountNotFound)
	w.deleteAndWait(doc)
}

func TestADocumentWhoseTagsAndTextWereReplacedIsNotTaken(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	admin, name, text := w.admin(), aws.String(logged), foreignContent("theirs")
	_, err := admin.DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: name})
	w.must(err)
	_, err = admin.CreateDocument(t.Context(), &awsssm.CreateDocumentInput{Name: name, Content: &text, DocumentType: awstypes.DocumentTypeSession})
	w.must(err)
	w.touch(doc)
	w.documentIs(doc, v1alpha1.ReasonAdoptionNeeded)
	w.deleteAndWait(doc)
	if w.inAWS(logged) == nil {
		t.Error("a document that somebody else made was deleted")
	}
}
