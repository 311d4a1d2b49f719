package sessionaccess

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/internal/admission"
)

const (
	tokyo, osaka = "ap-northeast-1", "ap-northeast-3"
	keyTokyo     = "arn:aws:kms:ap-northeast-1:488821267897:key/11111111-2222-3333-4444-555555555555"
	keyOsaka     = "arn:aws:kms:ap-northeast-3:488821267897:key/99999999-2222-3333-4444-555555555555"
)

// referring is a SessionAccess that names a document and an activation, both
// named site.
func referring() *v1alpha1.SessionAccess {
	return &v1alpha1.SessionAccess{
		ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "team-a"},
		Spec: v1alpha1.SessionAccessSpec{
			AccountRef: v1alpha1.AccountReference{Name: "main"},
			Principals: []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}},
			Targets:    []v1alpha1.Target{{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}},
			Documents:  []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "site"}}},
		},
	}
}

func readyWith(status metav1.ConditionStatus, reason string) []metav1.Condition {
	return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: status, Reason: reason}}
}

func theDocument(change ...func(*v1alpha1.SessionDocument)) *v1alpha1.SessionDocument {
	d := &v1alpha1.SessionDocument{
		ObjectMeta: metav1.ObjectMeta{Name: "site", Namespace: "team-a"},
		Spec:       v1alpha1.SessionDocumentSpec{AccountRef: v1alpha1.AccountReference{Name: "main"}, Name: "Site-Shell"},
		Status:     v1alpha1.SessionDocumentStatus{Conditions: readyWith(metav1.ConditionTrue, v1alpha1.ReasonInPlace)},
	}
	for _, c := range change {
		c(d)
	}
	return d
}

func theActivation(change ...func(*v1alpha1.HybridActivation)) *v1alpha1.HybridActivation {
	a := &v1alpha1.HybridActivation{
		ObjectMeta: metav1.ObjectMeta{Name: "site", Namespace: "team-a", UID: "0a1b"},
		Spec:       v1alpha1.HybridActivationSpec{AccountRef: v1alpha1.AccountReference{Name: "main"}, Region: tokyo},
		Status:     v1alpha1.HybridActivationStatus{Conditions: readyWith(metav1.ConditionTrue, "Valid")},
	}
	for _, c := range change {
		c(a)
	}
	return a
}

// decideReferring decides on it with the objects that exist.
func decideReferring(access *v1alpha1.SessionAccess, d *v1alpha1.SessionDocument, a *v1alpha1.HybridActivation, rules ...v1alpha1.Guardrail) decision {
	in := admission.SessionAccess{Object: access, AccountAccess: admission.AccountAccess{
		Name: "main", NamespaceName: "team-a",
		Account: &v1alpha1.AWSAccount{ObjectMeta: metav1.ObjectMeta{Name: "main"}, Spec: v1alpha1.AWSAccountSpec{
			AccountID: "488821267897", Regions: []v1alpha1.Region{tokyo, osaka}, Guardrails: rules,
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
		}},
	}}
	in.Documents, in.Activations = map[string]*v1alpha1.SessionDocument{}, map[string]*v1alpha1.HybridActivation{}
	if d != nil {
		in.Documents["site"] = d
	}
	if a != nil {
		in.Activations["site"] = a
	}
	return decisionOf(in.Decide())
}

func TestReferencesThatAreReadyAreGranted(t *testing.T) {
	tags := map[string]string{"Env": "stg"}
	d := decideReferring(referring(), theDocument(), theActivation(), v1alpha1.Guardrail{Name: "stg", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: tags})
	if d.waiting || d.problem != nil {
		t.Fatalf("it waits: %+v", d.problem)
	}
	want := []v1alpha1.ResolvedTarget{{Tags: map[string]string{v1alpha1.TagActivation: "0a1b", "Env": "stg"}, HybridRegion: tokyo}}
	if !equality.Semantic.DeepEqual(d.grant.Targets, want) {
		t.Errorf("the targets are %+v", d.grant.Targets)
	}
	if !slices.Equal(d.grant.Documents, []v1alpha1.ResolvedDocument{{Name: "Site-Shell"}}) {
		t.Errorf("the documents are %+v", d.grant.Documents)
	}
}

