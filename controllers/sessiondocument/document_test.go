package sessiondocument_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func readSample[T any](t *testing.T, scenario, file string) *T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", scenario, file))
	if err != nil {
		t.Fatal(err)
	}
	obj := new(T)
	if err := yaml.UnmarshalStrict(text, obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestTheDocumentOfScenarioS4IsKeptInAWS(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	declared := readSample[v1alpha1.SessionDocument](t, "s4", "sessiondocument.yaml")
	w.Create(scenario.Account(), declared)
	got := w.AwaitDocument(declared, v1alpha1.ReasonInPlace)
	w.ExpectSentence(scenario.ReadyOf(got).Message, scenario.LoggedDocument, scenario.Region)

	sample, err := os.ReadFile("../../internal/document/testdata/s4.json")
	w.Must(err)
	var want map[string]any
	w.Must(json.Unmarshal(sample, &want))
	made := w.DocumentInAWS(scenario.LoggedDocument)
	scenario.ExpectEqual(t, "the document in AWS", content(t, made), want)
	scenario.ExpectEqual(t, "its tags", made.Tags, map[string]string{
		scenario.UIDTag: string(got.UID), "ssm-access.dev/owner": testenv.DefaultOwner, v1alpha1.TagObject: testenv.DefaultOwner + "/" + got.Namespace + "/" + got.Name,
	})
	if len(got.Status.Regions) != 1 || got.Status.Regions[0].State != v1alpha1.DocumentActive || got.Status.Regions[0].DefaultVersion != 1 ||
		got.Status.Regions[0].Hash == "" || got.Status.Regions[0].ContentHash == "" {
		t.Errorf("the status of the region is %+v", got.Status.Regions)
	}
	scenario.ExpectEqual(t, "the summary", *got.Status.Summary, v1alpha1.DocumentSummary{Regions: "1/1", Version: "1"})

	may := func() bool {
		answer, err := w.Emulator.May(awsemulator.Question{Principal: scenario.UserARN("user01"), Region: scenario.Region, Target: scenario.PC01, Document: scenario.LoggedDocument})
		w.Must(err)
		return answer.Allowed
	}
	if may() {
		t.Error("user01 may use the document without a grant")
	}
	grant := scenario.Access("user01-logged", "user01", scenario.PC01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: scenario.LoggedDocument}}
	w.Create(grant)
	w.AwaitAccess(grant, v1alpha1.ReasonGranted)
	if !may() {
		t.Error("user01 may not use the document that is granted")
	}
	w.ExpectAccess(false, false, false, false) // None of them with another document.

	w.deleteAndWait(declared)
	w.goneFromAWS(scenario.LoggedDocument)
}

func TestADocumentIsMadeInTwoWrites(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	before := w.LastCall()
	doc := scenario.SessionDocument()
	w.Create(doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the calls to create it", w.documentCalls(before), map[string]int{"DescribeDocument": 2, "CreateDocument": 1})
	before = w.LastCall()
	w.Touch(doc)
	w.AwaitCall(before, "DescribeDocumentPermission")
	scenario.ExpectEqual(t, "the calls to look at it", w.documentCalls(before), map[string]int{"DescribeDocument": 1, "DescribeDocumentPermission": 1})
	before = w.LastCall()
	w.deleteAndWait(doc)
	scenario.ExpectEqual(t, "the calls to delete it", w.documentCalls(before), map[string]int{"DescribeDocument": 2, "DescribeDocumentPermission": 1, "DeleteDocument": 1})
}

func TestAMissingPermissionIsNamedWithTheDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:CreateDocument"})
	w.Must(err)
	doc := scenario.SessionDocument()
	w.Create(scenario.Account(), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonAccessDenied)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "ssm:CreateDocument", scenario.LoggedDocument, scenario.Region)
	w.Emulator.RemoveFault(id)
	w.Touch(doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
}

func TestACreationWhoseAnswerIsLostMakesOneDocument(t *testing.T) {
	for _, kind := range []faults.Kind{faults.DropAfter, faults.ErrorAfter} {
		t.Run(string(kind), func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			_, err := w.Emulator.Inject(faults.Fault{Kind: kind, Action: "ssm:CreateDocument", Count: 1})
			w.Must(err)
			doc := scenario.SessionDocument()
			w.Create(scenario.Account(), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 1)
		})
	}
}

func TestReadsThatLagMakeNoSecondVersion(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.Create(scenario.Account())
	w.AwaitAccount(scenario.Account(), v1alpha1.ReasonVerified)
	w.Emulator.SetConsistency(awsemulator.Consistency{Documents: 3e9})
	doc := scenario.SessionDocument()
	w.Create(doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(scenario.LoggedDocument).Latest().Number, 2)
	scenario.ExpectEqual(t, "the default version", w.DocumentInAWS(scenario.LoggedDocument).Default, 2)
	w.deleteAndWait(doc)
	w.goneFromAWS(scenario.LoggedDocument)
}
