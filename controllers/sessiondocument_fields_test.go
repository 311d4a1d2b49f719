package controllers_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	awstypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// everyInput declares every input.
func everyInput(s *v1alpha1.SessionDocumentSpec) {
	s.Description = "All of it"
	s.Inputs = &v1alpha1.SessionInputs{
		S3BucketName: "logs-bucket", S3KeyPrefix: "p", S3EncryptionEnabled: true,
		CloudWatchLogGroupName: "group", CloudWatchEncryptionEnabled: true, CloudWatchStreamingEnabled: true,
		KMSKeyID: "alias/sessions", RunAsEnabled: true, RunAsDefaultUser: "ops", IdleSessionTimeout: "60", MaxSessionDuration: "1440",
		ShellProfile: &v1alpha1.ShellProfile{Windows: "dir", Linux: "ls"},
	}
}

func TestEveryInputReachesAWSAndIsPutBack(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument(everyInput)
	w.create(account(allowing(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"alias/*"}})), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	want := map[string]any{
		"s3BucketName": "logs-bucket", "s3KeyPrefix": "p", "s3EncryptionEnabled": true,
		"cloudWatchLogGroupName": "group", "cloudWatchEncryptionEnabled": true, "cloudWatchStreamingEnabled": true,
		"kmsKeyId": "alias/sessions", "runAsEnabled": true, "runAsDefaultUser": "ops", "idleSessionTimeout": "60", "maxSessionDuration": "1440",
		"shellProfile": map[string]any{"windows": "dir", "linux": "ls"},
	}
	same(t, "what AWS holds", inputsOf(t, w.inAWS(logged)), want)
	same(t, "the description", content(t, w.inAWS(logged))["description"], any("All of it"))

	w.rewrite(logged, foreignContent("stolen-logs"))
	w.until(func() bool { return w.inAWS(logged).Default == 3 })
	same(t, "what AWS holds after the repair", inputsOf(t, w.inAWS(logged)), want)

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Description, d.Spec.Inputs = "", nil })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the bucket", inputsOf(t, w.inAWS(logged))["s3BucketName"], any(""))
}

func TestTheOtherSessionTypesReachAWSAndArePutBack(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1alpha1.SessionDocumentSpec)
		want   map[string]any
	}{
		"InteractiveCommands": {func(s *v1alpha1.SessionDocumentSpec) {
			s.SessionType = v1alpha1.SessionInteractiveCommands
			s.Properties = &v1alpha1.SessionProperties{Linux: &v1alpha1.CommandProperties{Commands: "top", RunAsElevated: true}}
		}, map[string]any{"linux": map[string]any{"commands": "top", "runAsElevated": true}}},
		"NonInteractiveCommands": {func(s *v1alpha1.SessionDocumentSpec) {
			s.SessionType = v1alpha1.SessionNonInteractiveCommands
			s.Properties = &v1alpha1.SessionProperties{Windows: &v1alpha1.CommandProperties{Commands: "dir"}, MacOS: &v1alpha1.CommandProperties{Commands: "ls"}}
		}, map[string]any{"windows": map[string]any{"commands": "dir"}, "macOS": map[string]any{"commands": "ls"}}},
		"Port": {func(s *v1alpha1.SessionDocumentSpec) {
			s.SessionType = v1alpha1.SessionPort
			s.Parameters = []v1alpha1.DocumentParameter{{Name: "host", Default: aws.String("db.example.internal"), AllowedPattern: "^[a-z.]+$"}}
			s.Properties = &v1alpha1.SessionProperties{PortNumber: "5432", LocalPortNumber: "0", Type: v1alpha1.LocalPortForwarding, Host: "{{ host }}"}
		}, map[string]any{"portNumber": "5432", "localPortNumber": "0", "type": "LocalPortForwarding", "host": "{{ host }}"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
			doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Inputs = nil }, c.change)
			w.create(account(), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			same(t, "the session type", content(t, w.inAWS(logged))["sessionType"], any(name))
			same(t, "the properties", content(t, w.inAWS(logged))["properties"], any(c.want))
			w.rewrite(logged, foreignContent("stolen-logs"))
			w.until(func() bool { return w.inAWS(logged).Default == 3 })
			same(t, "the properties after the repair", content(t, w.inAWS(logged))["properties"], any(c.want))
		})
	}
}

func TestADefaultVersionThatSomebodyMovedIsPutBack(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	_, err := w.admin().UpdateDocumentDefaultVersion(t.Context(), &awsssm.UpdateDocumentDefaultVersionInput{Name: aws.String(logged), DocumentVersion: aws.String("1")})
	w.must(err)
	w.until(func() bool { return w.inAWS(logged).Default == 2 })
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 2)
}

func TestADocumentThatSomebodyDeletedIsMadeAgain(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	_, err := w.admin().DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: aws.String(logged)})
	w.must(err)
	w.until(func() bool { return w.inAWS(logged) != nil })
}

func TestTagsAreSetRepairedAndTakenOff(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Tags = map[string]string{"team": "a", "cost": "1"} })
	w.create(account(), doc)
	made := w.documentIs(doc, v1alpha1.ReasonInPlace)
	tags := func() map[string]string { return w.inAWS(logged).Tags }
	same(t, "the tag team", tags()["team"], "a")

	_, err := w.admin().AddTagsToResource(t.Context(), &awsssm.AddTagsToResourceInput{
		ResourceType: awstypes.ResourceTypeForTaggingDocument, ResourceId: aws.String(logged),
		Tags: []awstypes.Tag{{Key: aws.String("team"), Value: aws.String("b")}, {Key: aws.String("theirs"), Value: aws.String("x")}},
	})
	w.must(err)
	w.until(func() bool { return tags()["team"] == "a" })

	_, err = w.admin().RemoveTagsFromResource(t.Context(), &awsssm.RemoveTagsFromResourceInput{
		ResourceType: awstypes.ResourceTypeForTaggingDocument, ResourceId: aws.String(logged), TagKeys: []string{uidTag, "cost"},
	})
	w.must(err)
	w.until(func() bool { return tags()["cost"] == "1" && tags()[uidTag] == string(made.UID) })

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Tags = map[string]string{"team": "a"} })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	if _, has := tags()["cost"]; has {
		t.Error("the tag that is no longer declared is still there")
	}
	same(t, "somebody else's tag", tags()["theirs"], "x")
}

