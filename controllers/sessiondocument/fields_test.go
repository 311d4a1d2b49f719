package sessiondocument_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	awstypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// everyInput declares every input.
func everyInput(s *v1alpha1.SessionDocumentSpec) {
	s.Description = "All of it"
	s.Inputs = &v1alpha1.SessionInputs{
		S3BucketName: new("logs-bucket"), S3KeyPrefix: new("p"), S3EncryptionEnabled: new(true),
		CloudWatchLogGroupName: new("group"), CloudWatchEncryptionEnabled: new(true), CloudWatchStreamingEnabled: new(true),
		KMSKeyID: new("alias/sessions"), RunAsEnabled: new(true), RunAsDefaultUser: new("ops"), IdleSessionTimeout: new("60"), MaxSessionDuration: new("1440"),
		ShellProfile: &v1alpha1.ShellProfile{Windows: "dir", Linux: "ls"},
	}
}

// everyInputInAWS is how AWS holds everyInput.
var everyInputInAWS = map[string]any{
	"s3BucketName": "logs-bucket", "s3KeyPrefix": "p", "s3EncryptionEnabled": true,
	"cloudWatchLogGroupName": "group", "cloudWatchEncryptionEnabled": true, "cloudWatchStreamingEnabled": true,
	"kmsKeyId": "alias/sessions", "runAsEnabled": true, "runAsDefaultUser": "ops", "idleSessionTimeout": "60", "maxSessionDuration": "1440",
	"shellProfile": map[string]any{"windows": "dir", "linux": "ls"},
}

func TestEveryInputReachesAWSAndIsPutBack(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(everyInput)
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"alias/*"}})), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	want := everyInputInAWS
	scenario.ExpectEqual(t, "what AWS holds", inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument)), want)
	scenario.ExpectEqual(t, "the description", content(t, w.DocumentInAWS(scenario.LoggedDocument))["description"], any("All of it"))

	w.RewriteDocument(scenario.LoggedDocument, scenario.ForeignContent("stolen-logs"))
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument).Default == 3 })
	scenario.ExpectEqual(t, "what AWS holds after the repair", inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument)), want)

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Description, d.Spec.Inputs = "", nil })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the bucket", inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument))["s3BucketName"], any(""))
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
			w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
			doc := scenario.SessionDocument(everyInput, c.change)
			w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"alias/*"}})), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			scenario.ExpectEqual(t, "the session type", content(t, w.DocumentInAWS(scenario.LoggedDocument))["sessionType"], any(name))
			scenario.ExpectEqual(t, "the inputs", inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument)), everyInputInAWS)
			scenario.ExpectEqual(t, "the properties", content(t, w.DocumentInAWS(scenario.LoggedDocument))["properties"], any(c.want))
			w.RewriteDocument(scenario.LoggedDocument, scenario.ForeignContent("stolen-logs"))
			w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument).Default == 3 })
			scenario.ExpectEqual(t, "the properties after the repair", content(t, w.DocumentInAWS(scenario.LoggedDocument))["properties"], any(c.want))
		})
	}
}

func TestADefaultVersionThatSomebodyMovedIsPutBack(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	_, err := w.AdminSSM().UpdateDocumentDefaultVersion(t.Context(), &awsssm.UpdateDocumentDefaultVersionInput{Name: aws.String(scenario.LoggedDocument), DocumentVersion: aws.String("1")})
	w.Must(err)
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument).Default == 2 })
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 2)
}

func TestADocumentThatSomebodyDeletedIsMadeAgain(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	_, err := w.AdminSSM().DeleteDocument(t.Context(), &awsssm.DeleteDocumentInput{Name: aws.String(scenario.LoggedDocument)})
	w.Must(err)
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument) != nil })
}

func TestTagsAreSetRepairedAndTakenOff(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Tags = map[string]string{"team": "a", "cost": "1"} })
	w.Create(scenario.Account(), doc)
	made := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	tags := func() map[string]string { return w.DocumentInAWS(scenario.LoggedDocument).Tags }
	scenario.ExpectEqual(t, "the tag team", tags()["team"], "a")

	_, err := w.AdminSSM().AddTagsToResource(t.Context(), &awsssm.AddTagsToResourceInput{
		ResourceType: awstypes.ResourceTypeForTaggingDocument, ResourceId: aws.String(scenario.LoggedDocument),
		Tags: []awstypes.Tag{{Key: aws.String("team"), Value: aws.String("b")}, {Key: aws.String("theirs"), Value: aws.String("x")}},
	})
	w.Must(err)
	w.Eventually(func() bool { return tags()["team"] == "a" })

	_, err = w.AdminSSM().RemoveTagsFromResource(t.Context(), &awsssm.RemoveTagsFromResourceInput{
		ResourceType: awstypes.ResourceTypeForTaggingDocument, ResourceId: aws.String(scenario.LoggedDocument), TagKeys: []string{scenario.UIDTag, "cost"},
	})
	w.Must(err)
	w.Eventually(func() bool { return tags()["cost"] == "1" && tags()[scenario.UIDTag] == string(made.UID) })

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Tags = map[string]string{"team": "a"} })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	if _, has := tags()["cost"]; has {
		t.Error("the tag that is no longer declared is still there")
	}
	scenario.ExpectEqual(t, "another owner's tag", tags()["theirs"], "x")
}