func TestADocumentIsListedOnceForEachKeyInTheRegions(t *testing.T) {
	keyed := theDocument(func(d *v1alpha1.SessionDocument) {
		d.Status.Regions = []v1alpha1.DocumentRegion{{Region: tokyo, KeyARN: keyTokyo}, {Region: osaka, KeyARN: keyOsaka}, {Region: "us-east-1", KeyARN: "arn:elsewhere"}}
	})
	for name, c := range map[string]struct {
		regions []v1alpha1.Region
		want    []string
	}{
		"both regions": {nil, []string{keyTokyo, keyOsaka}},
		"one region":   {[]v1alpha1.Region{tokyo}, []string{keyTokyo}},
	} {
		access := referring()
		access.Spec.Regions = c.regions
		d := decideReferring(access, keyed, theActivation())
		var keys []string
		for _, d := range d.grant.Documents {
			keys = append(keys, d.KMSKeyARN)
		}
		if !slices.Equal(keys, c.want) {
			t.Errorf("%s: the keys are %q, want %q", name, keys, c.want)
		}
	}
}

// A missing object is neither granted nor kept. An object that exists and is not ready is
// kept, and not granted again.
func TestReferencesThatCannotBeResolved(t *testing.T) {
	now := metav1.NewTime(time.Unix(0, 0))
	notReady := readyWith(metav1.ConditionFalse, v1alpha1.ReasonAWSUnavailable)
	forbidden := readyWith(metav1.ConditionFalse, v1alpha1.ReasonGuardrailViolated)
	for name, c := range map[string]struct {
		document     *v1alpha1.SessionDocument
		activation   *v1alpha1.HybridActivation
		says         string
		keeps, fresh bool // whether it is granted where it was before, and where it was not
	}{
		"no document": {nil, theActivation(), `SessionDocument "site" does not exist`, false, false},
		"a document that goes": {
			theDocument(func(d *v1alpha1.SessionDocument) { d.DeletionTimestamp = &now }), theActivation(),
			"is being deleted", false, false,
		},
		"a document of another account": {
			theDocument(func(d *v1alpha1.SessionDocument) { d.Spec.AccountRef.Name = "other" }), theActivation(),
			`of AWSAccount "other"`, false, false,
		},
		"a document that is not ready": {
			theDocument(func(d *v1alpha1.SessionDocument) { d.Status.Conditions = notReady }), theActivation(),
			`SessionDocument "site" is not ready`, true, false,
		},
		"a document that a guardrail forbids": {
			theDocument(func(d *v1alpha1.SessionDocument) { d.Status.Conditions = forbidden }), theActivation(),
			`SessionDocument "site" is not ready`, false, false,
		},
		"a document that was edited": {
			theDocument(func(d *v1alpha1.SessionDocument) { d.Generation = 2 }), theActivation(),
			`SessionDocument "site" is not ready`, true, false,
		},
		"no activation": {theDocument(), nil, `HybridActivation "site" does not exist`, false, false},
		"an activation that goes": {
			theDocument(), theActivation(func(a *v1alpha1.HybridActivation) { a.DeletionTimestamp = &now }),
			"is being deleted", false, false,
		},
		"an activation of another account": {
			theDocument(), theActivation(func(a *v1alpha1.HybridActivation) { a.Spec.AccountRef.Name = "other" }),
			`of AWSAccount "other"`, false, false,
		},
		"an activation in a region that is left out": {
			theDocument(), theActivation(func(a *v1alpha1.HybridActivation) { a.Spec.Region = "us-east-1" }),
			"us-east-1, which regions leaves out", false, false,
		},
		"an activation that is not ready": {
			theDocument(), theActivation(func(a *v1alpha1.HybridActivation) { a.Status.Conditions = notReady }),
			`HybridActivation "site" is not ready`, true, false,
		},
	} {
		before := decideReferring(referring(), theDocument(), theActivation()).grant
		granted := referring()
		granted.Status.Applied = &v1alpha1.AppliedAccess{Serial: 1, Granted: before}
		for _, try := range []struct {
			access *v1alpha1.SessionAccess
			want   bool
		}{{referring(), c.fresh}, {granted, c.keeps}} {
			d := decideReferring(try.access, c.document, c.activation)
			if try.want && d.problem == nil {
				continue // It is granted as before.
			}
			if d.problem == nil || !d.waiting || !strings.Contains(d.problem.Message, c.says) || !strings.HasSuffix(d.problem.Message, ".") {
				t.Errorf("%s: the decision is %+v, want it to wait and say %q", name, d.problem, c.says)
				continue
			}
			left := grantedNow(try.access.Status.Applied, d, time.Unix(1, 0))
			if (left != nil) != try.want {
				t.Errorf("%s: granted is %+v, want anything: %t", name, left, try.want)
			}
		}
	}
}
