package controllers_test

import (
	"net/http"
	"testing"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

var mayShare = allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})

func shared(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} }

// sharedIn reports whether a document of a region is shared.
func (w world) sharedIn(region string) bool {
	w.t.Helper()
	d := w.inAWSIn(region, logged)
	if d == nil {
		w.t.Fatalf("there is no document in %s", region)
	}
	_, is := d.Shares[sharee]
	return is
}

func TestARegionThatFailsKeepsNoShareInTheOthers(t *testing.T) {
	w := worldOf(t, testenv.Options{})
	gate := &regionGate{region: otherRegion}
	cfg := w.AWSConfig(w.Operator())
	cfg.HTTPClient = &http.Client{Transport: gate}
	w.Manager(t, testenv.ManagerOptions{AWS: &cfg})
	doc := sessionDocument(shared, func(s *v1alpha1.SessionDocumentSpec) {
		s.Regions = []v1alpha1.Region{otherRegion, region}
	})
	main := account(mayShare, inTwoRegions)
	w.create(main, doc)
	w.documentIs(doc, v1alpha1.ReasonInPlace)
	if !w.sharedIn(region) || !w.sharedIn(otherRegion) {
		t.Fatal("the document is not shared")
	}
	gate.refuse("DescribeDocument")
	change(w, main, func(a *v1alpha1.AWSAccount) { a.Spec.Guardrails = nil })
	w.documentIs(doc, v1alpha1.ReasonGuardrailViolated)
	w.until(func() bool { return !w.sharedIn(region) })
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
			doc := sessionDocument(shared)
			w.create(account(mayShare), doc)
			w.documentIs(doc, v1alpha1.ReasonInPlace)
			if !w.sharedIn(region) {
				t.Fatal("the document is not shared")
			}
			_, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: action})
			w.must(err)
			change(w, doc, func(d *v1alpha1.SessionDocument) {
				d.Spec.SharedWith = nil
				edit(&d.Spec)
			})
			w.documentIs(doc, v1alpha1.ReasonAccessDenied)
			if w.sharedIn(region) {
				t.Error("the document is still shared")
			}
		})
	}
}
