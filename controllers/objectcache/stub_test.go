package objectcache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/objectcache"
)

func brief(*v1alpha1.SessionAccessSpec) objectcache.Brief {
	return objectcache.Brief{Principals: "User/user01 +1"}
}

func trim[T client.Object](t *testing.T, obj T) T {
	t.Helper()
	out, err := objectcache.Transform(brief)(obj)
	if err != nil {
		t.Fatal(err)
	}
	return out.(T)
}

// stuffed is metadata that holds as much as a tenant likes.
func stuffed() metav1.ObjectMeta {
	large := map[string]string{}
	for i := range 100 {
		large[fmt.Sprintf("example.com/key-%03d", i)] = strings.Repeat("x", 2000)
	}
	return metav1.ObjectMeta{
		Name: "one", Namespace: "stranger", UID: "0a1b", Generation: 3, ResourceVersion: "7", GenerateName: "on", Annotations: large, Labels: large,
		Finalizers: []string{strings.Repeat("x", 5000)}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		OwnerReferences: []metav1.OwnerReference{{Name: strings.Repeat("x", 5000)}},
	}
}

func largeTags(n int) map[string]string {
	tags := map[string]string{}
	for i := range n {
		tags[fmt.Sprintf("%03d%s", i, strings.Repeat("漢", 120))] = strings.Repeat("漢", 256)
	}
	return tags
}

func largeAccess() *v1alpha1.SessionAccess {
	a := &v1alpha1.SessionAccess{ObjectMeta: stuffed(), Spec: v1alpha1.SessionAccessSpec{
		AccountRef: v1alpha1.AccountReference{Name: "main"}, Regions: []v1alpha1.Region{"us-east-1"}, SessionScope: v1alpha1.ScopeOwnerTag,
		OnRevoke: v1alpha1.RevokeLeaveSessions, NotAfter: &metav1.Time{}, RequireMFA: true, Reason: strings.Repeat("x", 256),
		SourceCIDRs: []v1alpha1.CIDR{"203.0.113.0/24"},
		Principals:  []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}, {Kind: v1alpha1.PrincipalUser, Name: "user02"}},
		Documents:   []v1alpha1.DocumentReference{{Name: "audited"}, {Ref: &v1alpha1.LocalReference{Name: "logged"}}, {Ref: &v1alpha1.LocalReference{Name: "logged"}}},
	}}
	for range 20 {
		a.Spec.Targets = append(a.Spec.Targets, v1alpha1.Target{Tags: largeTags(50)},
			v1alpha1.Target{InstanceIDs: []v1alpha1.InstanceID{"i-00000001", "mi-00000000000000001", "mi-00000000000000002"}},
			v1alpha1.Target{ActivationRef: &v1alpha1.LocalReference{Name: "site"}})
	}
	return a
}

func largeDocument() *v1alpha1.SessionDocument {
	return &v1alpha1.SessionDocument{ObjectMeta: stuffed(), Spec: v1alpha1.SessionDocumentSpec{
		AccountRef: v1alpha1.AccountReference{Name: "main"}, Name: "shell", Regions: []v1alpha1.Region{"us-east-1"}, Adopt: true,
		Description: strings.Repeat("x", 1024), Tags: largeTags(40), SharedWith: []v1alpha1.ShareTarget{"488821267897"},
		Parameters: []v1alpha1.DocumentParameter{{Name: "one"}}, Inputs: &v1alpha1.SessionInputs{}, Properties: &v1alpha1.SessionProperties{},
	}}
}

func largeActivation() *v1alpha1.HybridActivation {
	return &v1alpha1.HybridActivation{ObjectMeta: stuffed(), Spec: v1alpha1.HybridActivationSpec{
		AccountRef: v1alpha1.AccountReference{Name: "main"}, Region: "us-east-1", Role: "SSMServiceRole", SecretName: "code",
		Description: strings.Repeat("x", 256), DefaultInstanceName: strings.Repeat("x", 256), Tags: largeTags(40),
	}}
}

