package controllers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// readReported reads an object of testdata/reported: what people declared, or would have,
// in public reports. Each file says what it should do.
func readReported[T any](w world, file string) *T {
	w.T.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "reported", file))
	w.Must(err)
	obj := new(T)
	w.Must(yaml.UnmarshalStrict(text, obj))
	return obj
}

// reachabilitySays waits until condition TargetsReachable contains a text.
func (w world) reachabilitySays(access *v1alpha1.SessionAccess, text string) {
	w.T.Helper()
	_, err := testenv.WaitFor(w.T.Context(), w.Client, access, func(a *v1alpha1.SessionAccess) bool {
		return strings.Contains(scenario.Condition(a.Status.Conditions, v1alpha1.ConditionTargetsReachable).Message, text)
	})
	w.Must(err)
}

// may asks IAM about an action of a user.
func (w world) may(user, action, resource string) bool {
	w.T.Helper()
	answer, err := w.Emulator.May(awsemulator.Question{
		Principal: scenario.UserARN(user), Region: scenario.Region, Action: action, Resources: []string{resource},
	})
	w.Must(err)
	return answer.Allowed
}

// mayUse asks whether a user may open sessions with a document, whatever the node.
func (w world) mayUse(user, documentARN string) bool {
	w.T.Helper()
	return w.may(user, "ssm:StartSession", documentARN)
}

func TestAPatternInATagIsReportedAsLiteral(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{})
	access := readReported[v1alpha1.SessionAccess](w, "wildcard-tag.yaml")
	w.Create(scenario.Account(), access)
	w.AwaitAccess(access, v1alpha1.ReasonGranted)
	w.reachabilitySays(access, "mean themselves, as in Name=PCS-login*")
	for _, document := range access.Spec.Documents {
		owner := "" // AWS's own documents have none.
		if !strings.HasPrefix(document.Name, "AWS-") {
			owner = scenario.AccountID
		}
		// A document carries none of the tags of the nodes.
		if !w.mayUse("user02", "arn:aws:ssm:"+scenario.Region+":"+owner+":document/"+document.Name) {
			t.Errorf("document %s is not granted", document.Name)
		}
	}
}

func TestAVariableInATagIsReportedAsLiteral(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{})
	access := readReported[v1alpha1.SessionAccess](w, "abac.yaml")
	w.Create(scenario.Account(), access)
	w.reachabilitySays(access, "mean themselves, as in github_teams=${aws:PrincipalTag/github_teams}")
}

func TestADocumentOfAnotherAccountIsGrantedByItsARN(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{})
	access := readReported[v1alpha1.SessionAccess](w, "shared-document.yaml")
	w.Create(scenario.Account(), access)
	w.AwaitAccess(access, v1alpha1.ReasonGranted)
	if !w.mayUse("user01", access.Spec.Documents[0].Name) {
		t.Error("the document is not granted")
	}
	if w.mayUse("user01", "arn:aws:ssm:"+scenario.Region+":"+scenario.AccountID+":document/Shared-Shell") {
		t.Error("the account's own document of that name is granted")
	}
}

func TestTheOwnARNOfADocumentIsRefusedWithItsName(t *testing.T) {
	w := worldWithoutManager(t)
	w.Manager(t, testenv.ManagerOptions{})
	access := scenario.Access("own", "user01", scenario.PC01)
	access.Spec.Documents = []v1alpha1.DocumentReference{{Name: "arn:aws:ssm:" + scenario.Region + ":" + scenario.AccountID + ":document/Shell"}}
	w.Create(scenario.Account(), access)
	got := w.AwaitAccess(access, v1alpha1.ReasonInvalidSpec)
	w.ExpectSentence(scenario.Condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, access.Spec.Documents[0].Name, "write Shell instead")
}

func TestADefaultDocumentWithRunAsIsAdoptedWithoutLosingIt(t *testing.T) {
	const runAs = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"runAsEnabled":true,"runAsDefaultUser":""}}`
	w := worldOfDocuments(t, func(a *fixtures.Account) {
		r := a.Regions[scenario.Region]
		r.Documents = append(r.Documents, fixtures.Document{Name: v1alpha1.DefaultDocument, Versions: []fixtures.DocumentVersion{{Content: json.RawMessage(runAs)}}})
		a.Regions[scenario.Region] = r
	})
	w.Manager(t, testenv.ManagerOptions{})
	doc := readReported[v1alpha1.SessionDocument](w, "adopt-runas.yaml")
	w.Create(scenario.Account(scenario.AllowDocuments(v1alpha1.DocumentRule{Adopt: []v1alpha1.NamePattern{"SSM-*"}})), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonSettingsLost)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "runAsEnabled: true")
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.RunAsEnabled = new(true) })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	latest := w.DocumentInAWS(v1alpha1.DefaultDocument).Latest().Content
	if !strings.Contains(latest, `"runAsEnabled": true`) {
		t.Errorf("Run As is off: %s", latest)
	}
}
