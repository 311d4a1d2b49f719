package controllers_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ssm-access-operator/ssm-access-operator/api/v1alpha1"
	"github.com/ssm-access-operator/ssm-access-operator/controllers/reconcile"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/faults"
	"github.com/ssm-access-operator/ssm-access-operator/test/awsemulator/fixtures"
	"github.com/ssm-access-operator/ssm-access-operator/test/testenv"
)

// What is granted is recorded in the object before AWS is called. An object holds
// 1.5 MiB. A narrowing must not wait for room in it.

// wordy are texts of the longest sort, all different.
func wordy(n, size int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("t%05d", i) + strings.Repeat("x", size-6)
	}
	return texts
}

func wordyTags(targets, tags int, fill string) []v1alpha1.Target {
	var all []v1alpha1.Target
	for i := range targets {
		t := v1alpha1.Target{Tags: map[string]string{}}
		for j := range tags {
			t.Tags[fmt.Sprintf("k%02d%02d", i, j)+strings.Repeat(fill, 120)] = strings.Repeat(fill, 256)
		}
		all = append(all, t)
	}
	return all
}

func wordyGuardrails() []v1alpha1.Guardrail {
	var all []v1alpha1.Guardrail
	for i := range 3 {
		g := v1alpha1.Guardrail{Name: fmt.Sprint("wordy-", i), NamespaceSelector: &metav1.LabelSelector{}}
		for _, text := range wordy(100, 128) {
			g.Documents = append(g.Documents, v1alpha1.NamePattern(text))
		}
		all = append(all, g)
	}
	return all
}

func wordyParameters() []v1alpha1.DocumentParameter {
	var all []v1alpha1.DocumentParameter
	for i := range 20 {
		all = append(all, v1alpha1.DocumentParameter{Name: fmt.Sprint("p", i), AllowedValues: wordy(50, 256)})
	}
	return all
}

// tagged is a guardrail that the nodes of the fixture do not meet.
func tagged(a *v1alpha1.AWSAccount) {
	a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
		Name: "tagged", NamespaceSelector: &metav1.LabelSelector{}, RequiredTags: map[string]string{"Cleared": "yes"},
	})
}

func TestTheAPIServerRejectsSpecsWhoseRecordWouldNotFit(t *testing.T) {
	w := worldWithoutManager(t)
	grant := func(edit func(*v1alpha1.SessionAccessSpec)) *v1alpha1.SessionAccess {
		a := access("large", "user01", pc01)
		edit(&a.Spec)
		return a
	}
	for name, c := range map[string]struct {
		object client.Object
		says   string // empty: it is accepted
	}{
		"more tags than any policy holds": {grant(func(s *v1alpha1.SessionAccessSpec) { s.Targets = wordyTags(20, 50, "漢") }), "16384 characters"},
		"all tags that a node may have":   {grant(func(s *v1alpha1.SessionAccessSpec) { s.Targets = wordyTags(1, 43, "漢") }), ""},
		"more ids than any policy holds":  {probeOf("SessionAccess"), "2000 instance ids"},
		"2000 ids": {grant(func(s *v1alpha1.SessionAccessSpec) {
			s.Targets = nil
			for part := range slices.Chunk(manyIDs(2000), 300) {
				s.Targets = append(s.Targets, v1alpha1.Target{InstanceIDs: part})
			}
		}), ""},
		"more documents in more regions": {grant(func(s *v1alpha1.SessionAccessSpec) {
			s.Documents = nil
			for i := range 20 {
				s.Documents = append(s.Documents, v1alpha1.DocumentReference{Ref: &v1alpha1.LocalReference{Name: fmt.Sprint("doc-", i)}})
			}
			for i := range 11 {
				s.Regions = append(s.Regions, v1alpha1.Region(fmt.Sprintf("eu-west-%d", i+1)))
			}
		}), "at most 200"},
		"more patterns than a record should hold": {probeOf("AWSAccount"), "32768 characters"},
		"more required tags than a record should hold": {account(func(a *v1alpha1.AWSAccount) {
			for i := range 12 {
				a.Spec.Guardrails = append(a.Spec.Guardrails, v1alpha1.Guardrail{
					Name: fmt.Sprint("tags-", i), NamespaceSelector: &metav1.LabelSelector{},
					RequiredTags: map[string]string{fmt.Sprint("k", i): strings.Repeat("x", 200), fmt.Sprint("l", i): strings.Repeat("x", 200)},
				})
			}
		}), "4096 characters"},
		"more values than a document holds": {probeOf("SessionDocument"), "65536 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			err := w.Client.Create(t.Context(), c.object, client.DryRunAll)
			switch {
			case c.says == "" && err != nil:
				t.Errorf("the API server answers %.300v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("the API server answers %.300v, want it to say %q", err, c.says)
			}
		})
	}
}

