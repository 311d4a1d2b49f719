package controllers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func readSample[T any](t *testing.T, scenario, file string) *T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "config", "samples", scenario, file))
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
	w.create(account(), declared)
	got := w.documentIs(declared, v1alpha1.ReasonInPlace)
	w.sentence(readyOf(got).Message, logged, region)

	sample, err := os.ReadFile("../internal/document/testdata/s4.json")
	w.must(err)
	var want map[string]any
	w.must(json.Unmarshal(sample, &want))
	made := w.inAWS(logged)
	same(t, "the document in AWS", content(t, made), want)
	same(t, "its tags", made.Tags, map[string]string{
		uidTag: string(got.UID), "ssm-access.dev/owner": testenv.DefaultOwner, v1alpha1.TagObject: testenv.DefaultOwner + "/" + got.Namespace + "/" + got.Name,
	})
	if len(got.Status.Regions) != 1 || got.Status.Regions[0].State != v1alpha1.DocumentActive || got.Status.Regions[0].DefaultVersion != 1 ||
		got.Status.Regions[0].Hash == "" || got.Status.Regions[0].ContentHash == "" {
		t.Errorf("the status of the region is %+v", got.Status.Regions)
	}
	same(t, "the summary", *got.Status.Summary, v1alpha1.DocumentSummary{Regions: "1/1", Version: "1"})

	may := func() bool {
		answer, err := w.Emulator.May(awsemulator.Question{Principal: user("user01"), Region: region, Target: pc01, Document: logged})
		w.must(err)
		return answer.Allowed
	}
	if may() {
		t.Error("user01 may use the document without a grant")
	}
	grant := access("user01-logged", "user01", pc01)
	grant.Spec.Documents = []v1alpha1.DocumentReference{{Name: logged}}
	w.create(grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	if !may() {
		t.Error("user01 may not use the document that is granted")
	}
	w.grid(false, false, false, false) // None of them with another document.

	w.deleteAndWait(declared)
	w.goneFromAWS(logged)
}

func TestADocumentIsMadeInTwoWrites(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	before := w.LastCall()
	doc := sessionDocument()
	w.create(doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the calls to create it", w.documentCalls(before), map[string]int{"DescribeDocument": 2, "CreateDocument": 1})
	before = w.LastCall()
	w.touch(doc)
	w.untilCall(before, "DescribeDocumentPermission")
	same(t, "the calls to look at it", w.documentCalls(before), map[string]int{"DescribeDocument": 1, "DescribeDocumentPermission": 1})
	before = w.LastCall()
	w.deleteAndWait(doc)
	same(t, "the calls to delete it", w.documentCalls(before), map[string]int{"DescribeDocument": 2, "DescribeDocumentPermission": 1, "DeleteDocument": 1})
}

func TestAMissingPermissionIsNamedWithTheDocument(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	id, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:CreateDocument"})
	w.must(err)
	doc := sessionDocument()
	w.create(account(), doc)
	got := w.documentIs(doc, v1alpha1.ReasonAccessDenied)
	w.sentence(readyOf(got).Message, "ssm:CreateDocument", logged, region)
	w.Emulator.RemoveFault(id)
	w.touch(doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
}

func TestACreationWhoseAnswerIsLostMakesOneDocument(t *testing.T) {
	for _, kind := range []faults.Kind{faults.DropAfter, faults.ErrorAfter} {
		t.Run(string(kind), func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			_, err := w.Emulator.Inject(faults.Fault{Kind: kind, Action: "ssm:CreateDocument", Count: 1})
			w.must(err)
			doc := sessionDocument()
			w.create(account(), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			same(t, "the newest version", w.inAWS(logged).Latest().Number, 1)
		})
	}
}

func TestReadsThatLagMakeNoSecondVersion(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{})
	w.create(account())
	w.accountIs(account(), v1alpha1.ReasonVerified)
	w.Emulator.SetConsistency(awsemulator.Consistency{Documents: 3e9})
	doc := sessionDocument()
	w.create(doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	change(w, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.ShellProfile.Linux = "date -u" })
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the newest version", w.inAWS(logged).Latest().Number, 2)
	same(t, "the default version", w.inAWS(logged).Default, 2)
	w.deleteAndWait(doc)
	w.goneFromAWS(logged)
}