func TestAStubIsSmallAndKeepsByWhatOthersAreJudged(t *testing.T) {
	access, document, activation := trim(t, largeAccess()), trim(t, largeDocument()), trim(t, largeActivation())
	for _, obj := range []client.Object{access, document, activation} {
		text, err := json.Marshal(obj)
		if err != nil || len(text) > 2000 {
			t.Errorf("a stub of %T has %d bytes: %.3000s", obj, len(text), text)
		}
		if !objectcache.Is(obj) || obj.GetUID() != "0a1b" || obj.GetGeneration() != 3 || obj.GetResourceVersion() != "7" {
			t.Errorf("%T lost who it is: %+v", obj, obj)
		}
	}
	want := v1alpha1.SessionAccessSpec{
		AccountRef: v1alpha1.AccountReference{Name: "main"}, Regions: []v1alpha1.Region{"us-east-1"}, SessionScope: v1alpha1.ScopeOwnerTag,
		OnRevoke: v1alpha1.RevokeLeaveSessions, NotAfter: &metav1.Time{}, RequireMFA: true, Principals: largeAccess().Spec.Principals,
		Documents: []v1alpha1.DocumentReference{{Ref: &v1alpha1.LocalReference{Name: "logged"}}},
		Targets: []v1alpha1.Target{
			{ActivationRef: &v1alpha1.LocalReference{Name: "site"}}, {InstanceIDs: []v1alpha1.InstanceID{"mi-00000000000000001"}},
		},
	}
	if !equality.Semantic.DeepEqual(access.Spec, want) {
		t.Errorf("a stub keeps\n%+v, want\n%+v", access.Spec, want)
	}
	if b, ok := objectcache.BriefOf(access); !ok || b.Principals != "User/user01 +1" {
		t.Errorf("a stub keeps %+v for kubectl get", b)
	}
	if document.DocumentName() != "shell" || len(document.Spec.Regions) != 1 || !document.Spec.Adopt {
		t.Errorf("a stub of a document keeps %+v", document.Spec)
	}
	if activation.Spec.Region != "us-east-1" || activation.SecretName() != "code" {
		t.Errorf("a stub of an activation keeps %+v", activation.Spec)
	}
}

// A kind that the transform does not know is trimmed like those of tenants.
func TestTheMetadataOfEveryKindIsTrimmed(t *testing.T) {
	for _, kind := range v1alpha1.Kinds() {
		large := stuffed()
		kind.SetAnnotations(large.Annotations)
		kind.SetLabels(large.Labels)
		kind.SetManagedFields(large.ManagedFields)
		trim(t, kind)
		_, selectsManager := kind.(*v1alpha1.AWSAccount)
		_, isTier := kind.(*v1alpha1.AccountTier)
		if kept := kind.GetLabels()["example.com/key-000"] != ""; kept != (selectsManager || isTier) {
			t.Errorf("%s keeps its labels: %v", v1alpha1.KindOf(kind), kept)
		}
		if len(kind.GetAnnotations()) > 2 || kind.GetManagedFields() != nil {
			t.Errorf("%s keeps %d annotations and %d managers", v1alpha1.KindOf(kind), len(kind.GetAnnotations()), len(kind.GetManagedFields()))
		}
	}
}

func TestPrincipalsOfAStubStayUntilItIsJudged(t *testing.T) {
	access := largeAccess()
	access.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, ObservedGeneration: 3, Reason: v1alpha1.ReasonNamespaceNotAllowed}}
	waiting := access.DeepCopy()
	waiting.Status.Conditions = append(waiting.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue})
	former := access.DeepCopy()
	former.Generation = 4
	if trim(t, access).Spec.Principals != nil {
		t.Error("a stub that is judged keeps its principals")
	}
	for _, a := range []*v1alpha1.SessionAccess{waiting, former} {
		if len(trim(t, a).Spec.Principals) != 2 {
			t.Errorf("a stub lost principals that may hold policies: %+v", a.Status)
		}
	}
}