func TestSharesAreAddedAndTakenAway(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	shared := []v1alpha1.ShareTarget{scenario.Sharee}
	for i := range 24 { // One call takes twenty.
		shared = append(shared, v1alpha1.ShareTarget("2222333344"+string(rune('0'+i/10))+string(rune('0'+i%10))))
	}
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = shared })
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{ShareWith: shared})), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the number of shares", len(w.DocumentInAWS(scenario.LoggedDocument).Shares), 25)

	_, err := w.AdminSSM().ModifyDocumentPermission(t.Context(), &awsssm.ModifyDocumentPermissionInput{
		Name: aws.String(scenario.LoggedDocument), PermissionType: awstypes.DocumentPermissionTypeShare,
		AccountIdsToAdd: []string{"999999999999"}, AccountIdsToRemove: []string{scenario.Sharee},
	})
	w.Must(err)
	w.Emulator.Advance(2 * 60 * 60 * 1e9) // The operator reads shares once an hour.
	w.Eventually(func() bool {
		_, stranger := w.DocumentInAWS(scenario.LoggedDocument).Shares["999999999999"]
		_, back := w.DocumentInAWS(scenario.LoggedDocument).Shares[scenario.Sharee]
		return !stranger && back
	})

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.SharedWith = shared[:1] })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the number of shares", len(w.DocumentInAWS(scenario.LoggedDocument).Shares), 1)
	w.deleteAndWait(doc)
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestANewVersionWaitsWithManualPromotion(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{ResyncInterval: scenario.ResyncInterval})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Promotion = v1alpha1.PromotionManual })
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	pending := scenario.Condition(got.Status.Conditions, v1alpha1.ConditionPromotionPending)
	w.ExpectSentence(pending.Message, scenario.LoggedDocument, "defaultVersion: 2", scenario.Region)
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(scenario.LoggedDocument).Default, 1)
	scenario.ExpectEqual(t, "the pending version", got.Status.Regions[0].PendingVersion, int64(2))

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DefaultVersion = 3 })
	got = w.AwaitDocument(doc, v1alpha1.ReasonVersionNotFound)
	w.ExpectSentence(scenario.ReadyOf(got).Message, scenario.LoggedDocument, "3", scenario.Region)
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(scenario.LoggedDocument).Default, 1)

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DefaultVersion = 2 })
	got = w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "PromotionPending", string(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionPromotionPending).Status), "")
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(scenario.LoggedDocument).Default, 2)

	_, err := w.AdminSSM().UpdateDocumentDefaultVersion(t.Context(), &awsssm.UpdateDocumentDefaultVersionInput{Name: aws.String(scenario.LoggedDocument), DocumentVersion: aws.String("1")})
	w.Must(err)
	w.Eventually(func() bool { return w.DocumentInAWS(scenario.LoggedDocument).Default == 2 })

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.DefaultVersion = 1 })
	got = w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the default version after the way back", w.DocumentInAWS(scenario.LoggedDocument).Default, 1)
	scenario.ExpectEqual(t, "the pending version after the way back", got.Status.Regions[0].PendingVersion, int64(2))
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 2)
}

func TestOldVersionsGo(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.KeepVersions = 3 })
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	for _, command := range []string{"b", "c", "d", "e", "f"} {
		scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = command })
		w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	}
	scenario.ExpectEqual(t, "the versions", numbers(w), []int{4, 5, 6})
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.KeepVersions = 1 })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the versions", numbers(w), []int{6})
}

func numbers(w world) []int {
	var all []int
	for _, v := range w.DocumentInAWS(scenario.LoggedDocument).Versions {
		all = append(all, v.Number)
	}
	return all
}

func TestTheWayBackToAnOlderTextIsANewVersion(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	for _, command := range []string{"date -u", "date"} {
		scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = command })
		w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	}
	scenario.ExpectEqual(t, "the command", inputsOf(t, w.DocumentInAWS(scenario.LoggedDocument))["shellProfile"], any(map[string]any{"linux": "date", "windows": ""}))
}

func TestARegionThatIsNoLongerDeclaredIsCleanedUp(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	doc := scenario.SessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.Regions = nil })
	main := scenario.Account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = append(a.Spec.Regions, elsewhere) })
	w.Create(main, doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the summary", *got.Status.Summary, v1alpha1.DocumentSummary{Regions: "2/2", Version: "1"})
	if w.DocumentIn(elsewhere, scenario.LoggedDocument) == nil || w.DocumentInAWS(scenario.LoggedDocument) == nil {
		t.Fatal("the document is not in both regions")
	}
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Regions = []v1alpha1.Region{elsewhere} })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	w.goneFromAWS(scenario.LoggedDocument)
	if w.DocumentIn(elsewhere, scenario.LoggedDocument) == nil {
		t.Error("the document is gone from the region that is still declared")
	}
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Regions = []v1alpha1.Region{"eu-west-1"} })
	refused := w.AwaitDocument(doc, v1alpha1.ReasonRegionNotAllowed)
	w.ExpectSentence(scenario.ReadyOf(refused).Message, "eu-west-1")
	if w.DocumentIn(elsewhere, scenario.LoggedDocument) == nil {
		t.Error("an edit that is refused took the document away")
	}
	w.deleteAndWait(doc)
	if w.DocumentIn(elsewhere, scenario.LoggedDocument) != nil {
		t.Error("the document is left in the other region")
	}
}