// Three documents with a key of its own in each of eight regions are 24 documents
// of the record.
func TestTheRecordHoldsEveryKeyOfADocument(t *testing.T) {
	var regions []v1alpha1.Region
	f := fixtures.S1()
	if f.Accounts[0].Regions == nil {
		f.Accounts[0].Regions = map[string]fixtures.Region{}
	}
	for i, name := range []string{region, "eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2", "us-west-1", "us-west-2"} {
		regions = append(regions, v1alpha1.Region(name))
		at := f.Accounts[0].Regions[name]
		at.Keys = append(at.Keys, fixtures.Key{ID: fmt.Sprintf("0000000%d-1111-2222-3333-444444444444", i), Aliases: []string{"alias/sessions"}})
		f.Accounts[0].Regions[name] = at
	}
	w := worldOf(t, testenv.Options{Fixture: f})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	main := account(func(a *v1alpha1.AWSAccount) { a.Spec.Regions = regions }, allowing(v1alpha1.DocumentRule{Keys: []v1alpha1.KeyPattern{"*"}}))
	grant := access("g", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	var refs []v1alpha1.DocumentReference
	for i := range 3 {
		doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) {
			s.Name, s.Regions, s.Inputs.KMSKeyID = fmt.Sprintf("Doc-%d", i), regions, "alias/sessions"
		})
		doc.Name = fmt.Sprintf("doc-%d", i)
		w.create(doc)
		w.documentIs(doc, v1alpha1.ReasonInPlace)
		refs = append(refs, v1alpha1.DocumentReference{Ref: &v1alpha1.LocalReference{Name: doc.Name}})
	}
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Documents = refs
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{pc02}}}
	})
	w.until(func() bool { return !w.may("user01", pc01) })
	got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
		return a.Status.Applied != nil && a.Status.Applied.Granted != nil && len(a.Status.Applied.Granted.Documents) == 24
	})
	w.must(err)
	same(t, "the former grants", len(got.Status.Applied.Revoking), 1)
	change(w, main, tagged)
	w.until(func() bool { return !w.may("user01", pc02) })
}

// grow adds to the metadata of an object. It reports whether the API server takes
// it; what it does not take must count as rejected.
func (w world) grow(obj client.Object, part string, values map[string]string) bool {
	w.t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{part: values}})
	w.must(err)
	err = w.Client.Patch(w.t.Context(), obj, client.RawPatch(types.MergePatchType, patch))
	if err != nil && !reconcile.Rejected(err) {
		w.t.Fatalf("an object without room is answered with %.300v, which does not count as rejected", err)
	}
	return err == nil
}

// labelled are labels of 75 bytes each, from a number on.
func labelled(from, n int) map[string]string {
	labels := make(map[string]string, n)
	for i := range n {
		labels[fmt.Sprintf("l%05d", from+i)] = strings.Repeat("x", 63)
	}
	return labels
}

// pad makes an object so large that a wider record does not fit, and a narrower
// one does.
func (w world) pad(obj client.Object) {
	w.t.Helper()
	if !w.grow(obj, "annotations", map[string]string{"test/fill": strings.Repeat("x", 250<<10)}) || !w.grow(obj, "labels", labelled(0, 14_500)) {
		w.t.Fatal("the object does not take 1.3 MiB")
	}
}

// fill adds labels and annotations to an object until the API server takes no
// more.
func (w world) fill(obj client.Object) {
	w.t.Helper()
	labels, full := 0, false
	for n := 16384; n > 0; n /= 2 {
		if w.grow(obj, "labels", labelled(labels, n)) {
			labels += n
		} else {
			full = true
		}
	}
	if !full {
		w.t.Fatalf("the object takes %d labels", labels)
	}
	size := 0
	for n := 256; n > 0; n /= 2 {
		if w.grow(obj, "annotations", map[string]string{"test/fill": strings.Repeat("x", size+n)}) {
			size += n
		}
	}
}

