package sessiondocument_test

import (
	"net/http"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/scenario"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

func TestARegionThatFailsKeepsNoShareInTheOthers(t *testing.T) {
	w := worldOf(t, testenv.Options{})
	gate := &scenario.RegionGate{Region: scenario.OtherRegion}
	cfg := w.AWSConfig(w.Operator())
	cfg.HTTPClient = &http.Client{Transport: gate}
	w.Manager(t, testenv.ManagerOptions{AWS: &cfg})
	doc := scenario.SessionDocument(scenario.SharedWithSharee, func(s *v1alpha1.SessionDocumentSpec) {
		s.Regions = []v1alpha1.Region{scenario.OtherRegion, scenario.Region}
	})
	main := scenario.Account(scenario.AllowSharing, scenario.InTwoRegions)
	w.Create(main, doc)
	w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
	if !w.IsSharedIn(scenario.Region) || !w.IsSharedIn(scenario.OtherRegion) {
		t.Fatal("the document is not shared")
	}
	gate.Refuse("DescribeDocument")
	scenario.Change(w.World, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
	w.AwaitDocument(doc, v1alpha1.ReasonGuardrailViolated)
	w.Eventually(func() bool { return !w.IsSharedIn(scenario.Region) })
}

// What is declared no longer goes first, whatever else cannot be written.
func TestAShareGoesAlthoughTheRestCannotBeWritten(t *testing.T) {
	for action, edit := range map[string]func(*v1alpha1.SessionDocumentSpec){
		"ssm:UpdateDocument": func(s *v1alpha1.SessionDocumentSpec) { s.Inputs.ShellProfile.Linux = "id" },
		"ssm:AddTagsToResource": func(s *v1alpha1.SessionDocumentSpec) {
			s.Tags = map[string]string{"cost": "2"}
		},
	} {
		t.Run(action, func(t *testing.T) {
			w := newDocumentsWorld(t, testenv.ManagerOptions{})
			doc := scenario.SessionDocument(scenario.SharedWithSharee)
			w.Create(scenario.Account(scenario.AllowSharing), doc)
			w.AwaitDocument(doc, v1alpha1.ReasonInPlace)
			if !w.IsSharedIn(scenario.Region) {
				t.Fatal("the document is not shared")
			}
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
			w.Must(err)
			scenario.Change(w.World, doc, func(d *v1alpha1.SessionDocument) {
				d.Spec.SharedWith = nil
				edit(&d.Spec)
			})
			w.AwaitDocument(doc, v1alpha1.ReasonAccessDenied)
			if w.IsSharedIn(scenario.Region) {
				t.Error("the document is still shared")
			}
		})
	}
}
