package sessiondocument_test

import (
	"encoding/json"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// holding is a document of another client, with this content.
func holding(name, format, content string) func(*fixtures.Account) {
	return func(a *fixtures.Account) {
		r := a.Regions[scenario.Region]
		r.Documents = append(r.Documents, fixtures.Document{Name: name, Versions: []fixtures.DocumentVersion{{Content: json.RawMessage(content), Format: format}}})
		a.Regions[scenario.Region] = r
	}
}

const runAsByTag = `{"schemaVersion":"1.0","sessionType":"Standard_Stream","inputs":{"s3BucketName":"","runAsEnabled":true,"runAsDefaultUser":"","idleSessionTimeout":"20"}}`

func TestAnAdoptionReportsWhatItWouldTurnOff(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, holding(preferences, "", runAsByTag))
	doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
		s.Inputs = &v1alpha1.SessionInputs{IdleSessionTimeout: new("20")}
	})
	w.Create(scenario.Account(mayAdopt), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonSettingsLost)
	w.ExpectSentence(scenario.ReadyOf(got).Message, preferences, scenario.Region, "runAsEnabled: true", "inputs")
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 1)
	scenario.ExpectEqual(t, "the tags", len(w.DocumentInAWS(preferences).Tags), 0)

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.RunAsEnabled = new(true) })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 1) // It says the same.

	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.RunAsEnabled = nil })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace) // It is the object's own document now.
	scenario.ExpectEqual(t, "Run As", inputsOf(t, w.DocumentInAWS(preferences))["runAsEnabled"], any(false))
}

func TestAnAdoptionTurnsOffWhatIsWrittenOut(t *testing.T) {
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, holding(preferences, "", runAsByTag))
	doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
		s.Inputs = &v1alpha1.SessionInputs{RunAsEnabled: new(false), IdleSessionTimeout: new("")}
	})
	w.Create(scenario.Account(mayAdopt), doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "Run As", inputsOf(t, w.DocumentInAWS(preferences))["runAsEnabled"], any(false))
}

func TestADocumentInYAMLIsReadAsAWSConvertsIt(t *testing.T) {
	yaml, err := json.Marshal("schemaVersion: \"1.0\"\nsessionType: Standard_Stream\ndescription: y\ninputs:\n  runAsEnabled: true\n  idleSessionTimeout: \"20\"\n")
	if err != nil {
		t.Fatal(err)
	}
	w := newDocumentsWorld(t, testenv.ManagerOptions{}, holding(preferences, "YAML", string(yaml)))
	doc := scenario.SessionDocument(adopting, func(s *v1alpha1.SessionDocumentSpec) {
		s.Description, s.Inputs = "y", &v1alpha1.SessionInputs{IdleSessionTimeout: new("20")}
	})
	w.Create(scenario.Account(mayAdopt), doc)
	got := w.AwaitDocument(doc, v1alpha1.ReasonSettingsLost)
	w.ExpectSentence(scenario.ReadyOf(got).Message, "runAsEnabled: true")
	scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) { d.Spec.Inputs.RunAsEnabled = new(true) })
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	scenario.ExpectEqual(t, "the newest version", w.DocumentInAWS(preferences).Latest().Number, 1)
}