func TestSharesAreAddedAndTakenAway(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	shared := []v1alpha1.AccountID{sharee}
	for i := range 24 { // One call takes twenty.
		shared = append(shared, v1alpha1.AccountID("2222333344"+string(rune('0'+i/10))+string(rune('0'+i%10))))
	}
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = shared })
	w.create(account(allowing(v1alpha1.DocumentRule{ShareWith: shared})), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the number of shares", len(w.inAWS(logged).Shares), 25)

	_, err := w.admin().ModifyDocumentPermission(t.Context(), &awsssm.ModifyDocumentPermissionInput{
		Name: aws.String(logged), PermissionType: awstypes.DocumentPermissionTypeShare,
		AccountIdsToAdd: []string{"999999999999"}, AccountIdsToRemove: []string{sharee},
	})
	w.must(err)
	w.Emulator.Advance(2 * 60 * 60 * 1e9) // The operator reads shares once an hour.
	w.until(func() bool {
		_, stranger := w.inAWS(logged).Shares["999999999999"]
		_, back := w.inAWS(logged).Shares[sharee]
		return !stranger && back
	})

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = shared[:1] })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the number of shares", len(w.inAWS(logged).Shares), 1)
	w.deleteAndWait(doc)
	w.goneFromAWS(logged)
}

func TestANewVersionWaitsWithManualPromotion(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Promotion = v1alpha1.PromotionManual })
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	got := w.documentIs(doc, v1alpha1.ReasonInPlace)
	pending := condition(got.Status.Conditions, v1alpha1.ConditionPromotionPending)
	w.sentence(pending.Message, logged, "defaultVersion: 2", region)
	same(t, "the default version", w.inAWS(logged).Default, 1)
	same(t, "the pending version", got.Status.Regions[0].PendingVersion, int64(2))

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DefaultVersion = 3 })
	got = w.documentIs(doc, v1alpha1.ReasonVersionNotFound)
	w.sentence(readyOf(got).Message, logged, "3", region)
	same(t, "the default version", w.inAWS(logged).Default, 1)

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DefaultVersion = 2 })
	got = w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "PromotionPending", string(condition(got.Status.Conditions, v1alpha1.ConditionPromotionPending).Status), "")
	same(t, "the default version", w.inAWS(logged).Default, 2)

	_, err := w.admin().UpdateDocumentDefaultVersion(t.Context(), &awsssm.UpdateDocumentDefaultVersionInput{Name: aws.String(logged), DocumentVersion: aws.String("1")})
	w.must(err)
	w.until(func() bool { return w.inAWS(logged).Default == 2 })

	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DefaultVersion = 1 })
	got = w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the default version after the way back", w.inAWS(logged).Default, 1)
	same(t, "the pending version after the way back", got.Status.Regions[0].PendingVersion, int64(2))
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 2)
}

func TestOldVersionsGo(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.KeepVersions = 3 })
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	for _, command := range []string{"b", "c", "d", "e", "f"} {
		change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = command })
		w.documentIs(doc, v1alpha1.ReasonInPlace)
	}
	same(t, "the versions", numbers(w), []int{4, 5, 6})
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.KeepVersions = 1 })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the versions", numbers(w), []int{6})
}

func numbers(w world) []int {
	var all []int
	for _, v := range w.inAWS(logged).Versions {
		all = append(all, v.Number)
	}
	return all
}

func TestTheWayBackToAnOlderTextIsANewVersion(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument()
	w.create(account(), doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	for _, command := range []string{"date -u", "date"} {
		change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = command })
		w.documentIs(doc, v1alpha1.ReasonInPlace)
	}
	same(t, "the command", inputsOf(t, w.inAWS(logged))["shellProfile"], any(map[string]any{"linux": "date", "windows": ""}))
}

func TestARegionThatIsNoLongerDeclaredIsCleanedUp(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Regions = nil })
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = append(a.Spec.Regions, elsewhere) })
	w.create(main, doc)
	got := w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the summary", *got.Status.Summary, v1alpha1.DocumentSummary{Regions: "2/2", Version: "1"})
	if w.inAWSIn(elsewhere, logged) == nil || w.inAWS(logged) == nil {
		t.Fatal("the document is not in both regions")
	}
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Regions = []v1alpha1.Region{elsewhere} })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	w.goneFromAWS(logged)
	if w.inAWSIn(elsewhere, logged) == nil {
		t.Error("the document is gone from the region that is still declared")
	}
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Regions = []v1alpha1.Region{"eu-west-1"} })
	refused := w.documentIs(doc, v1alpha1.ReasonRegionNotAllowed)
	w.sentence(readyOf(refused).Message, "eu-west-1")
	if w.inAWSIn(elsewhere, logged) == nil {
		t.Error("an edit that is refused took the document away")
	}
	w.deleteAndWait(doc)
	if w.inAWSIn(elsewhere, logged) != nil {
		t.Error("the document is left in the other region")
	}
}