// empty removes what fill added.
func (w world) empty(obj client.Object) {
	w.t.Helper()
	w.must(w.Client.Patch(w.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":null,"annotations":{"test/fill":null}}}`))))
}

func TestANarrowingOfAnObjectWithoutRoomTakesEffect(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	main, grant := account(), access("g", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.looked(grant)
	session := w.open(user("user01"), pc01)
	w.fill(grant)
	change(w, main, tagged)
	w.until(func() bool { return !w.may("user01", pc01) })
	w.untilEnded(session)
	got := w.accessIs(grant, v1alpha1.ReasonRecordTooLarge)
	if condition(got.Status.Conditions, v1alpha1.ConditionStalled).Status != metav1.ConditionTrue {
		t.Errorf("it is not Stalled: %+v", got.Status.Conditions)
	}
	w.empty(grant)
	w.tagNode(pc01, map[string]string{"Cleared": "yes"})
	w.until(func() bool { return w.may("user01", pc01) })
}

func TestWhatASpecAddsWaitsForRoomAndWhatItRemovesDoesNot(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	grant := access("g", "user01", pc01, pc02)
	w.create(account(), grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	w.looked(grant)
	w.pad(grant)
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Principals = []v1alpha1.Principal{{Kind: v1alpha1.PrincipalUser, Name: "user01"}, {Kind: v1alpha1.PrincipalUser, Name: "user02"}}
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{pc02}}}
	})
	w.until(func() bool { return !w.may("user01", pc01) })
	got := w.accessIs(grant, v1alpha1.ReasonRecordTooLarge)
	w.sentence(condition(got.Status.Conditions, v1alpha1.ConditionReady).Message, "KiB", "declare several SessionAccesses")
	w.grid(false, true, false, false) // What both specs allow stays.
	w.empty(grant)
	w.until(func() bool { return w.may("user02", pc02) })
	w.grid(false, true, false, true)
}

func TestEveryEditTakesEffectWhileRevocationsAccumulate(t *testing.T) {
	w := newWorld(t, testenv.ManagerOptions{ResyncInterval: testResync})
	main, grant := account(), access("g", "user01", pc01)
	w.create(main, grant)
	w.accessIs(grant, v1alpha1.ReasonGranted)
	fault, err := w.Emulator.Inject(faults.Fault{Kind: faults.AccessDenied, Action: "ssm:DescribeSessions"})
	w.must(err)
	session := w.open(user("user01"), pc01)
	for i := range 70 {
		node := fmt.Sprintf("i-%017x", i)
		change(w, grant, func(a *v1alpha1.SessionAccess) {
			a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{v1alpha1.InstanceID(node)}}}
		})
		got, err := testenv.WaitFor(t.Context(), w.Client, grant, func(a *v1alpha1.SessionAccess) bool {
			return a.Status.Applied != nil && a.Status.Applied.Generation == a.Generation
		})
		w.must(err)
		if revoking := len(got.Status.Applied.Revoking); revoking > 8 {
			t.Fatalf("%d former grants after %d edits", revoking, i+1)
		}
	}
	change(w, grant, func(a *v1alpha1.SessionAccess) {
		a.Spec.Targets = []v1alpha1.Target{{InstanceIDs: []v1alpha1.InstanceID{pc02}}}
	})
	w.until(func() bool { return w.may("user01", pc02) })
	change(w, main, tagged)
	w.until(func() bool { return !w.may("user01", pc02) })
	w.Emulator.RemoveFault(fault)
	w.advance(testWindow, grant)
	w.untilEnded(session)
}

func TestADocumentWhoseRecordIsFullIsStillUnshared(t *testing.T) {
	w := worldOfDocuments(t)
	m := w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	doc := sessionDocument(func(s *v1alpha1.SessionDocumentSpec) { s.SharedWith = []v1alpha1.AccountID{sharee} })
	w.create(account(allowing(v1alpha1.DocumentRule{ShareWith: []v1alpha1.AccountID{sharee}})), doc)
	doc = w.documentIs(doc, v1alpha1.ReasonInPlace)
	same(t, "the shares", len(w.inAWS(logged).Shares), 1)
	w.must(m.Stop())
	before := doc.DeepCopy()
	doc.Status.TagKeys = wordy(400, 20) // Of edits while AWS was out of reach.
	w.must(w.Client.Status().Patch(t.Context(), doc, client.MergeFrom(before)))
	change(w, doc, func(d *v1alpha1.SessionDocument) {
		d.Spec.SharedWith = nil
		d.Spec.Tags = map[string]string{"cost": "1"}
	})
	w.Manager(t, testenv.ManagerOptions{ResyncInterval: testResync})
	w.until(func() bool { return len(w.inAWS(logged).Shares) == 0 })
	got := w.documentIs(doc, v1alpha1.ReasonRecordTooLarge)
	w.sentence(readyOf(got).Message, "Use fewer tags")
	same(t, "what must be remembered", len(got.Status.TagKeys), 400)
}