func TestAnObjectWithARecordKeepsItsSpec(t *testing.T) {
	access := largeAccess()
	access.Status.Applied = &v1alpha1.AppliedAccess{Serial: 1}
	document, activation := largeDocument(), largeActivation()
	document.Status.Regions = []v1alpha1.DocumentRegion{{Region: "us-east-1"}}
	activation.Status.Record = &v1alpha1.ActivationRecord{AccountID: "488821267897"}
	for _, obj := range []client.Object{access, document, activation} {
		before, finalizers := obj.DeepCopyObject().(client.Object), len(obj.GetFinalizers())
		trim(t, obj)
		if objectcache.Is(obj) || len(obj.GetFinalizers()) != finalizers || len(obj.GetLabels()) > 0 || len(obj.GetManagedFields()) > 0 || len(obj.GetAnnotations()) > 2 || objectcache.Dropped(obj) < 1<<10 {
			t.Errorf("of %T is kept: %+v", obj, obj)
		}
		switch obj := obj.(type) {
		case *v1alpha1.SessionAccess:
			want := before.(*v1alpha1.SessionAccess)
			want.Spec.Reason = ""
			if !equality.Semantic.DeepEqual(obj.Spec, want.Spec) {
				t.Error("a SessionAccess with a record lost a part of its spec")
			}
		case *v1alpha1.SessionDocument:
			if !equality.Semantic.DeepEqual(obj.Spec, before.(*v1alpha1.SessionDocument).Spec) {
				t.Error("a SessionDocument with a record lost a part of its spec")
			}
		case *v1alpha1.HybridActivation:
			if !equality.Semantic.DeepEqual(obj.Spec, before.(*v1alpha1.HybridActivation).Spec) {
				t.Error("a HybridActivation with a record lost a part of its spec")
			}
		}
	}
}

func TestAStubKeepsTheOperatorsFinalizerAlone(t *testing.T) {
	for _, obj := range []client.Object{largeAccess(), largeDocument(), largeActivation()} {
		obj.SetFinalizers(append(obj.GetFinalizers(), "example.org/another", v1alpha1.Finalizer))
		trim(t, obj)
		if got := obj.GetFinalizers(); !objectcache.Is(obj) || len(got) != 1 || got[0] != v1alpha1.Finalizer {
			t.Errorf("of %T is kept: %+v", obj, obj)
		}
	}
}

func TestATransformAppliedAgainChangesNothing(t *testing.T) {
	recorded := largeAccess()
	recorded.Status.Applied = &v1alpha1.AppliedAccess{Serial: 1}
	home := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"team": "a"}, Annotations: map[string]string{"x": "y"}}, Status: corev1.NamespaceStatus{Phase: corev1.NamespaceActive}}
	main := &v1alpha1.AWSAccount{ObjectMeta: stuffed()}
	main.Annotations[v1alpha1.AnnotationConfirmRemoval] = "12"
	for _, obj := range []client.Object{largeAccess(), recorded, largeDocument(), largeActivation(), home, main} {
		once := trim(t, obj).DeepCopyObject()
		if again := trim(t, obj); !equality.Semantic.DeepEqual(once, again) {
			t.Errorf("%+v\nbecame\n%+v", once, again)
		}
	}
	if home.Labels["team"] != "a" || main.Annotations[v1alpha1.AnnotationConfirmRemoval] != "12" || len(main.Labels) == 0 {
		t.Error("what selects an object, or what was confirmed, is lost")
	}
	if gone := (cache.DeletedFinalStateUnknown{Key: "a/b"}); trimAny(t, gone) != any(gone) {
		t.Error("an object that is gone became another")
	}
}

func trimAny(t *testing.T, in any) any {
	t.Helper()
	out, err := objectcache.Transform(brief)(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An object that gets its record is not reconciled once more for that.
func TestAStubHasTheAnnotationsOfTheWholeObject(t *testing.T) {
	recorded := largeAccess()
	recorded.Status.Applied = &v1alpha1.AppliedAccess{Serial: 1}
	if a, b := trim(t, largeAccess()), trim(t, recorded); !equality.Semantic.DeepEqual(a.Annotations, b.Annotations) {
		t.Errorf("%v became %v", a.Annotations, b.Annotations)
	}
}

func TestAnyAnnotationIsSeenToChangeAndNoneForgesAStub(t *testing.T) {
	with := func(annotations map[string]string) map[string]string {
		a := largeAccess()
		a.Status.Applied, a.Annotations = &v1alpha1.AppliedAccess{Serial: 1}, annotations
		a.Labels = map[string]string{"ssm-access.dev/stub": "forged"}
		trim(t, a)
		if objectcache.Is(a) {
			t.Errorf("%v makes an object a stub", annotations)
		}
		return a.Annotations
	}
	seen := map[string]bool{}
	for _, annotations := range []map[string]string{
		nil,
		{"a": "1"},
		{"a": "2"},
		{"b": "1"},
		{"a": "1", "b": "1"},
		{"ssm-access.dev/stub": "{}"},
		{"ssm-access.dev/other-annotations": "0a1b"},
		{v1alpha1.AnnotationForceDelete: "true"},
		{v1alpha1.AnnotationForceDelete: strings.Repeat("x", 1000)},
	} {
		kept := fmt.Sprint(with(annotations))
		if seen[kept] || len(kept) > 200 {
			t.Errorf("%v is kept as %s", annotations, kept)
		}
		seen[kept] = true
	}
	if with(map[string]string{v1alpha1.AnnotationForceDelete: "true"})[v1alpha1.AnnotationForceDelete] != "true" {
		t.Error("the request to force a deletion is lost")
	}
}

// pages answers lists in pages, as an API server does.
type pages struct {
	cache.ListerWatcherWithContext
	t     *testing.T
	items []v1alpha1.SessionAccess
	asked []metav1.ListOptions
}

func (p *pages) ListWithContext(_ context.Context, o metav1.ListOptions) (runtime.Object, error) {
	p.asked = append(p.asked, o)
	if o.Limit == 0 || o.ResourceVersion != "" {
		p.t.Errorf("%+v is answered with everything", o)
	}
	from := 0
	if o.Continue != "" {
		if _, err := fmt.Sscan(o.Continue, &from); err != nil {
			return nil, err
		}
	}
	to := min(from+int(o.Limit), len(p.items))
	list := &v1alpha1.SessionAccessList{ListMeta: metav1.ListMeta{ResourceVersion: "42"}, Items: p.items[from:to]}
	if to < len(p.items) {
		list.Continue = fmt.Sprint(to)
	}
	return list, nil
}

func TestAListIsReadInSmallPagesAndTrimmed(t *testing.T) {
	from := &pages{t: t}
	for i := range 25 {
		a := largeAccess()
		a.Name = fmt.Sprint("access-", i)
		from.items = append(from.items, *a)
	}
	got, err := objectcache.ListPages(t.Context(), from, metav1.ListOptions{ResourceVersion: "0", Limit: 500}, objectcache.Transform(brief))
	if err != nil {
		t.Fatal(err)
	}
	list := got.(*v1alpha1.SessionAccessList)
	if len(list.Items) != 25 || len(from.asked) != 3 || list.ResourceVersion != "42" || list.Continue != "" {
		t.Errorf("%d objects of version %s in %d pages, continued at %q", len(list.Items), list.ResourceVersion, len(from.asked), list.Continue)
	}
	for i := range list.Items {
		if !objectcache.Is(&list.Items[i]) || list.Items[i].Name != fmt.Sprint("access-", i) {
			t.Errorf("%s is not trimmed, or not where it was", list.Items[i].Name)
		}
	}
}
